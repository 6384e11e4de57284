/* A reference that parses is written as text that parses to the same reference, and holds nothing
 * that a URL or a path would take for something else. */
#include "base/auto.h"
#include "base/mem.h"
#include "oci/ref.h"
#include "tests/fuzz/fuzz.h"

#include <ctype.h>
#include <string.h>

static int same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void check_name(const char *name)
{
	FUZZ_CHECK(name[0] && name[0] != '/' && !strstr(name, "..") && !strstr(name, "//"));
	for (const char *p = name; *p; p++)
		FUZZ_CHECK(islower((unsigned char)*p) || isdigit((unsigned char)*p) || strchr("._-/", *p));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = xstrndup((const char *)data, size);
	AUTO_FREE char *back = NULL;
	AUTO(oci_ref) struct oci_ref ref = {0};
	AUTO(oci_ref) struct oci_ref again = {0};
	struct error err = {0};

	if (oci_ref_parse(text, &ref, &err) < 0) {
		FUZZ_CHECK(err.code == ERR_INPUT && err.msg[0] && !ref.name);
		return 0;
	}
	FUZZ_CHECK(strlen(ref.name) <= OCI_REF_MAX_NAME);
	check_name(ref.name);
	FUZZ_CHECK(!ref.tag || oci_is_tag(ref.tag));
	FUZZ_CHECK(!ref.host || !strpbrk(ref.host, "/%@ \t\r\n"));
	back = oci_ref_text(&ref);
	FUZZ_CHECK(oci_ref_parse(back, &again, &err) == 0);
	FUZZ_CHECK(same(ref.host, again.host) && same(ref.name, again.name) &&
			   same(ref.tag, again.tag) && same(ref.digest, again.digest));
	return 0;
}
