/* dpkg's and apk's databases and copyright files of any content: packages, paths and licences, or
 * none; never a name outside of what was read, never an SPDX expression of other characters than
 * such have. */
#include "base/auto.h"
#include "supply/apk.h"
#include "supply/deb822.h"
#include "supply/dpkg.h"
#include "supply/license.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check_path(void *user, struct span path)
{
	const struct span *all = user;

	FUZZ_CHECK(path.data >= all->data && path.data + path.len <= all->data + all->len);
	FUZZ_CHECK(path.len > 0 && path.data[0] == '/' && !memchr(path.data, '\n', path.len));
}

static void check_paragraph(struct span p)
{
	AUTO(dpkg_package) struct dpkg_package package = {0};

	FUZZ_CHECK(p.len > 0);
	if (!dpkg_read_package(p, &package)) {
		FUZZ_CHECK(!package.name);
		return;
	}
	FUZZ_CHECK(package.name && package.arch && package.version && package.source);
	FUZZ_CHECK(!strchr(package.version, '\n'));
}

static void check_apk(void *user, const struct dpkg_package *package, const struct strv *files)
{
	const struct span *all = user;

	FUZZ_CHECK(package->name && package->arch && package->version && package->source);
	FUZZ_CHECK(package->name[0] && package->version[0]);
	for (size_t i = 0; i < files->count; i++)
		FUZZ_CHECK(strlen(files->items[i]) <= all->len && !strchr(files->items[i], '\n'));
}

/* What is taken for an expression has the characters of one, and balanced parentheses. */
static void check_expression(const char *text)
{
	struct error err = {0};
	int depth = 0;

	if (license_check(text, &err) < 0) {
		FUZZ_CHECK(err.code == ERR_INPUT && err.hint[0]);
		return;
	}
	FUZZ_CHECK(strspn(text, "abcdefghijklmnopqrstuvwxyz"
							"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-+: ()\t") == strlen(text));
	for (const char *p = text; *p; p++) {
		depth += (*p == '(') - (*p == ')');
		FUZZ_CHECK(depth >= 0);
	}
	FUZZ_CHECK(depth == 0 && text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* no byte behind the end is anybody's to read */
	AUTO_FREE char *copy = malloc(size ? size : 1);
	AUTO_FREE char *text = strndup((const char *)data, size);
	struct span all = {copy, size};
	struct span rest = all;
	AUTO(license) struct license license = {0};

	memcpy(copy, data, size);
	for (struct span p = {0}; deb822_next(&rest, &p);)
		check_paragraph(p);
	dpkg_each_path(all, check_path, &all);
	apk_each_package(all, check_apk, &all);
	check_expression(text);
	license_read(all, &license);
	FUZZ_CHECK(!license.spdx || license.names);
	if (license.spdx)
		FUZZ_CHECK(license.spdx[0] &&
				   strspn(license.spdx,
						  "abcdefghijklmnopqrstuvwxyz"
						  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-+ ()") == strlen(license.spdx));
	return 0;
}
