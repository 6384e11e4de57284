/* A template and its data, separated by a NUL: rendered or refused in bounded time and space, the
 * same each time; a value never becomes a tag. */
#include "base/auto.h"
#include "base/mem.h"
#include "tests/fuzz/fuzz.h"
#include "tmpl/tmpl.h"

#include <string.h>

static const char *partial(void *user, const char *name)
{
	return strcmp(name, "self") == 0 ? user : NULL;
}

static void render(struct span text, const json_t *data, bool lenient)
{
	AUTO_FREE char *self = xstrndup(text.data, text.len);
	AUTO(buf) struct buf first = {0};
	AUTO(buf) struct buf second = {0};
	struct error err = {0};
	struct tmpl_options options = {
		.name = "t", .lenient = lenient, .partial = partial, .user = self};

	options.escape = (enum tmpl_escape)(text.len % (TMPL_ESCAPE_COMMENT + 1));
	if (tmpl_render(text, data, &options, &first, &err) < 0) {
		FUZZ_CHECK(err.code == ERR_INPUT && err.msg[0] && first.len == 0);
		return;
	}
	FUZZ_CHECK(first.len <= TMPL_MAX_OUTPUT + TMPL_MAX_INPUT);
	FUZZ_CHECK(tmpl_render(text, data, &options, &second, &err) == 0);
	FUZZ_CHECK(strcmp(buf_str(&first), buf_str(&second)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
	size_t len = nul ? (size_t)(nul - data) : size;
	struct span text = {(const char *)data, len};
	AUTO_JSON json_t *doc = NULL;
	struct error err = {0};

	if (!nul || doc_json_parse((struct span){(const char *)nul + 1, size - len - 1}, "data", &doc,
							   &err) < 0)
		doc = json_pack("{s:s,s:[i,i],s:{s:b}}", "name", "orders", "list", 1, 2, "o", "k", 1);
	render(text, doc, false);
	render(text, doc, true);
	return 0;
}
