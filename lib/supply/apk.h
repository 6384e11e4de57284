/* apk.h - the same question as dpkg.h asks, of a root whose packages are Alpine's: apk's database
 * of installed packages (lib/apk/db/installed), read directly. */
#pragma once

#include "supply/dpkg.h"

#define APK_MAX_DATABASE_BYTES (64u << 20)

/* Find the owners of absolute paths below root. A root without apk owns nothing. ERR_SYS,
 * ERR_DENIED: the database cannot be read; ERR_INPUT: it is larger than the cap. */
int apk_find_owners(const char *root, const struct strv *paths, struct dpkg_owners *out,
					struct error *err);

/* A text that changes whenever packages are installed or removed; "" without apk. Caller frees. */
char *apk_stamp(const char *root);

/* Call visit for each package of a database, with the paths of its files (without the leading
 * slash). Both are borrowed for the call; a package without name or version is passed over. */
void apk_each_package(struct span database,
					  void (*visit)(void *user, const struct dpkg_package *package,
									const struct strv *files),
					  void *user);
