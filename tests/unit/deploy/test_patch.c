#include "base/auto.h"
#include "base/mem.h"
#include "deploy/patch.h"

#include <criterion/criterion.h>
#include <string.h>

static json_t *read_json(const char *text)
{
	json_t *doc = json_loads(text, JSON_DECODE_ANY, NULL);

	cr_assert_not_null(doc, "%s", text);
	return doc;
}

/* RFC 7396, appendix A (those whose target is an object), and what deep patches do. */
Test(deploy_patch, merge)
{
	static const struct {
		const char *target, *patch, *want;
	} rows[] = {
		{"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
		{"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
		{"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
		{"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
		{"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
		{"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
		{"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
		{"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
		{"{\"e\":null}", "{\"a\":1}", "{\"a\":1,\"e\":null}"},
		{"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
		{"{\"a\":\"foo\"}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_JSON json_t *target = read_json(rows[i].target);
		AUTO_JSON json_t *patch = read_json(rows[i].patch);
		AUTO(buf) struct buf out = {0};

		patch_merge(target, patch);
		doc_json_write(target, &out);
		cr_expect_str_eq(buf_str(&out), rows[i].want, "row %zu", i);
	}
}

/* RFC 6902, appendix A, and what must be refused. */
Test(deploy_patch, json6902)
{
	static const struct {
		const char *target, *patch, *want; /* NULL: refused */
	} rows[] = {
		{"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
		 "{\"baz\":\"qux\",\"foo\":\"bar\"}"},
		{"{\"foo\":[1,3]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":2}]",
		 "{\"foo\":[1,2,3]}"},
		{"{\"foo\":[1]}", "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":2}]", "{\"foo\":[1,2]}"},
		{"{\"foo\":[1]}", "[{\"op\":\"add\",\"path\":\"/foo/2\",\"value\":2}]", NULL},
		{"{\"baz\":1,\"foo\":2}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]", "{\"foo\":2}"},
		{"{\"foo\":[1,2,3]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]", "{\"foo\":[1,3]}"},
		{"{\"foo\":1}", "[{\"op\":\"remove\",\"path\":\"/bar\"}]", NULL},
		{"{\"foo\":1}", "[{\"op\":\"replace\",\"path\":\"/foo\",\"value\":2}]", "{\"foo\":2}"},
		{"{\"foo\":1}", "[{\"op\":\"replace\",\"path\":\"/bar\",\"value\":2}]", NULL},
		{"{\"a\":{\"b\":1},\"c\":{}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/c/d\"}]",
		 "{\"a\":{},\"c\":{\"d\":1}}"},
		{"{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", NULL},
		{"{\"a\":[1]}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}]",
		 "{\"a\":[1],\"b\":[1]}"},
		{"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1}]", "{\"a\":1}"},
		{"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":\"1\"}]", NULL},
		{"{\"a/b\":1,\"m~n\":2}",
		 "[{\"op\":\"test\",\"path\":\"/a~1b\",\"value\":1},{\"op\":\"test\",\"path\":\"/"
		 "m~0n\",\"value\":2}]",
		 "{\"a/b\":1,\"m~n\":2}"},
		{"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"\",\"value\":{\"b\":2}}]", "{\"b\":2}"},
		{"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"a\",\"value\":2}]", NULL},
		{"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b/c\",\"value\":2}]", NULL},
		{"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a/c\",\"value\":2}]", NULL},
		{"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\"}]", NULL},
		{"{\"a\":1}", "[{\"op\":\"jump\",\"path\":\"/b\"}]", NULL},
		{"{\"a\":1}", "{}", NULL},
		{"{\"a\":[1]}", "[{\"op\":\"remove\",\"path\":\"/a/-1\"}]", NULL},
		{"{\"a\":1}",
		 "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":2},{\"op\":\"remove\",\"path\":\"/"
		 "b\"}]",
		 NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_JSON json_t *doc = read_json(rows[i].target);
		AUTO_JSON json_t *patch = read_json(rows[i].patch);
		AUTO_JSON json_t *before = read_json(rows[i].target);
		AUTO(buf) struct buf out = {0};
		struct error err = {0};
		int rc = patch_json6902(&doc, patch, &err);

		cr_expect_eq(rc, rows[i].want ? 0 : -1, "row %zu: %s", i, err.msg);
		doc_json_write(doc, &out);
		if (rows[i].want)
			cr_expect_str_eq(buf_str(&out), rows[i].want, "row %zu", i);
		else
			cr_expect(json_equal(doc, before) && err.code == ERR_INPUT, "row %zu: all or nothing",
					  i);
	}
}
