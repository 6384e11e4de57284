/* keep.h - files of the cache: replaced as a whole, by rename, and never fsynced. What a crash
 * leaves there is recognised by whoever reads it, who has a sum in it. Readers take no lock. */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "crypto/sha256.h"

#include <stdbool.h>
#include <stddef.h>

#define KEEP_MAX_BYTES (64u << 20)

/* Folders above are made. ERR_SYS, ERR_DENIED. */
int keep_file(const char *path, const void *data, size_t len, struct error *err);

/* The same with sums in front; keep_load gives only what keep_save wrote under that file name, to
 * its last byte. */
int keep_save(const char *path, const void *data, size_t len, struct error *err);
bool keep_load(const char *path, struct buf *out);
/* The SHA-256 of what was saved, by what the file says of itself. */
bool keep_sum(const char *path, uint8_t sum[SHA256_BYTES]);

/* Note that a file was used, no finer than once a day. */
void keep_touch(const char *path);
