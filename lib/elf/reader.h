/* reader.h - what the rooms of lib/elf share while one file is read (file.h is the contract).
 *
 * Nothing here trusts the file: an offset is only read from after it was checked, either by
 * elf_is_within or because it came out of elf_to_offset together with how many bytes follow. */
#pragma once

#include "elf/file.h"

#include <stddef.h>

struct elf_reader {
	int fd;
	const char *name; /* for messages */
	uint64_t size;
	struct elf_file *f; /* what is filled */
	uint64_t ph_offset;
	unsigned ph_count;
	unsigned char *headers; /* ph_count program headers as they lie in the file */
};

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, address, file_size, memory_size, align;
};

/* The dynamic section and the tables that it leads to. */
struct elf_dynamic {
	unsigned char *data;
	size_t count;
	unsigned entry;
	uint64_t strings, strings_size; /* in the file */
	uint64_t strings_address;
	uint64_t needs, need_count; /* addresses; 0: there is none */
	uint64_t defs, def_count;
	uint64_t symbols, hash, gnu_hash;
};

/* A number of 1 to 8 bytes in the file's byte order. */
uint64_t elf_get(const struct elf_reader *r, const unsigned char *p, unsigned width);
/* The field at its offset in the 32-bit or the 64-bit form; words grow from 4 to 8 bytes. */
uint64_t elf_get_word(const struct elf_reader *r, const unsigned char *p, unsigned at_32,
					  unsigned at_64);
bool elf_is_within(const struct elf_reader *r, uint64_t offset, uint64_t len);
/* Where in the file `address` lies, and how many bytes of its segment follow there. */
bool elf_to_offset(const struct elf_reader *r, uint64_t address, uint64_t *offset, uint64_t *left);
int elf_read_at(const struct elf_reader *r, uint64_t offset, void *out, size_t len,
				struct error *err);
/* NUL-terminated text in [offset, offset + left), ELF_MAX_TEXT bytes at most. what is for the
 * message: "its soname". */
int elf_read_text(const struct elf_reader *r, uint64_t offset, uint64_t left, const char *what,
				  char **out, struct error *err);
/* The same at a place in the string table. */
int elf_read_string(const struct elf_reader *r, const struct elf_dynamic *d, uint64_t at,
					const char *what, char **out, struct error *err);

/* dynamic.c: the dynamic section, and by it versions and imports */
int elf_read_dynamic(const struct elf_reader *r, const struct elf_segment *s, struct error *err);
/* versions.c */
int elf_read_versions(const struct elf_reader *r, const struct elf_dynamic *d, struct error *err);
/* imports.c */
int elf_read_imports(const struct elf_reader *r, const struct elf_dynamic *d, struct error *err);
/* notes.c: build-id, .note.dlopen; the caller has seen to ELF_MAX_NOTE_BYTES */
int elf_read_notes(const struct elf_reader *r, const struct elf_segment *s, struct error *err);
