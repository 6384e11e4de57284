#include "base/auto.h"
#include "doc/yaml.h"

#include <criterion/criterion.h>

Test(yaml_write, scalars)
{
	static const struct {
		const char *json, *yaml;
	} rows[] = {
		{"\"plain\"", "plain"},
		{"\"two words\"", "two words"},
		{"\"\"", "\"\""},
		{"\"yes\"", "\"yes\""},
		{"\"No\"", "\"No\""},
		{"\"TRUE\"", "\"TRUE\""},
		{"\"y\"", "\"y\""},
		{"\"null\"", "\"null\""},
		{"\"~\"", "\"~\""},
		{"\"=\"", "\"=\""},
		{"\"<<\"", "\"<<\""},
		{"\"NaN\"", "\"NaN\""},
		{"\"1.10\"", "\"1.10\""},
		{"\"0777\"", "\"0777\""},
		{"\"0x1F\"", "\"0x1F\""},
		{"\"1e3\"", "\"1e3\""},
		{"\"1_000\"", "\"1_000\""},
		{"\"12:30:45\"", "\"12:30:45\""},
		{"\"2001-01-01\"", "\"2001-01-01\""},
		{"\"2001-12-14T21:59:43Z\"", "\"2001-12-14T21:59:43Z\""},
		{"\".5\"", "\".5\""},
		{"\"-1\"", "\"-1\""},
		{"\"10Gi\"", "10Gi"},
		{"\"500m\"", "500m"},
		{"\"8080/tcp\"", "8080/tcp"},
		{"\"v1.2\"", "v1.2"},
		{"\"http://x:80/a\"", "http://x:80/a"},
		{"\"a: b\"", "\"a: b\""},
		{"\"a:\"", "\"a:\""},
		{"\"a #b\"", "\"a #b\""},
		{"\"- a\"", "\"- a\""},
		{"\"*a\"", "\"*a\""},
		{"\"&a\"", "\"&a\""},
		{"\"!a\"", "\"!a\""},
		{"\"%a\"", "\"%a\""},
		{"\"@a\"", "\"@a\""},
		{"\"`a\"", "\"`a\""},
		{"\"{a\"", "\"{a\""},
		{"\"[a\"", "\"[a\""},
		{"\"|\"", "\"|\""},
		{"\">\"", "\">\""},
		{"\"?\"", "\"?\""},
		{"\" a\"", "\" a\""},
		{"\"a \"", "\"a \""},
		{"\"a\\\"b\\\\\"", "\"a\\\"b\\\\\""},
		{"\"a\\tb\"", "\"a\\tb\""},
		{"\"a\\u0001\"", "\"a\\u0001\""},
		{"\"é\"", "\"é\""},
		{"\"\\u0085\"", "\"\\u0085\""},
		{"\"\\u2028\"", "\"\\u2028\""},
		{"\"\\ufeff\"", "\"\\ufeff\""},
		{"\"---\"", "\"---\""},
		{"1", "1"},
		{"-5", "-5"},
		{"0.1", "0.1"},
		{"1.0", "1.0"},
		{"1e20", "1.0e+20"},
		{"true", "true"},
		{"null", "null"},
		{"{}", "{}"},
		{"[]", "[]"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_JSON json_t *doc = NULL;
		AUTO(buf) struct buf out = {0};
		struct error err = {0};

		cr_assert_eq(doc_json_parse(span_of(rows[i].json), "t", &doc, &err), 0, "%s", err.msg);
		yaml_write(doc, &out);
		buf_cut(&out, out.len - 1);
		cr_expect_str_eq(buf_str(&out), rows[i].yaml);
	}
}

Test(yaml_write, structure)
{
	static const char json[] = "{\"a\":{\"b\":[1,{\"c\":2,\"d\":[]},[3,[4]],[{\"e\":{}}]]},\"yes\":"
							   "\"l1\\nl2\\n\",\"f\":[\"x\\ny\",\"z\\n\\n\"],"
							   "\"g\":\" \\n\",\"h\":\"a\\n\\tb\\n\\nc\"}";
	static const char yaml[] =
		"a:\n  b:\n  - 1\n  - c: 2\n    d: []\n  - - 3\n    - - 4\n  - - e: {}\n"
		"\"yes\": |\n  l1\n  l2\nf:\n- |-\n  x\n  y\n- |+\n  z\n\ng: \" \\n\"\n"
		"h: |-\n  a\n  \tb\n\n  c\n";
	AUTO_JSON json_t *doc = NULL;
	AUTO(yaml_file) struct yaml_file again = {0};
	AUTO(buf) struct buf out = {0};
	struct error err = {0};

	cr_assert_eq(doc_json_parse(span_of(json), "t", &doc, &err), 0, "%s", err.msg);
	yaml_write(doc, &out);
	cr_expect_str_eq(buf_str(&out), yaml);
	cr_assert_eq(yaml_parse(buf_span(&out), "t", &again, &err), 0, "%s", err.msg);
	cr_expect(json_equal(doc, again.documents[0]));
}

Test(yaml_write, keys_of_any_length_come_back)
{
	AUTO_JSON json_t *doc = json_object();
	AUTO(yaml_file) struct yaml_file again = {0};
	AUTO(buf) struct buf key = {0};
	AUTO(buf) struct buf out = {0};
	struct error err = {0};

	for (int i = 0; i < 3000; i++)
		buf_addc(&key, 'k');
	json_object_set_new(doc, buf_str(&key), json_pack("{s:[i,{}]}", "x", 1));
	buf_adds(&key, "\n: #");
	json_object_set_new(doc, buf_str(&key), json_integer(5));
	yaml_write(doc, &out);
	cr_assert_eq(yaml_parse(buf_span(&out), "t", &again, &err), 0, "%s", err.msg);
	cr_expect(json_equal(doc, again.documents[0]));
}
