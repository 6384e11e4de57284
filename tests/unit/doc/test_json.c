#include "doc/json.h"

#include "base/auto.h"
#include "doc/yaml.h"

#include <criterion/criterion.h>
#include <string.h>

static json_t *parse(const char *text)
{
	json_t *doc = NULL;
	struct error err = {0};

	cr_assert_eq(doc_json_parse(span_of(text), "t", &doc, &err), 0, "%s: %s", text, err.msg);
	return doc;
}

Test(json, refuses_with_line_and_column)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"", NULL},
		{"{\"a\": 1,\n \"a\": 2}", "t:2:4: not valid JSON: duplicate object key"},
		{"[1, 2", "t:1:5: not valid JSON: ']' expected"},
		{"{} x", "t:1:4: not valid JSON: end of file expected"},
		{"[01]", "t:1:2: not valid JSON: invalid token"},
		{"[\"\\u0000\"]", "t:1:9: not valid JSON: \\u0000 is not allowed"},
		{"[\"secret", "t:1:8: not valid JSON: premature end of input"},
		{"[NaN]", "t:1:4: not valid JSON: invalid token"},
		{"[1e999]", NULL},
		{"[99999999999999999999]", NULL},
		{"\xef\xbb\xbf[]", NULL},
		{"[\"\xff\"]", NULL},
		{"[\"\\ud800\"]", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *doc = NULL;
		struct error err = {0};

		cr_expect_eq(doc_json_parse(span_of(rows[i].text), "t", &doc, &err), -1, "%s",
					 rows[i].text);
		cr_expect_eq(err.code, ERR_INPUT);
		cr_expect_null(doc);
		cr_expect_null(strstr(err.msg, "secret"));
		if (rows[i].message)
			cr_expect_str_eq(err.msg, rows[i].message);
	}
}

Test(json, depth_is_capped)
{
	for (int depth = 63; depth <= 66; depth++) {
		char text[200] = {0};
		json_t *doc = NULL;
		struct error err = {0};

		memset(text, '[', (size_t)depth);
		memset(text + depth, ']', (size_t)depth);
		cr_expect_eq(doc_json_parse(span_of(text), "t", &doc, &err),
					 depth <= JSON_MAX_DEPTH ? 0 : -1);
		json_decref(doc);
	}
}

Test(json, brackets_in_text_are_no_depth)
{
	AUTO(buf) struct buf text = {0};
	AUTO_JSON json_t *doc = NULL;
	struct error err = {0};

	buf_adds(&text, "[\"\\\"");
	for (int i = 0; i < 1000; i++)
		buf_addc(&text, '[');
	buf_adds(&text, "\"]");
	cr_assert_eq(doc_json_parse(buf_span(&text), "t", &doc, &err), 0, "%s", err.msg);
}

Test(json, canonical_bytes)
{
	AUTO_JSON json_t *doc =
		parse("{\"b\": \"/\\u00e9\", \"a\": [1, true, null], \"c\": 9223372036854775807}");
	AUTO(buf) struct buf out = {0};

	doc_json_write(doc, &out);
	cr_expect_str_eq(buf_str(&out), "{\"a\":[1,true,null],\"b\":\"/é\",\"c\":9223372036854775807}");
	buf_cut(&out, 0);
	doc_json_write_pretty(doc, &out);
	cr_expect_str_eq(buf_str(&out),
					 "{\n  \"b\": \"/é\",\n  \"a\": [\n    1,\n    true,\n    null\n  ],\n"
					 "  \"c\": 9223372036854775807\n}\n");
}

Test(json, paths)
{
	AUTO_JSON json_t *doc =
		parse("{\"spec\": {\"list\": [{\"n\": 7}, \"x\"], \"on\": true, \"t\": \"text\"}}");

	cr_expect_eq(doc_int(doc, "spec.list.0.n", -1), 7);
	cr_expect_str_eq(doc_text(doc, "spec.list.1", "-"), "x");
	cr_expect_str_eq(doc_text(doc, "spec.on", "-"), "-");
	cr_expect(doc_bool(doc, "spec.on", false));
	cr_expect_eq(doc_int(doc, "spec.t", 5), 5);
	cr_expect_null(doc_get(doc, "spec.list.2"));
	cr_expect_null(doc_get(doc, "spec.list.-1"));
	cr_expect_null(doc_get(doc, "spec.list.x"));
	cr_expect_null(doc_get(doc, "spec.t.deeper"));
	cr_expect_null(doc_get(doc, ""));
	cr_expect_null(doc_get(NULL, "a"));
}

