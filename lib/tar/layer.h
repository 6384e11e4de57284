/* layer.h - image layers written deterministically: tar (POSIX ustar, PAX only where needed) in
 * gzip members or zstd frames.
 *
 * The bytes depend on the entries and the codec given and on nothing else: not on clock, user,
 * umask, locale, time zone, threads, cache. Entries are given in bytewise order of path by the
 * caller; parents come before children. LAYER_COMPAT names this form: any change of bytes raises
 * it. Memory is bounded whatever the layer's size (members.h). (image-spec v1.1, layer.md;
 * POSIX.1-2017 pax.) */
#pragma once

#include "base/auto.h"
#include "base/error.h"
#include "crypto/sha256.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LAYER_COMPAT 1
#define LAYER_MEMBER_BYTES (1u << 20) /* input of one gzip member or zstd frame */
#define LAYER_ALIGN_BYTES \
	(256u << 10) /* content of files of this size starts and ends with a member */
#define LAYER_MAX_BYTES (32ull << 30) /* of the tar: what EXTRACT_MAX_BYTES takes again */
#define LAYER_MAX_PATH 4096
#define LAYER_MAX_NAME 255 /* of one component: no file system holds more */
#define LAYER_MAX_XATTRS 64
#define LAYER_MAX_XATTR_BYTES 65536 /* XATTR_SIZE_MAX */
#define LAYER_GZIP_LEVEL 6
#define LAYER_ZSTD_LEVEL 3
#define LAYER_CACHE_MIN_BYTES (64u << 10) /* members of less input are made anew each time */

enum layer_codec {
	LAYER_GZIP,
	LAYER_ZSTD,
};

enum layer_type {
	LAYER_FILE,
	LAYER_DIR,
	LAYER_SYMLINK,
	LAYER_HARDLINK,
};

struct layer_xattr {
	const char *name; /* "security.capability" */
	const void *value;
	size_t len;
};

struct layer_entry {
	enum layer_type type;
	const char *path;   /* relative, clean (fs_is_clean_relative), without a trailing slash */
	const char *target; /* of links; a hard link's is relative to the layer's root */
	mode_t mode;        /* permission bits, setuid, setgid, sticky */
	uint32_t uid, gid;
	int64_t mtime_s;
	uint64_t size;                    /* LAYER_FILE */
	const struct layer_xattr *xattrs; /* in bytewise order of name */
	size_t xattr_count;
};

struct layer_writer;

/* Where compressed bytes go. -1 with *err filled ends the writing. */
struct layer_sink {
	int (*write)(void *user, const void *data, size_t len, struct error *err);
	void *user;
};

/* Members that were made before. key is the SHA-256 of everything that decides about a member's
 * bytes, so that a key never means two members. Both functions are called from several threads at
 * once, and neither can fail: what is not found is made anew. */
struct layer_cache {
	/* The length of the member, copied to out; 0: not there, or more than room bytes. */
	size_t (*find)(void *user, const uint8_t key[SHA256_BYTES], void *out, size_t room);
	void (*keep)(void *user, const uint8_t key[SHA256_BYTES], const void *data, size_t len);
	void *user;
};

struct layer_result {
	uint8_t diff_id[SHA256_BYTES]; /* of the uncompressed tar */
	uint64_t tar_bytes;
	uint64_t bytes; /* that went into the sink */
};

void layer_writer_new(const struct layer_sink *sink, struct layer_writer **out);
void layer_writer_free(struct layer_writer *w);
DEFINE_AUTO_PTR(layer_writer)
/* Before the first entry: */
/* Compress on this many threads; 0, the default, is one for each core. The bytes are the same. */
void layer_writer_set_threads(struct layer_writer *w, unsigned threads);
/* The default is LAYER_GZIP. */
void layer_writer_set_codec(struct layer_writer *w, enum layer_codec codec);
/* Borrowed until the writer is freed. The bytes are the same. */
void layer_writer_set_cache(struct layer_writer *w, const struct layer_cache *cache);
/* Start an entry; for LAYER_FILE exactly entry->size bytes of layer_writer_data follow. ERR_INPUT:
 * unclean or too long path, order broken, duplicate, a layer of more than LAYER_MAX_BYTES. */
int layer_writer_entry(struct layer_writer *w, const struct layer_entry *entry, struct error *err);
int layer_writer_data(struct layer_writer *w, const void *data, size_t len, struct error *err);
/* A file's whole content from a descriptor of a regular file, whose offset does not matter; holes
 * of a sparse file are zeros and are not read. ERR_INPUT when it is shorter or longer than
 * entry->size
 * ("changed while it was read"). */
int layer_writer_file(struct layer_writer *w, const struct layer_entry *entry, int fd,
					  struct error *err);
int layer_writer_end(struct layer_writer *w, struct layer_result *out, struct error *err);

/* CRC-32 (RFC 1952) at many times the speed of a digest: a cache tells damage by it. It proves
 * nothing. */
uint32_t layer_crc32(const void *data, size_t len);
