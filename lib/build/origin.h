/* origin.h - which package each file of an image is from that is not the project's own.
 *
 * Files come from roots: this machine's, and that of a sysroot or a toolchain image. A root with a
 * database of packages (dpkg's or apk's) answers for its own files, and so does an image whether it
 * has one or not; a folder without one, such as /usr/aarch64-linux-gnu, belongs to this machine's
 * packages. */
#pragma once

#include "build/private.h"
#include "supply/dpkg.h"
#include "supply/sbom.h"

#define ORIGIN_MAX_ROOTS 3

/* Where a file's row is among the paths of its root. */
struct origin_file {
	size_t root;
	size_t path;
};

struct origin_root {
	char *root; /* "", or a folder */
	bool is_apk;
	struct strv paths; /* as its packages know them */
	struct dpkg_owners owners;
	char *distro_id; /* of os-release(5); NULL: not known */
	char *distro;
};

struct origins {
	struct origin_root roots[ORIGIN_MAX_ROOTS];
	size_t count;
};

void origins_release(struct origins *o);

/* The roots of a build; nothing but stats. */
void origins_init(const struct build *b, struct origins *o);
/* Ask about a file of this machine, later. */
struct origin_file origins_add(struct origins *o, const char *file);
/* A text that changes whenever packages of a root do; stats only. Caller frees. */
char *origins_stamp(const struct origins *o);
/* Read the databases. ERR_SYS, ERR_DENIED, ERR_INPUT. */
int origins_find(const struct build *b, struct origins *o, struct error *err);
/* The package of a file, NULL: none has it. Borrowed. */
const struct dpkg_package *origins_owner(const struct origins *o, struct origin_file f);
/* The same as a row of an SBOM; the caller's. */
struct sbom_package origins_row(const struct origin_root *root, const struct dpkg_package *p);
/* "debian" and "debian-12" from the text of an os-release file; both may stay NULL. */
void origins_read_distro(const struct buf *text, char **id, char **distro);
