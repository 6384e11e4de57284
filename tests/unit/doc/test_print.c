#include "doc/print.h"

#include "base/auto.h"

#include <criterion/criterion.h>

static const struct print_column columns[] = {
	{"NAME", "metadata.name"},
	{"READY", "ready"},
	{"NOTE", "note"},
	{NULL, NULL},
};

static json_t *rows(void)
{
	return json_pack("[{s:{s:s},s:i,s:s},{s:{s:s},s:b}]", "metadata", "name", "orders-é", "ready",
					 3, "note", "a\nb\033[31m", "metadata", "name", "x", "ready", 1);
}

Test(print, table)
{
	AUTO_JSON json_t *doc = rows();
	AUTO(buf) struct buf out = {0};

	print_document(doc, columns, PRINT_TABLE, &out);
	cr_expect_str_eq(buf_str(&out), "NAME       READY   NOTE\n"
									"orders-é   3       a?b?[31m\n"
									"x          true    -\n");
}

Test(print, one_object_is_one_row)
{
	AUTO_JSON json_t *doc = rows();
	AUTO(buf) struct buf out = {0};

	print_document(json_array_get(doc, 1), columns, PRINT_TABLE, &out);
	cr_expect_str_eq(buf_str(&out), "NAME   READY   NOTE\nx      true    -\n");
}

Test(print, empty_table_has_its_titles)
{
	AUTO_JSON json_t *doc = json_array();
	AUTO(buf) struct buf out = {0};

	print_document(doc, columns, PRINT_TABLE, &out);
	cr_expect_str_eq(buf_str(&out), "NAME   READY   NOTE\n");
}

Test(print, json_and_yaml_are_whole)
{
	AUTO_JSON json_t *doc = json_pack("{s:i,s:[s]}", "a", 1, "b", "x");
	AUTO(buf) struct buf out = {0};

	print_document(doc, columns, PRINT_JSON, &out);
	cr_expect_str_eq(buf_str(&out), "{\n  \"a\": 1,\n  \"b\": [\n    \"x\"\n  ]\n}\n");
	buf_cut(&out, 0);
	print_document(doc, NULL, PRINT_YAML, &out);
	cr_expect_str_eq(buf_str(&out), "a: 1\nb:\n- x\n");
}
