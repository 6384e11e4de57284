/* dpkg's database and copyright files of any content: packages, paths and licences, or none; never
 * a name outside of what was read, never an SPDX expression of other characters than such have. */
#include "base/auto.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* no byte behind the end is anybody's to read */
	AUTO_FREE char *copy = malloc(size ? size : 1);
	struct span all = {copy, size};
	struct span rest = all;
	AUTO(license) struct license license = {0};

	memcpy(copy, data, size);
	for (struct span p = {0}; deb822_next(&rest, &p);)
		check_paragraph(p);
	dpkg_each_path(all, check_path, &all);
	license_read(all, &license);
	FUZZ_CHECK(!license.spdx || license.names);
	if (license.spdx)
		FUZZ_CHECK(license.spdx[0] &&
				   strspn(license.spdx,
						  "abcdefghijklmnopqrstuvwxyz"
						  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-+ ()") == strlen(license.spdx));
	return 0;
}
