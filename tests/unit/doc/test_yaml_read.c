#include "base/auto.h"
#include "base/mem.h"
#include "doc/yaml.h"

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

/* All documents as JSON, one a line. */
static char *as_json(const struct yaml_file *f)
{
	AUTO(buf) struct buf out = {0};

	for (size_t i = 0; i < f->count; i++) {
		doc_json_write(f->documents[i], &out);
		if (i + 1 < f->count)
			buf_addc(&out, '\n');
	}
	return buf_take(&out);
}

Test(yaml_read, documents)
{
	static const struct {
		const char *text, *json;
	} rows[] = {
		{"", ""},
		{"# only a comment\n", ""},
		{"---\n", ""},
		{"---\n---\n# x\n---\n...\n", ""},
		{"null\n", ""},
		{"a: 1\n---\n\n---\nb: 2\n", "{\"a\":1}\n{\"b\":2}"},
		{"a: 1\n...\n---\nb: 2\n", "{\"a\":1}\n{\"b\":2}"},
		{"\xef\xbb\xbf"
		 "a: 1\n",
		 "{\"a\":1}"},
		{"a: 1\r\nb:\r\n- x\r\n", "{\"a\":1,\"b\":[\"x\"]}"},
		{"text", "\"text\""},
		{"{\n\t\"a\": [1, {\"b\": null}],\n\t\"c\": \"\\u00e9\\/\"\n}",
		 "{\"a\":[1,{\"b\":null}],\"c\":\"é/\"}"},
		{"%YAML 1.1\n---\na: b\n", "{\"a\":\"b\"}"},
		/* quoting makes text */
		{"a: 'yes'\nb: \"0777\"\nc: \"1.10\"\nd: ''\ne: |\n  1\n",
		 "{\"a\":\"yes\",\"b\":\"0777\",\"c\":\"1.10\",\"d\":\"\",\"e\":\"1\\n\"}"},
		/* keys are text */
		{"1: a\nyes: b\n0x10: c\n1.5: d\n'on': e\n",
		 "{\"1\":\"a\",\"1.5\":\"d\",\"16\":\"c\",\"on\":\"e\",\"true\":\"b\"}"},
		/* tags of the core schema */
		{"a: !!str 1\nb: !!int '2'\nc: !!float 3\nd: !!bool yes\ne: ! 5\nf: !!map {}\ng: !!seq "
		 "[]\nh: !!null ''",
		 "{\"a\":\"1\",\"b\":2,\"c\":3,\"d\":true,\"e\":\"5\",\"f\":{},\"g\":[],\"h\":null}"},
		/* aliases and merge keys */
		{"a: &a {x: [1, 2]}\nb: *a\nc: &c text\nd: *c\n",
		 "{\"a\":{\"x\":[1,2]},\"b\":{\"x\":[1,2]},\"c\":\"text\",\"d\":\"text\"}"},
		{"a: &a 1\nb: &a 2\nc: *a\n", "{\"a\":1,\"b\":2,\"c\":2}"},
		{"&k key: *k\n", "{\"key\":\"key\"}"},
		{"a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  x: 3\n",
		 "{\"a\":{\"true\":2,\"x\":1},\"b\":{\"true\":2,\"x\":3}}"},
		{"a: &a {x: 1}\nb: {x: 3, <<: *a}\n", "{\"a\":{\"x\":1},\"b\":{\"x\":3}}"},
		{"a: &a {x: 1, z: 1}\nb: &b {x: 2, w: 2}\nc: {<<: [*a, *b]}\n",
		 "{\"a\":{\"x\":1,\"z\":1},\"b\":{\"w\":2,\"x\":2},\"c\":{\"w\":2,\"x\":1,\"z\":1}}"},
		{"a: {<<: {p: 1}, q: 2}\n", "{\"a\":{\"p\":1,\"q\":2}}"},
		{"a: {'<<': 1}\nb: [<<]\n", "{\"a\":{\"<<\":1},\"b\":[\"<<\"]}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(yaml_file) struct yaml_file f = {0};
		AUTO_FREE char *json = NULL;
		struct error err = {0};

		cr_assert_eq(yaml_parse(span_of(rows[i].text), "t", &f, &err), 0, "%s: %s", rows[i].text,
					 err.msg);
		json = as_json(&f);
		cr_expect_str_eq(json, rows[i].json, "%s gives %s", rows[i].text, json);
	}
}

Test(yaml_read, refusals)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"a: 1\nb: 2\na: 3\n", "t:3:1: the key 'a' was already given on line 1"},
		{"x:\n  a: 1\n  'a': 3\n", "t:3:3: the key 'a' was already given on line 2"},
		{"1: x\n'1': y\n", "t:2:1: the key '1' was already given on line 1"},
		{"a: &a {}\nb: {<<: *a,\n <<: *a}\n", "t:3:2: the key '<<' was already given on line 2"},
		{"a: &a [*a]\n", "t:1:8: recursive alias"},
		{"a: &a\n  b: *a\n", "t:2:6: recursive alias"},
		{"a: &a {<<: *a}\n", "t:1:12: recursive alias"},
		{"a: *b\n", "t:1:4: no anchor '&b' before this alias"},
		{"a: &b 1\n---\nc: *b\n", "t:3:4: no anchor '&b' before this alias"},
		{"<<: 1\n", "t:1:1: << needs an object or a list of objects"},
		{"<<: [{}, 1]\n", "t:1:1: << needs an object or a list of objects"},
		{"{[a]: b}\n", "t:1:2: a key must be text"},
		{"? {a: b}\n: c\n", "t:1:3: a key must be text"},
		{"~: b\n", "t:1:1: a key is empty"},
		{": b\n", "t:1:1: did not find expected key"},
		{"a: .inf\n", "t:1:4: infinity and not-a-number cannot be written in JSON"},
		{"a: !!int x\n", "t:1:4: the value does not fit the tag 'tag:yaml.org,2002:int'"},
		{"a: !!binary aGk=\n", "t:1:4: the value does not fit the tag 'tag:yaml.org,2002:binary'"},
		{"a: !Ref x\n", "t:1:4: the value does not fit the tag '!Ref'"},
		{"a: !Sub [x]\n", "t:1:4: the tag '!Sub' is not supported"},
		{"a: \"x\\0y\"\n", "t:1:4: text with a NUL character"},
		{"a: b\n\tc: d\n", "t:2:1: found a tab character that violates indentation"},
		{"a:\n\tb: 1\n", "t:2:1: found character that cannot start any token"},
		{"a: [1\n", "t:2:1: did not find expected ',' or ']'"},
		{"a: 'x\n", "t:2:1: found unexpected end of stream"},
		{"ok: 1\nbad: \xff\n", "t:2: not valid UTF-8"},
		{"\xff\xfe"
		 "a\0:\0",
		 "t:1: not valid UTF-8"},
		{"a: \x01\n", "t:1:4: control characters are not allowed"},
		{"%YAML 2.0\n---\na\n", "t:1:1: found incompatible YAML document"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct yaml_file f = {0};
		struct error err = {0};

		cr_expect_eq(yaml_parse(span_of(rows[i].text), "t", &f, &err), -1, "%s", rows[i].text);
		cr_expect_eq(err.code, ERR_INPUT);
		cr_expect_str_eq(err.msg, rows[i].message);
		cr_expect_null(f.documents, "a failed parse must leave *out alone");
	}
}

