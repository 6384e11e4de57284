/* base_elf.h - ELF files of the base image, read out of its layers when they are asked for. */
#pragma once

#include "build/private.h"
#include "elf/file.h"

#define BUILD_MAX_BASE_ELF_BYTES (256u << 20) /* one file */

/* A map of paths in the tree -> struct elf_file *. */
void build_base_elf_release(struct map *files);
/* Read the files whose paths are the keys (free of links, of nodes that are the base's); values are
 * replaced; that of a file which cannot be read as ELF stays NULL, and the user is told. One pass
 * over each layer that has any. ERR_INPUT: a damaged layer. */
int build_base_elf_read(struct build *b, struct map *files, struct error *err);
