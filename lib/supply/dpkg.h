/* dpkg.h - which Debian package a file of this machine is from: dpkg's database, read directly.
 *
 * A file is looked for under all its names: as given and with links resolved, each with and without
 * /usr, since Debian merged /bin, /lib and others into /usr while packages still list both. */
#pragma once

#include "base/error.h"
#include "base/span.h"
#include "base/strv.h"

#include <stdbool.h>
#include <stddef.h>

#define DPKG_MAX_STATUS_BYTES (64u << 20)
#define DPKG_MAX_LIST_BYTES (16u << 20)
#define DPKG_MAX_COPYRIGHT_BYTES (4u << 20)

struct dpkg_package {
	char *name;
	char *arch;
	char *version;
	char *source;         /* the source package's name */
	char *maintainer;     /* "Name <address>", or NULL */
	char *license;        /* SPDX expression, or NULL */
	char *license_names;  /* Debian's own words, or NULL */
	char *license_refers; /* what a file that does not say it refers to, or NULL */
};

struct dpkg_owners {
	struct dpkg_package *packages; /* by name and architecture */
	size_t package_count;
	size_t *owners; /* one a path: index of its package, or package_count when nobody owns it */
	size_t path_count;
};

void dpkg_owners_release(struct dpkg_owners *o);

/* Find the owners of absolute paths below root ("" or a folder). A machine without dpkg owns
 * nothing. memory: a file that tells the next search where this one found something; NULL: none.
 * ERR_SYS, ERR_DENIED: the database cannot be read; ERR_INPUT: it is larger than the caps. */
int dpkg_find_owners(const char *root, const char *memory, const struct strv *paths,
					 struct dpkg_owners *out, struct error *err);

/* A text that changes whenever packages are installed or removed; "" without dpkg. Caller frees. */
char *dpkg_stamp(const char *root);

/* Every name under which a package may list a path that was written so. */
void dpkg_aliases(const char *path, struct strv *out);

/* Call visit for each path of a list (info/NAME.list). */
void dpkg_each_path(struct span list, void (*visit)(void *user, struct span path), void *user);

/* Read one paragraph of the status file; false unless it is an installed package. One that does not
 * say its status is: images without dpkg have such in status.d. */
bool dpkg_read_package(struct span paragraph, struct dpkg_package *out);
void dpkg_package_release(struct dpkg_package *p);
