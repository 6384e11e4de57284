/* make.h - small ELF files for the tests, made byte by byte. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

struct made_need {
	const char *file, *version;
	bool is_weak;
};

/* A dynamic file: one PT_LOAD over everything, PT_DYNAMIC, perhaps PT_INTERP and PT_NOTE. */
struct made {
	const char *interpreter; /* NULL: a library */
	const char *soname, *rpath, *runpath;
	const char *needed[8];
	uint16_t machine; /* 0: EM_X86_64 */
	uint64_t flags_1;
	bool is_32, is_big_endian;
	struct made_need needs[4]; /* of one file one after the other */
	const char *versions[4];   /* that it defines; its own name comes by itself */
	const char *imports[4];    /* functions; "?NAME" is a weak reference */
	const char *dlopens[4];    /* contents of .note.dlopen, one a note */
	enum {
		MADE_GNU_HASH,
		MADE_EMPTY_GNU_HASH, /* as linkers write it of programs, which export nothing */
		MADE_OLD_HASH,
	} hash;
};

/* Where the parts are, for tests that damage them. */
struct made_at {
	size_t program_headers, dynamic, strings, needs, versions;
};

void make_elf(const struct made *m, struct buf *out, struct made_at *at);
/* Write bytes to dir/path, making folders. */
void put_file(const char *dir, const char *path, const void *data, size_t len);
void put_elf(const char *dir, const char *path, const struct made *m);
