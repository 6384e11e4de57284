#include "tmpl/tmpl.h"

#include "base/auto.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <string.h>

static json_t *sample(void)
{
	return json_pack("{s:s,s:i,s:b,s:s,s:s,s:[s,s],s:{s:s},s:s}", "name", "orders", "port", 8080,
					 "on", 1, "tricky",
					 "a\"b\\c'd$e\n<%name%>*/?"
					 "?=",
					 "empty", "", "list", "x", "y", "o", "k", "v", "esc", "\033[31m");
}

static const char *partial(void *user, const char *name)
{
	(void)user;
	if (strcmp(name, "loop") == 0)
		return "<%>loop%>";
	if (strcmp(name, "twice") == 0)
		return "<%>twice%><%>twice%>";
	return strcmp(name, "p") == 0 ? "[<% name %>]" : NULL;
}

static int render(const char *text, enum tmpl_escape escape, struct buf *out, struct error *err)
{
	AUTO_JSON json_t *data = sample();
	struct tmpl_options options = {.name = "t", .escape = escape, .partial = partial};

	return tmpl_render(span_of(text), data, &options, out, err);
}

Test(tmpl, renders)
{
	static const struct {
		const char *text, *result;
	} rows[] = {
		{"", ""},
		{"plain {{ }} ${x} @x@\n", "plain {{ }} ${x} @x@\n"},
		{"<% name %>:<%port%>:<% on %>", "orders:8080:true"},
		{"<% o.k %>", "v"},
		{"<%# list %><% . %>,<%/ list %>", "x,y,"},
		{"a\n<%# on %>\nb\n<%/ on %>\nc\n", "a\nb\nc\n"},
		{"<%^ empty %>none<%/ empty %><%# empty %>some<%/ empty %>", "none"},
		{"<%! nothing %>x", "x"},
		{"<%> p %>", "[orders]"},
		{"<%={{ }}=%>{{ name }} <% name %>", "orders <% name %>"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(buf) struct buf out = {0};
		struct error err = {0};

		cr_assert_eq(render(rows[i].text, TMPL_ESCAPE_RAW, &out, &err), 0, "%s: %s", rows[i].text,
					 err.msg);
		cr_expect_str_eq(buf_str(&out), rows[i].result);
	}
}

Test(tmpl, refusals)
{
	static const struct {
		const char *text, *message, *hint;
	} rows[] = {
		{"a\n  <% nam %>", "t:2:3: unknown variable 'nam'", "did you mean 'name'?"},
		{"<%# lst %><%/ lst %>", "t:1:1: unknown variable 'lst'", "did you mean 'list'?"},
		{"<% o.x %>", "t:1:1: unknown variable 'o.x'", ""},
		{"<% o %>", "t:1:1: not text, but an object or array: 'o'", ""},
		{"<% name", "t:1:1: this tag is not closed by '%>'", ""},
		{"<%# on %>", "t:1:1: 'on' is not closed", ""},
		{"<%/ on %>", "t:1:1: 'on' is closed but was not opened", ""},
		{"<%# on %>\n<%/ list %>", "t:2:1: 'list' is closed where 'on' is open", ""},
		{"<% %>", "t:1:1: a tag without a name", ""},
		{"<% a b %>", "t:1:1: 'a b' is not a name", ""},
		{"<% a+b %>", "t:1:1: 'a+b' is not a name", ""},
		{"<% name | upper %>", "t:1:1: no escaper named 'upper'",
		 "there are c, json, yaml, sh, make, md, html, comment, raw"},
		{"<%= x =%>", "t:1:1: two delimiters are expected here", ""},
		{"<%= a b c =%>", "t:1:1: two delimiters are expected here", ""},
		{"<%> none %>", "t:1:1: no partial named 'none'", ""},
		{"<%> loop %>", "loop:1:1: partials nested too deep: 'loop'", ""},
		{"<%> twice %>", "twice:1:1: partials nested too deep: 'twice'", ""},
		{"<% esc %>", "t:1:1: the value of 'esc' has control characters", ""},
		{"<% tricky %>", "t:1:1: the value of 'tricky' has control characters", ""},
		{"\xff", "t: not valid UTF-8", "a file that is no text must not be a template"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(buf) struct buf out = {0};
		struct error err = {0};

		buf_adds(&out, "kept");
		cr_expect_eq(render(rows[i].text, TMPL_ESCAPE_RAW, &out, &err), -1, "%s", rows[i].text);
		cr_expect_eq(err.code, ERR_INPUT);
		cr_expect_str_eq(err.msg, rows[i].message);
		cr_expect_str_eq(err.hint, rows[i].hint);
		cr_expect_str_eq(buf_str(&out), "kept", "a failed rendering must leave *out alone");
	}
}

Test(tmpl, escapers)
{
	static const struct {
		const char *tag, *result;
	} rows[] = {
		{"<% tricky | c %>", "a\\\"b\\\\c'd$e\\n<%name%>*/?\\?="},
		{"<% tricky | json %>", "a\\\"b\\\\c'd$e\\u000a<%name%>*/?"
								"?="},
		{"<% tricky | yaml %>", "a\\\"b\\\\c'd$e\\u000a<%name%>*/?"
								"?="},
		{"<% tricky | sh %>", "a\"b\\c'\\''d$e\n<%name%>*/?"
							  "?="},
		{"<% tricky | html %>", "a&quot;b\\c&#39;d$e\n&lt;%name%&gt;*/?"
								"?="},
		{"<% tricky | comment %>", "a\"b\\c'd$e <%name%>* /?"
								   "?="},
		{"<% tricky | raw %>", "a\"b\\c'd$e\n<%name%>*/?"
							   "?="},
		{"<%& tricky %>", "a\"b\\c'd$e\n<%name%>*/?"
						  "?="},
		{"<%{ tricky }%>", "a\"b\\c'd$e\n<%name%>*/?"
						   "?="},
		{"<% tricky | make %>", NULL},
		{"<% tricky | md %>", NULL},
		{"<% esc | raw %>", NULL},
		{"<% esc | c %>", "\\033[31m"},
		{"<% name | make %>", "orders"},
		{"<% o.k | md %>", "v"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(buf) struct buf out = {0};
		struct error err = {0};

		cr_expect_eq(render(rows[i].tag, TMPL_ESCAPE_RAW, &out, &err), rows[i].result ? 0 : -1,
					 "%s", rows[i].tag);
		if (rows[i].result)
			cr_expect_str_eq(buf_str(&out), rows[i].result);
	}
}

Test(tmpl, escaped_single_characters)
{
	static const struct {
		enum tmpl_escape escape;
		const char *value, *result;
	} rows[] = {
		{TMPL_ESCAPE_MARKDOWN, "a_b*c`d[e]<f>|&", "a\\_b\\*c\\`d\\[e\\]\\<f\\>\\|\\&"},
		{TMPL_ESCAPE_MARKDOWN, "# no heading", "\\# no heading"},
		{TMPL_ESCAPE_MARKDOWN, "a-b.c", "a-b.c"},
		{TMPL_ESCAPE_MAKE, "a/b-c_d.e:1=2@3,4+5", "a/b-c_d.e:1=2@3,4+5"},
		{TMPL_ESCAPE_MAKE, "$(shell id)", NULL},
		{TMPL_ESCAPE_MAKE, "a b", NULL},
		{TMPL_ESCAPE_MAKE, "a#b", NULL},
		{TMPL_ESCAPE_MAKE, "a;b", NULL},
		{TMPL_ESCAPE_COMMENT, "a */ b /* c --> d", "a * / b / * c - -> d"},
		{TMPL_ESCAPE_COMMENT, "a\nb", "a b"},
		{TMPL_ESCAPE_COMMENT, "a\\", NULL},
		{TMPL_ESCAPE_YAML, "\xc2\x85\xe2\x80\xa8\xef\xbb\xbf\x7f", "\\u0085\\u2028\\ufeff\\u007f"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_JSON json_t *data = json_pack("{s:s}", "v", rows[i].value);
		struct tmpl_options options = {.name = "t", .escape = rows[i].escape};
		AUTO(buf) struct buf out = {0};
		struct error err = {0};

		cr_expect_eq(tmpl_render(span_of("<% v %>"), data, &options, &out, &err),
					 rows[i].result ? 0 : -1, "%s", rows[i].value);
		cr_expect_str_eq(buf_str(&out), rows[i].result ? rows[i].result : "");
	}
}

Test(tmpl, escaper_by_file_name)
{
	static const struct {
		const char *name;
		enum tmpl_escape escape;
	} rows[] = {
		{"src/main.c", TMPL_ESCAPE_C},    {"a.h", TMPL_ESCAPE_C},
		{"msctl.yaml", TMPL_ESCAPE_YAML}, {".gitlab-ci.yml", TMPL_ESCAPE_YAML},
		{"x.json", TMPL_ESCAPE_JSON},     {"sub/Makefile", TMPL_ESCAPE_MAKE},
		{"rules.mk", TMPL_ESCAPE_MAKE},   {"README.md", TMPL_ESCAPE_MARKDOWN},
		{"run.sh", TMPL_ESCAPE_SH},       {"index.html", TMPL_ESCAPE_HTML},
		{"Dockerfile", TMPL_ESCAPE_RAW},  {"x", TMPL_ESCAPE_RAW},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(tmpl_escape_for(rows[i].name), rows[i].escape, "%s", rows[i].name);
}

/* Whatever a template says, rendering ends. */
Test(tmpl, always_ends)
{
	AUTO_JSON json_t *data = json_object();
	AUTO_JSON json_t *wide = json_array();
	AUTO(buf) struct buf text = {0};
	AUTO(buf) struct buf out = {0};
	struct tmpl_options options = {.name = "t"};
	struct error err = {0};

	for (int i = 0; i < 100; i++)
		json_array_append_new(wide, json_integer(i));
	json_object_set(data, "w", wide);
	for (int i = 0; i < TMPL_MAX_DEPTH; i++)
		buf_adds(&text, "<%#w%>");
	for (int i = 0; i < TMPL_MAX_DEPTH; i++)
		buf_adds(&text, "<%/w%>");
	cr_expect_eq(tmpl_render(buf_span(&text), data, &options, &out, &err), -1);
	cr_expect(strstr(err.msg, "too much to render"), "%s", err.msg);

	buf_cut(&text, 0);
	buf_adds(&text, "<%#w%><%#w%>");
	for (int i = 0; i < 100000; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "<%/w%><%/w%>");
	cr_expect_eq(tmpl_render(buf_span(&text), data, &options, &out, &err), -1);
	cr_expect(strstr(err.msg, "16 MiB come out"), "%s", err.msg);

	buf_cut(&text, 0);
	for (int i = 0; i <= TMPL_MAX_DEPTH; i++)
		buf_adds(&text, "<%#w%>");
	cr_expect_eq(tmpl_render(buf_span(&text), data, &options, &out, &err), -1);
	cr_expect(strstr(err.msg, "nested deeper than 32 levels"), "%s", err.msg);
	cr_expect_eq(out.len, 0);
}
