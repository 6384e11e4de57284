/* closure.h - which shared libraries programs load, found as glibc's loader finds them
 * (ld.so(8)).
 *
 * Breadth first from each program, as the loader does, since the first who asks for a name
 * decides where it comes from. A run path of kind DT_RPATH counts for everything loaded on behalf
 * of its file, DT_RUNPATH for its file's own needs only. LD_LIBRARY_PATH, LD_PRELOAD and
 * libraries for certain processors only (glibc-hwcaps) play no part: they belong to one machine.
 * musl's loader is served too: its own names, its path file.
 *
 * A program opens more when it runs. What its files tell of that (.note.dlopen: all that is
 * required or recommended) is found as dlopen would, after everything else; so is what glibc
 * itself opens: libgcc_s.so.1 to end a thread, and before glibc 2.34 libnss_files and libnss_dns
 * for names of users and hosts. */
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
	ELF_FOUND_IMAGE,   /* not here, but where the programs will run: `elsewhere` says so */
};

enum elf_asked_by {
	ELF_ASKED_START, /* DT_NEEDED, PT_INTERP, or a program that was asked about */
	ELF_ASKED_NOTE,  /* .note.dlopen of needed_by */
	ELF_ASKED_LIBC,  /* the C library opens it when needed_by calls certain functions */
};

struct elf_object {
	char *opened;           /* the path that the loader opens: what the image must have */
	struct elf_place place; /* without file, as elf is empty, for ELF_FOUND_IMAGE */
	struct elf_file elf;
	enum elf_found_by how;
	enum elf_asked_by asked;
	char *name;      /* the name that was asked for: "libz.so.1"; NULL for ELF_FOUND_GIVEN */
	char *needed_by; /* `opened` of the first that asked; NULL for ELF_FOUND_GIVEN */
};

/* Indexes into a closure's items: user asks for provider. */
struct elf_edge {
	size_t user, provider;
};

/* A library that could be opened at run time and that the closure does not have. */
struct elf_absent {
	char *by; /* path of who opens it */
	char *name;
	char *feature;              /* what is lost without it; NULL: nobody says */
	enum elf_priority priority; /* ELF_SUGGESTED: not looked for; ELF_RECOMMENDED: not found */
};

struct elf_closure {
	struct elf_object *items; /* of each program: itself, its loader, then in order of loading; an
								 opened path once */
	size_t count;
	struct elf_edge *edges; /* each once; what the C library opens has none */
	size_t edge_count;
	struct elf_absent *absent;
	size_t absent_count;
};

void elf_closure_release(struct elf_closure *c);

struct elf_closure_request {
	const struct elf_view *view;
	const struct strv *programs; /* absolute paths within the view; libraries, too */
	bool start_only;             /* only what is loaded before main: what "ld.so --list" names */
	/* The path at which the programs will find what is nowhere here: a soname, or the path of a
	 * loader. NULL: nowhere, too. The caller of it frees. May be NULL. */
	char *(*elsewhere)(void *user, const char *name);
	void *user;
};

#define ELF_NAME_MAX 256
#define ELF_MAX_EDGES (1u << 20)

/* ERR_MISSING: "/usr/bin/a needs libz.so.1, which is not here"; the library's name is also put
 * into missing[] when that is not NULL. ERR_INPUT: a broken or foreign file, more than
 * ELF_MAX_NEEDED libraries. A library that is loaded by one of the programs has its needs from
 * there; one that is not is looked at as a program of its own. */
int elf_closure_find(const struct elf_closure_request *request, char missing[ELF_NAME_MAX],
					 struct elf_closure *out, struct error *err);

/* Was it asked for by this name, or is this its soname? So the loader tells what it has loaded. */
bool elf_answers_to(const struct elf_object *o, const char *name);
bool elf_closure_has(const struct elf_closure *c, const char *name);

/* "interpreter", "runpath" ... */
const char *elf_found_by_name(enum elf_found_by how);
/* "needed", "dlopen note", "glibc" */
const char *elf_asked_by_name(enum elf_asked_by asked);

/* The folders that the loader of such a file looks into by itself, in order. */
void elf_default_dirs(const struct elf_view *view, const struct elf_file *f, struct strv *out);
