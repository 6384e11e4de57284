/* reasons.h - why each file is in an image: noted while it is built and kept beside it, so that
 * `image inspect --why` can tell later.
 *
 *	{"files": {"usr/bin/orders": {"reason": "build.copy takes it from build/orders"},
 *	           "usr/lib/libz.so.1": {"reason": "needed by /usr/bin/orders as ...",
 *	                                 "by": "usr/bin/orders", "how": "cache"}}}
 *
 * Paths are the image's, without a leading slash. `by` is the file that needs it, `how` says how
 * the loader finds it (elf_found_by_name). */
#pragma once

#include "base/buf.h"

#define BUILD_REASONS_TYPE "application/vnd.msctl.reasons+json"
#define BUILD_REASONS_MAX_BYTES (64u << 20)

struct build;
struct elf_object;

/* Note why a library is in the tree, which has it already. The first reason stands. */
void build_note_library(struct build *b, const struct elf_object *o);
/* The document, of all files that are not the base's. */
void build_reasons(const struct build *b, struct buf *out);
