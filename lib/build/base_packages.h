/* base_packages.h - which packages a base image says it has: dpkg's status, the files of status.d
 * that images without dpkg have instead, or apk's database, read from its layers.
 *
 * A manifest's digest says it all, so the answer is remembered by it and layers are read once. */
#pragma once

#include "build/private.h"
#include "supply/sbom.h"

#define BASE_PACKAGES_MAX 20000
#define BASE_PACKAGES_MAX_COPYRIGHTS 20000

struct base_packages {
	struct sbom_package *items; /* with in_base; in the order of the database */
	size_t count;
};

void base_packages_release(struct base_packages *p);

/* None without a base, and of a base that has no database. ERR_INPUT: a database beyond the caps, a
 * damaged layer; ERR_SYS; ERR_INTERRUPTED. */
int base_packages_find(const struct build *b, struct base_packages *out, struct error *err);
