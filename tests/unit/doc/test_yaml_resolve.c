#include "doc/yaml_resolve.h"

#include "base/auto.h"

#include <criterion/criterion.h>

/* What kubectl makes of plain scalars (go-yaml v2). NULL: refused. */
Test(yaml_resolve, as_kubectl)
{
	static const struct {
		const char *text, *json;
	} rows[] = {
		/* truths */
		{"y", "true"},
		{"Y", "true"},
		{"yes", "true"},
		{"Yes", "true"},
		{"YES", "true"},
		{"yEs", "\"yEs\""},
		{"on", "true"},
		{"On", "true"},
		{"ON", "true"},
		{"oN", "\"oN\""},
		{"true", "true"},
		{"True", "true"},
		{"TRUE", "true"},
		{"tRue", "\"tRue\""},
		{"n", "false"},
		{"N", "false"},
		{"no", "false"},
		{"No", "false"},
		{"NO", "false"},
		{"off", "false"},
		{"Off", "false"},
		{"OFF", "false"},
		{"false", "false"},
		{"False", "false"},
		{"FALSE", "false"},
		{"t", "\"t\""},
		{"f", "\"f\""},
		/* nulls */
		{"", "null"},
		{"~", "null"},
		{"null", "null"},
		{"Null", "null"},
		{"NULL", "null"},
		{"nULL", "\"nULL\""},
		{"none", "\"none\""},
		{"nil", "\"nil\""},
		/* whole numbers */
		{"0", "0"},
		{"-0", "0"},
		{"+12", "12"},
		{"-12", "-12"},
		{"1_000", "1000"},
		{"0777", "511"},
		{"0o14", "12"},
		{"0O14", "12"},
		{"0x1F", "31"},
		{"0X1f", "31"},
		{"-0x1F", "-31"},
		{"0b101", "5"},
		{"0x", "\"0x\""},
		{"0xg", "\"0xg\""},
		{"0b2", "\"0b2\""},
		{"0o8", "\"0o8\""},
		{"9223372036854775807", "9223372036854775807"},
		{"-9223372036854775808", "-9223372036854775808"},
		{"9223372036854775808", "9.2233720368547758e18"},
		{"18446744073709551615", "1.8446744073709552e19"},
		{"18446744073709551616", "1.8446744073709552e19"},
		{"-9223372036854775809", "-9.2233720368547758e18"},
		/* octal that is none becomes a decimal real, and a whole real an integer */
		{"08", "8"},
		{"09.5", "9.5"},
		/* reals */
		{"1.5", "1.5"},
		{"1.10", "1.1000000000000001"},
		{"1.0", "1"},
		{"1.", "1"},
		{".5", "0.5"},
		{".5_0", "0.5"},
		{"._5", "\"._5\""},
		{".5_", "\".5_\""},
		{"-.5", "-0.5"},
		{"+.5", "0.5"},
		{"1e3", "1000"},
		{"1E3", "1000"},
		{"1e-3", "0.001"},
		{"1.5e+3", "1500"},
		{"12e03", "12000"},
		{"1e20", "1e20"},
		{"1e999", "\"1e999\""},
		{"1e", "\"1e\""},
		{".", "\".\""},
		{"-", "\"-\""},
		{"+", "\"+\""},
		{"..5", "\"..5\""},
		{".e5", "\".e5\""},
		{"1e5.5", "\"1e5.5\""},
		{"0x1p4", "\"0x1p4\""},
		/* what JSON cannot hold */
		{".inf", NULL},
		{".Inf", NULL},
		{"-.inf", NULL},
		{"+.INF", NULL},
		{".nan", NULL},
		{".NaN", NULL},
		{"inf", "\"inf\""},
		{"nan", "\"nan\""},
		{".iNf", "\".iNf\""},
		/* text */
		{"=", "\"=\""},
		{"<<", "\"<<\""},
		{"12:30:45", "\"12:30:45\""},
		{"190:20", "\"190:20\""},
		{"2001-01-01", "\"2001-01-01\""},
		{"2001-12-14T21:59:43Z", "\"2001-12-14T21:59:43Z\""},
		{"1.2.3", "\"1.2.3\""},
		{"10Gi", "\"10Gi\""},
		{"100m", "\"100m\""},
		{"v1", "\"v1\""},
		{"1 000", "\"1 000\""},
		{"1,000", "\"1,000\""},
		{"_1", "\"_1\""},
		{"1_", "1"},
		{"--1", "\"--1\""},
		{"0-1", "\"0-1\""},
		{"yes please", "\"yes please\""},
		{"8080/tcp", "\"8080/tcp\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_JSON json_t *value = yaml_resolve(rows[i].text);
		AUTO(buf) struct buf out = {0};

		if (!rows[i].json) {
			cr_expect_null(value, "%s", rows[i].text);
			continue;
		}
		cr_assert_not_null(value, "%s", rows[i].text);
		doc_json_write(value, &out);
		cr_expect_str_eq(buf_str(&out), rows[i].json, "'%s' gives %s, not %s", rows[i].text,
						 buf_str(&out), rows[i].json);
	}
}