struct sample {
	const char *text;
	int64_t number;
	bool truth;
	json_t *object, *array, *texts, *map, *any;
};

static const struct doc_field sample_fields[] = {
	DOC_FIELD(struct sample, text, "text", DOC_TEXT, true),
	DOC_FIELD(struct sample, number, "number", DOC_INT, false),
	DOC_FIELD(struct sample, truth, "truth", DOC_BOOL, false),
	DOC_FIELD(struct sample, object, "object", DOC_OBJECT, false),
	DOC_FIELD(struct sample, array, "array", DOC_ARRAY, false),
	DOC_FIELD(struct sample, texts, "texts", DOC_TEXTS, false),
	DOC_FIELD(struct sample, map, "map", DOC_TEXT_MAP, false),
	DOC_FIELD(struct sample, any, "any", DOC_ANY, false),
	DOC_FIELDS_END,
};

Test(fields, all_types)
{
	AUTO_JSON json_t *doc =
		parse("{\"text\":\"a\",\"number\":5,\"truth\":true,\"object\":{},\"array\":[1],"
			  "\"texts\":[\"x\"],\"map\":{\"k\":\"v\"},\"any\":1.5,\"other\":1}");
	struct doc_context where = {.name = "f"};
	struct sample s = {0};
	struct error err = {0};

	cr_assert_eq(doc_read(doc, sample_fields, &where, &s, &err), 0, "%s", err.msg);
	cr_expect_str_eq(s.text, "a");
	cr_expect_eq(s.number, 5);
	cr_expect(s.truth);
	cr_expect(s.object && s.array && s.texts && s.map && s.any);
}

Test(fields, absent_and_null_keep_what_was_there)
{
	AUTO_JSON json_t *doc = parse("{\"text\":\"a\",\"number\":null}");
	struct doc_context where = {.name = "f", .strict = true};
	struct sample s = {.number = 42};
	struct error err = {0};

	cr_assert_eq(doc_read(doc, sample_fields, &where, &s, &err), 0);
	cr_expect_eq(s.number, 42);
}

Test(fields, messages)
{
	static const struct {
		const char *yaml, *message, *hint;
	} rows[] = {
		{"number: 1", "f: a.text: required, but not given", ""},
		{"text: 1.10", "f:1:1: a.text: expected text, found a number", "put the value in quotes"},
		{"text: x\nnumber: -1", "f:2:1: a.number: not between 0 and 2^53", ""},
		{"text: x\nnumber: 1.5", "f:2:1: a.number: expected a whole number, found a number", ""},
		{"text: x\ntruth: 'yes'", "f:2:1: a.truth: expected true or false, found text", ""},
		{"text: x\nobject: []", "f:2:1: a.object: expected an object, found an array", ""},
		{"text: x\narray: {}", "f:2:1: a.array: expected an array, found an object", ""},
		{"text: x\ntexts: [a, 2]",
		 "f:2:1: a.texts: expected an array of text, found a number in it",
		 "put the value in quotes"},
		{"text: x\nmap: {a: [b]}", "f:2:1: a.map: expected an object of text, found an array in it",
		 ""},
		{"text: x\n  \nnumbr: 2", "f:3:1: a.numbr: unknown key", "did you mean 'number'?"},
		{"text: x\nzzzzzz: 2", "f:2:1: a.zzzzzz: unknown key",
		 "remove it, or name it 'x-zzzzzz' to have it ignored"},
		{"text: x\nx-zzzzzz: 2", "", ""},
		{"- 1", "f: a: expected an object, found an array", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(yaml_file) struct yaml_file file = {0};
		struct doc_context where = {.name = "f", .path = "a", .strict = true};
		struct sample s = {0};
		struct error err = {0};

		cr_assert_eq(yaml_parse(span_of(rows[i].yaml), "f", &file, &err), 0, "%s", err.msg);
		where.marks = file.marks;
		cr_expect_eq(doc_read(file.documents[0], sample_fields, &where, &s, &err),
					 rows[i].message[0] ? -1 : 0);
		cr_expect_str_eq(err.msg, rows[i].message);
		cr_expect_str_eq(err.hint, rows[i].hint);
	}
}
