/* file.h - what the dynamic loader would read of an ELF file: header, program headers, dynamic
 * section, notes. Both classes, both byte orders.
 *
 * Read with pread only, so a file that shrinks meanwhile is an error and no signal. Nothing is
 * believed: every offset is checked against the file's size before it is used, every loop has a
 * bound from this header. Section headers are not read; only that their table ends within the
 * file is checked, which is how a truncated file is told from a whole one. (System V gABI,
 * chapters 4 and 5; ELF-64 object file format.) */
#pragma once

#include "base/error.h"
#include "base/strv.h"

#include <stdbool.h>
#include <stdint.h>

#define ELF_MAX_PROGRAM_HEADERS 4096
#define ELF_MAX_NEEDED 4096
#define ELF_MAX_DYNAMIC_BYTES (1u << 20)
#define ELF_MAX_NOTE_BYTES (64u << 10)
#define ELF_MAX_TEXT 65536 /* one name or run path */
#define ELF_MAX_BUILD_ID 64

enum elf_type {
	ELF_RELOCATABLE = 1,
	ELF_EXECUTABLE = 2, /* fixed address */
	ELF_SHARED = 3,     /* a library, or a position independent executable */
	ELF_CORE = 4,
};

struct elf_file {
	bool is_64;
	bool is_big_endian;
	enum elf_type type;
	uint16_t machine;  /* EM_* of the gABI */
	char *interpreter; /* PT_INTERP as written, or NULL */
	bool is_dynamic;   /* has a dynamic section */
	struct strv needed;
	char *soname; /* NULL when there is none; so for the next two */
	char *rpath;  /* NULL too when there is a runpath: the loader then ignores it */
	char *runpath;
	bool no_default_lib; /* DF_1_NODEFLIB */
	/* hardening */
	bool is_pie;
	bool has_relro;
	bool binds_now;
	bool has_nx_stack;
	uint8_t build_id[ELF_MAX_BUILD_ID];
	size_t build_id_len; /* 0: none */
};

void elf_file_release(struct elf_file *f);

/* Does a regular file start with the ELF magic? Anything unreadable or shorter is none. */
bool elf_is_elf(const char *path);

/* Read a file. name is what messages call it. ERR_INPUT: no ELF file, truncated, malformed,
 * beyond a limit; ERR_MISSING, ERR_DENIED, ERR_SYS from the system. */
int elf_file_read_fd(int fd, const char *name, struct elf_file *out, struct error *err);
int elf_file_read(const char *path, struct elf_file *out, struct error *err);

/* The machine as OCI images name architectures ("amd64", "arm64"), or NULL for one that has no
 * name there. */
const char *elf_arch(const struct elf_file *f);
/* May b be loaded into a process of a: same class, byte order and machine? */
bool elf_is_compatible(const struct elf_file *a, const struct elf_file *b);
