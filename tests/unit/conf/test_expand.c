#include "base/auto.h"
#include "conf/project.h"

#include <criterion/criterion.h>
#include <string.h>

static const char vars_json[] =
	"{\"HOST\":\"h.example\",\"N\":3,\"ON\":true,\"EMPTY\":\"\",\"SELF\":\"${N}\","
	"\"EVIL\":\"a: b\\n- c\"}";

static int expand(const char *yaml, struct buf *out, struct error *err)
{
	AUTO(yaml_file) struct yaml_file f = {0};
	AUTO_JSON json_t *vars = NULL;

	cr_assert_eq(doc_json_parse(span_of(vars_json), "vars", &vars, err), 0);
	cr_assert_eq(yaml_parse(span_of(yaml), "f", &f, err), 0, "%s", err->msg);
	if (project_expand(f.documents[0], vars, f.marks, "f", err) < 0)
		return -1;
	doc_json_write(f.documents[0], out);
	return 0;
}

Test(expand, values)
{
	static const struct {
		const char *yaml, *json;
	} rows[] = {
		{"a: http://${HOST}/x", "{\"a\":\"http://h.example/x\"}"},
		{"a: ${HOST}${HOST}", "{\"a\":\"h.exampleh.example\"}"},
		/* alone it keeps its type, within text it is text */
		{"[\"${N}\", \"n=${N}\", \"${ON}\", \"${ON}!\"]", "[3,\"n=3\",true,\"true!\"]"},
		{"a: ${NONE:-d}", "{\"a\":\"d\"}"},
		{"a: ${NONE:-}", "{\"a\":\"\"}"},
		{"a: ${EMPTY}", "{\"a\":\"\"}"},
		{"a: ${EMPTY:-d}", "{\"a\":\"d\"}"},
		{"a: x${N:?needed}", "{\"a\":\"x3\"}"},
		/* once, never again */
		{"a: ${SELF}", "{\"a\":\"${N}\"}"},
		{"a: x${SELF}", "{\"a\":\"x${N}\"}"},
		{"a: ${NONE:-${N}", "{\"a\":\"${N\"}"},
		/* structure cannot change */
		{"a: ${EVIL}", "{\"a\":\"a: b\\n- c\"}"},
		/* what stays as it is */
		{"${N}: $N $(N) $$ $ } {", "{\"${N}\":\"$N $(N) $$ $ } {\"}"},
		{"a: $${N}", "{\"a\":\"${N}\"}"},
		{"a: x$${N}${N}", "{\"a\":\"x${N}3\"}"},
		{"a: {b: [1, {c: '${N}'}]}", "{\"a\":{\"b\":[1,{\"c\":3}]}}"},
		{"[1, true, null, 1.5]", "[1,true,null,1.5]"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(buf) struct buf out = {0};
		struct error err = {0};

		cr_assert_eq(expand(rows[i].yaml, &out, &err), 0, "%s: %s", rows[i].yaml, err.msg);
		cr_expect_str_eq(buf_str(&out), rows[i].json);
	}
}

Test(expand, refusals)
{
	static const struct {
		const char *yaml, *message;
	} rows[] = {
		{"a: 1\nb: ${NONE}", "f:2:1: undefined variable 'NONE'"},
		{"- x\n- ${NONE} y", "f:2:3: undefined variable 'NONE'"},
		{"a: ${NONE:?say which host}", "f:1:1: say which host"},
		{"a: ${NONE:?}", "f:1:1: a variable is needed"},
		{"a: ${EMPTY:?must not be empty}", "f:1:1: must not be empty"},
		{"a: ${", "f:1:1: ${ without its }"},
		{"a: ${}", "f:1:1: malformed ${...}"},
		{"a: ${1A}", "f:1:1: malformed ${...}"},
		{"a: ${A B}", "f:1:1: malformed ${...}"},
		{"a: ${A:x}", "f:1:1: malformed ${...}"},
		{"a: ${A-x}", "f:1:1: malformed ${...}"},
		{"a: ${A:}", "f:1:1: malformed ${...}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(buf) struct buf out = {0};
		struct error err = {0};

		cr_expect_eq(expand(rows[i].yaml, &out, &err), -1, "%s", rows[i].yaml);
		cr_expect_eq(err.code, ERR_INPUT);
		cr_expect_str_eq(err.msg, rows[i].message);
	}
}

Test(expand, growth_is_capped)
{
	AUTO_JSON json_t *vars = json_object();
	AUTO_JSON json_t *doc = json_array();
	AUTO(buf) struct buf big = {0};
	AUTO(buf) struct buf text = {0};
	struct error err = {0};

	memset(buf_grow(&big, 1 << 20), 'x', 1 << 20);
	big.len = 1 << 20;
	json_object_set_new(vars, "A", json_stringn(big.data, big.len));
	for (int i = 0; i < 1000; i++)
		buf_adds(&text, "${A}");
	json_array_append_new(doc, json_string(buf_str(&text)));
	cr_expect_eq(project_expand(doc, vars, NULL, "f", &err), -1);
	cr_expect_str_eq(err.msg, "f: variables expand to too much");
	json_array_clear(doc);
	for (int i = 0; i < 1000; i++)
		json_array_append_new(doc, json_string("${A}"));
	cr_expect_eq(project_expand(doc, vars, NULL, "f", &err), -1);
}
