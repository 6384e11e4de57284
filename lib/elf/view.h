/* view.h - the file system as a program will see it: the files of a root folder, with some files
 * of this machine laid over it, and perhaps a second root for what the first one lacks.
 *
 * Paths are resolved by hand, so that a link in root leads to another place in root, never out of
 * it, and so that each link on the way is known: an image needs them too. */
#pragma once

#include "base/error.h"
#include "base/map.h"
#include "base/strv.h"

#define ELF_VIEW_MAX_LINKS 40 /* as Linux has it */

struct elf_view {
	const char *root;       /* "" is this machine's own root */
	const char *fallback;   /* a second root: Debian's "/usr/aarch64-linux-gnu"; NULL: none */
	const struct map *over; /* absolute path -> char *, the file on this machine; NULL: none */
};

/* Where a path led. */
struct elf_place {
	char *path;        /* absolute, clean, free of links */
	char *file;        /* what to open on this machine */
	struct strv links; /* pairs, in order of meeting: a link's own path, its target as written */
};

void elf_place_release(struct elf_place *p);

/* Follow an absolute path to a regular file, in the first root that has it. 1: *out is filled; 0:
 * there is no such file; -1: links in a circle (ERR_INPUT), not readable. */
int elf_view_find(const struct elf_view *view, const char *path, struct elf_place *out,
				  struct error *err);
/* The same in one root only: 0 is the root, 1 the fallback. */
#define ELF_VIEW_ROOTS 2
int elf_view_find_in(const struct elf_view *view, unsigned nth, const char *path,
					 struct elf_place *out, struct error *err);
/* An absolute path without "//", "." and ".." components, by its text alone. Caller frees. */
char *elf_clean_path(const char *path);
