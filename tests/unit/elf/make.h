/* make.h - small ELF files for the tests, made byte by byte. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

/* A dynamic 64-bit little-endian file: one PT_LOAD over everything, PT_DYNAMIC, perhaps
 * PT_INTERP. */
struct made {
	const char *interpreter; /* NULL: a library */
	const char *soname, *rpath, *runpath;
	const char *needed[8];
	uint16_t machine; /* 0: EM_X86_64 */
	uint64_t flags_1;
};

/* Where the parts are, for tests that damage them. */
struct made_at {
	size_t program_headers, dynamic, strings;
};

void make_elf(const struct made *m, struct buf *out, struct made_at *at);
/* Write bytes to dir/path, making folders. */
void put_file(const char *dir, const char *path, const void *data, size_t len);
void put_elf(const char *dir, const char *path, const struct made *m);