Test(yaml_read, a_message_never_quotes_a_value)
{
	static const char *const texts[] = {
		"password: 'hunter2\n",      "password: hunter2: x\n",     "password: [hunter2\n",
		"password: !!int hunter2\n", "password: \"hunter2\\q\"\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct yaml_file f = {0};
		struct error err = {0};

		cr_expect_eq(yaml_parse(span_of(texts[i]), "t", &f, &err), -1);
		cr_expect_null(strstr(err.msg, "hunter2"), "%s", err.msg);
	}
}

Test(yaml_read, marks)
{
	static const char text[] = "a:\n  b: 1\n  c: [x,\n    y]\n---\n- p\n- {q: 1}\n";
	AUTO(yaml_file) struct yaml_file f = {0};
	struct error err = {0};
	struct doc_mark m;
	AUTO_FREE char *place = NULL;
	AUTO_FREE char *unknown = NULL;

	cr_assert_eq(yaml_parse(span_of(text), "t", &f, &err), 0);
	cr_assert(doc_mark_of(f.marks, doc_get(f.documents[0], "a"), "c", 0, &m));
	cr_expect(m.line == 3 && m.column == 3);
	cr_assert(doc_mark_of(f.marks, doc_get(f.documents[0], "a.c"), NULL, 1, &m));
	cr_expect(m.line == 4 && m.column == 5);
	cr_assert(doc_mark_of(f.marks, NULL, NULL, 1, &m));
	cr_expect(m.line == 6 && m.column == 1);
	cr_expect_not(doc_mark_of(f.marks, doc_get(f.documents[0], "a"), "zz", 0, &m));
	cr_expect_not(doc_mark_of(f.marks, doc_get(f.documents[0], "a.c"), NULL, 2, &m));
	cr_expect_not(doc_mark_of(NULL, f.documents[0], "a", 0, &m));
	place = doc_where(f.marks, "t", f.documents[1], NULL, 1);
	cr_expect_str_eq(place, "t:7:3");
	unknown = doc_where(f.marks, "t", f.documents[1], "none", 0);
	cr_expect_str_eq(unknown, "t");
}

