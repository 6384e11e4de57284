/* A URL, and with a newline in it: a reference to resolve against it. What is accepted must read
 * back the same. */
#include "base/auto.h"
#include "base/mem.h"
#include "http/url.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check(const struct url *u)
{
	AUTO_FREE char *text = url_text(u);
	AUTO_FREE char *label = url_label(u);
	AUTO(url) struct url again = {0};
	struct error err = {0};

	/* resolving may make a text longer than parsing takes */
	if (strlen(text) > URL_MAX_BYTES)
		return;
	FUZZ_CHECK(url_parse(text, &again, &err) == 0);
	FUZZ_CHECK(url_same_origin(u, &again) && strcmp(u->path, again.path) == 0);
	FUZZ_CHECK(url_reach(u) == url_reach(&again));
	FUZZ_CHECK(!strchr(label, '?'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = xstrndup((const char *)data, size);
	char *reference = strchr(text, '\n');
	AUTO(url) struct url base = {0};
	AUTO(url) struct url u = {0};
	struct error err = {0};

	if (reference)
		*reference++ = '\0';
	if (url_parse(text, &base, &err) < 0)
		return 0;
	check(&base);
	if (reference && url_resolve(&base, reference, &u, &err) == 0)
		check(&u);
	return 0;
}
