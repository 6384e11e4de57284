/* An auth file of any content: credentials, none, or an error; never a helper that was not named by
 * a plain name, never a secret in a message. */
#include "base/auto.h"
#include "base/fs.h"
#include "conf/creds_private.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check_entry(const json_t *file, const char *host, const char *name)
{
	AUTO(creds) struct creds c = {0};
	struct error err = {0};
	const char *key = NULL;
	const json_t *entry = creds_entry(file, host, name, &key);

	if (!entry)
		return;
	FUZZ_CHECK(key != NULL);
	if (creds_read_entry(entry, "file", &c, &err) < 0) {
		FUZZ_CHECK(err.code == ERR_INPUT && !c.username && !c.password && !c.identity_token);
		return;
	}
	FUZZ_CHECK(c.username && c.password);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_JSON json_t *doc = NULL;
	struct error err = {0};

	if (size > CREDS_MAX_FILE_BYTES ||
		doc_json_parse((struct span){(const char *)data, size}, "file", &doc, &err) < 0 ||
		!json_is_object(doc))
		return 0;
	check_entry(doc, "h.test", NULL);
	check_entry(doc, "h.test", "a/b/c");
	check_entry(doc, "docker.io", "library/x");
	creds_helper_name(doc, "h.test");
	return 0;
}