Test(yaml_read, aliases_are_copies_that_keep_their_marks)
{
	AUTO(yaml_file) struct yaml_file f = {0};
	struct error err = {0};
	struct doc_mark m;
	json_t *b;

	cr_assert_eq(yaml_parse(span_of("a: &a\n  x: {k: 1}\nb: *a\nc: {<<: *a}\nd: &d text\ne: *d\n"),
							"t", &f, &err),
				 0);
	cr_expect_neq(doc_get(f.documents[0], "d"), doc_get(f.documents[0], "e"));
	b = doc_get(f.documents[0], "b.x");
	cr_expect_neq(b, doc_get(f.documents[0], "a.x"));
	cr_expect_neq(b, doc_get(f.documents[0], "c.x"));
	cr_assert(doc_mark_of(f.marks, b, "k", 0, &m));
	cr_expect_eq(m.line, 2);
	cr_assert(doc_mark_of(f.marks, doc_get(f.documents[0], "c"), "x", 0, &m));
	cr_expect_eq(m.line, 2);
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Refused with this in the message, in bounded time (libyaml alone takes minutes for some). */
static void expect_limit(struct buf *text, const char *message)
{
	struct yaml_file f = {0};
	struct error err = {0};
	double start = cpu_seconds();

	cr_expect_eq(yaml_parse(buf_span(text), "t", &f, &err), -1, "no limit: %s", message);
	cr_expect(strstr(err.msg, message), "%s", err.msg);
	cr_expect(err.hint[0], "%s", err.msg);
	cr_expect_lt(cpu_seconds() - start, 5.0, "%s", message);
	buf_release(text);
}

Test(yaml_read, deep_nesting_ends_at_once)
{
	static const char *const openers[] = {"[", "{", "- ", "? ", "{a: ", "[{a: "};

	for (size_t i = 0; i < ARRAY_LEN(openers); i++) {
		struct buf text = {0};

		for (int n = 0; n < 100000; n++)
			buf_adds(&text, openers[i]);
		expect_limit(&text,
					 i == 1 || i == 3 ? "a key must be text" : "nested deeper than 100 levels");
	}
}

Test(yaml_read, depth_of_exactly_the_cap)
{
	AUTO(buf) struct buf text = {0};
	AUTO(yaml_file) struct yaml_file f = {0};
	struct error err = {0};

	for (int n = 0; n < YAML_MAX_DEPTH; n++)
		buf_addc(&text, '[');
	for (int n = 0; n < YAML_MAX_DEPTH; n++)
		buf_addc(&text, ']');
	cr_expect_eq(yaml_parse(buf_span(&text), "t", &f, &err), 0, "%s", err.msg);
}

Test(yaml_read, bombs)
{
	struct buf text = {0};

	buf_adds(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
	for (int level = 1; level <= 9; level++) {
		buf_addf(&text, "a%d: &a%d [", level, level);
		for (int i = 0; i < 9; i++)
			buf_addf(&text, "%s*a%d", i ? ", " : "", level - 1);
		buf_adds(&text, "]\n");
	}
	expect_limit(&text, "aliases expand to too much");

	buf_adds(&text, "a: &a \"");
	for (int i = 0; i < 1000000; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "\"\nb:\n");
	for (int i = 0; i < 100; i++)
		buf_adds(&text, "- *a\n");
	expect_limit(&text, "aliases expand to too much");

	/* each level is 60 deep; together they would be 120 */
	buf_adds(&text, "a: &a ");
	for (int i = 0; i < 60; i++)
		buf_addc(&text, '[');
	for (int i = 0; i < 60; i++)
		buf_addc(&text, ']');
	buf_adds(&text, "\nb: ");
	for (int i = 0; i < 60; i++)
		buf_addc(&text, '[');
	buf_adds(&text, "*a");
	for (int i = 0; i < 60; i++)
		buf_addc(&text, ']');
	expect_limit(&text, "nested too deep by aliases");
}

Test(yaml_read, counts_are_capped)
{
	struct buf text = {0};

	for (int i = 0; i <= YAML_MAX_ANCHORS; i++)
		buf_addf(&text, "- &a%d x\n", i);
	expect_limit(&text, "too many anchors");

	for (int i = 0; i <= YAML_MAX_DOCUMENTS; i++)
		buf_adds(&text, "---\nx\n");
	expect_limit(&text, "too many documents");

	buf_addc(&text, '[');
	for (int i = 0; i <= YAML_MAX_NODES; i++)
		buf_adds(&text, "1,");
	expect_limit(&text, "too many values");

	buf_adds(&text, "a: ");
	for (unsigned i = 0; i <= YAML_MAX_SCALAR; i++)
		buf_addc(&text, 'x');
	expect_limit(&text, "longer than 1 MiB");

	memset(buf_grow(&text, YAML_MAX_BYTES + 1), ' ', YAML_MAX_BYTES + 1);
	text.len = YAML_MAX_BYTES + 1;
	expect_limit(&text, "larger than 16 MiB");
}

/* Aliasing a wide object many times must not search its marks again and again. */
Test(yaml_read, wide_objects_are_copied_in_linear_time)
{
	AUTO(buf) struct buf text = {0};
	AUTO(yaml_file) struct yaml_file f = {0};
	struct error err = {0};
	double start = cpu_seconds();

	buf_adds(&text, "a: &a\n");
	for (int i = 0; i < 100000; i++)
		buf_addf(&text, "  k%d: 1\n", i);
	buf_adds(&text, "b: *a\nc:\n  <<: *a\n");
	cr_assert_eq(yaml_parse(buf_span(&text), "t", &f, &err), 0, "%s", err.msg);
	cr_expect_lt(cpu_seconds() - start, 5.0);
}
