/* closure.h - which shared libraries programs load, found as glibc's loader finds them
 * (ld.so(8)).
 *
 * Breadth first from each program, as the loader does, since the first who asks for a name
 * decides where it comes from. A run path of kind DT_RPATH counts for everything loaded on behalf
 * of its file, DT_RUNPATH for its file's own needs only. LD_LIBRARY_PATH, LD_PRELOAD and
 * libraries for certain processors only (glibc-hwcaps) play no part: they belong to one machine.
 * musl's loader is served too: its own names, its path file. */
#pragma once

#include "elf/file.h"
#include "elf/view.h"

#include <stddef.h>

enum elf_found_by {
	ELF_FOUND_GIVEN,       /* a program that was asked about */
	ELF_FOUND_INTERPRETER, /* PT_INTERP */
	ELF_FOUND_PATH,        /* the needed name has a slash */
	ELF_FOUND_RPATH,
	ELF_FOUND_RUNPATH,
	ELF_FOUND_CACHE,   /* ld.so.cache, or ld.so.conf where there is no cache */
	ELF_FOUND_DEFAULT, /* the folders that every loader looks into */
};

struct elf_object {
	char *opened; /* the path that the loader opens: what the image must have */
	struct elf_place place;
	struct elf_file elf;
	enum elf_found_by how;
	char *name;      /* the name that was asked for: "libz.so.1" */
	char *needed_by; /* `opened` of the first that asked; NULL for ELF_FOUND_GIVEN */
};

struct elf_closure {
	struct elf_object *items; /* of each program: itself, its loader, then in order of loading; an
								 opened path once */
	size_t count;
};

void elf_closure_release(struct elf_closure *c);

/* programs: absolute paths within the view. ERR_MISSING: "/usr/bin/a needs libz.so.1, which is
 * not here"; the library's name is also put into missing[] when that is not NULL. ERR_INPUT: a
 * broken or foreign file, more than ELF_MAX_NEEDED libraries. */
#define ELF_NAME_MAX 256
int elf_closure_find(const struct elf_view *view, const struct strv *programs,
					 char missing[ELF_NAME_MAX], struct elf_closure *out, struct error *err);

/* "interpreter", "runpath" ... */
const char *elf_found_by_name(enum elf_found_by how);

/* The folders that the loader of such a file looks into by itself, in order. */
void elf_default_dirs(const struct elf_view *view, const struct elf_file *f, struct strv *out);
