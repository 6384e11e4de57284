/* unpack_stream.h - the uncompressed bytes of a tar stream: plain, gzip (any number of members) or
 * zstd (any number of frames), told apart by the first bytes. Every other compression is refused by
 * name. */
#pragma once

#include "crypto/sha256.h"
#include "tar/reader.h"

#define ZSTD_MAX_WINDOW_LOG 27 /* 128 MiB: what the zstd tool takes without being asked */

struct unpack_stream;

/* max_bytes caps what comes out. */
int unpack_stream_new(const struct tar_source *source, const char *name, uint64_t max_bytes,
					  struct unpack_stream **out, struct error *err);
void unpack_stream_free(struct unpack_stream *s);
DEFINE_AUTO_PTR(unpack_stream)
/* Fills all of len unless the stream ends before; the count, or -1. ERR_INPUT: damaged, too large.
 */
ssize_t unpack_stream_read(struct unpack_stream *s, void *data, size_t len, struct error *err);
/* SHA-256 of everything that was read. */
void unpack_stream_sum(struct unpack_stream *s, uint8_t sum[SHA256_BYTES]);
/* How many bytes that were. */
uint64_t unpack_stream_bytes(const struct unpack_stream *s);
