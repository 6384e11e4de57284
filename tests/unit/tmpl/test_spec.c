/* The required modules of the official Mustache specification: every case, see spec/README.md. */
#include "base/auto.h"
#include "base/fs.h"
#include "tmpl/tmpl.h"

#include <criterion/criterion.h>
#include <string.h>

#define SPEC_DIR "tests/unit/tmpl/spec"

static const char *partial(void *user, const char *name)
{
	return json_string_value(json_object_get(user, name));
}

static void run_case(const char *module, const json_t *c)
{
	struct tmpl_options options = {
		.name = "t",
		.escape = TMPL_ESCAPE_HTML,
		.lenient = true,
		.open = "{{",
		.close = "}}",
		.partial = partial,
		.user = json_object_get(c, "partials"),
	};
	const char *name = doc_text(c, "name", "?");
	const char *expected = doc_text(c, "expected", NULL);
	AUTO(buf) struct buf out = {0};
	struct error err = {0};

	cr_assert_eq(tmpl_render(span_of(doc_text(c, "template", "")), json_object_get(c, "data"),
							 &options, &out, &err),
				 0, "%s: %s: %s", module, name, err.msg);
	cr_expect_str_eq(buf_str(&out), expected, "%s: %s: \"%s\", not \"%s\"", module, name,
					 buf_str(&out), expected);
}

Test(mustache_spec, all_required_modules)
{
	static const char *const modules[] = {"comments", "delimiters", "interpolation",
										  "inverted", "partials",   "sections"};
	size_t count = 0;

	for (size_t m = 0; m < ARRAY_LEN(modules); m++) {
		char path[256];
		AUTO(buf) struct buf text = {0};
		AUTO_JSON json_t *doc = NULL;
		struct error err = {0};
		const json_t *c;
		size_t i;

		snprintf(path, sizeof(path), SPEC_DIR "/%s.json", modules[m]);
		cr_assert_eq(fs_read(path, 1 << 20, &text, &err), 0, "%s", err.msg);
		cr_assert_eq(doc_json_parse(buf_span(&text), path, &doc, &err), 0, "%s", err.msg);
		json_array_foreach(json_object_get(doc, "tests"), i, c)
		{
			run_case(modules[m], c);
			count++;
		}
	}
	cr_expect_eq(count, 136);
}
