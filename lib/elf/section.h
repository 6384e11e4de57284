/* section.h - the sections of an ELF file, for messages that point at a byte (System V gABI,
 * chapter 4, "Sections"). */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define ELF_SECTION_NAME 64

struct elf_section {
	char name[ELF_SECTION_NAME]; /* ".rodata"; cut when longer */
	uint64_t offset, size;       /* in the file; what has no bytes there is left out */
};

struct elf_sections {
	struct elf_section *items; /* in the order of their headers */
	size_t count;
};

void elf_sections_release(struct elf_sections *s);
/* None is success: a file need not have them. ERR_INPUT: no ELF file, malformed; ERR_SYS. */
int elf_sections_read(const char *path, struct elf_sections *out, struct error *err);
/* The section that holds a byte of the file, or NULL. Borrowed. */
const struct elf_section *elf_section_at(const struct elf_sections *s, uint64_t offset);
/* The first of a name, or NULL. Borrowed. */
const struct elf_section *elf_section_find(const struct elf_sections *s, const char *name);
