/* layer.h - image layers written deterministically: tar (POSIX ustar, PAX only where needed) in
 * gzip members.
 *
 * The bytes depend on the entries given and on nothing else: not on clock, user, umask, locale,
 * time zone, threads. Entries are given in bytewise order of path by the caller; parents come
 * before children. LAYER_COMPAT names this form: any change of bytes raises it. (image-spec v1.1,
 * layer.md; POSIX.1-2017 pax.) */
#pragma once

#include "base/auto.h"
#include "base/error.h"
#include "crypto/sha256.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LAYER_COMPAT 1
#define LAYER_MEMBER_BYTES (1u << 20) /* input of one gzip member */
#define LAYER_ALIGN_BYTES \
	(256u << 10) /* content of files of this size starts and ends with a member */
#define LAYER_MAX_PATH 4096
#define LAYER_GZIP_LEVEL 6

enum layer_type {
	LAYER_FILE,
	LAYER_DIR,
	LAYER_SYMLINK,
	LAYER_HARDLINK,
};

struct layer_entry {
	enum layer_type type;
	const char *path;   /* relative, clean (fs_is_clean_relative), without a trailing slash */
	const char *target; /* of links; a hard link's is relative to the layer's root */
	mode_t mode;        /* permission bits, setuid, setgid, sticky */
	uint32_t uid, gid;
	int64_t mtime_s;
	uint64_t size; /* LAYER_FILE */
};

struct layer_writer;

/* Where compressed bytes go. -1 with *err filled ends the writing. */
struct layer_sink {
	int (*write)(void *user, const void *data, size_t len, struct error *err);
	void *user;
};

struct layer_result {
	uint8_t diff_id[SHA256_BYTES]; /* of the uncompressed tar */
	uint8_t digest[SHA256_BYTES];  /* of what went into the sink */
	uint64_t tar_bytes;
	uint64_t bytes;
};

void layer_writer_new(const struct layer_sink *sink, struct layer_writer **out);
void layer_writer_free(struct layer_writer *w);
DEFINE_AUTO_PTR(layer_writer)
/* Compress on this many threads; 0, the default, is one for each core. The bytes are the same. */
void layer_writer_set_threads(struct layer_writer *w, unsigned threads);
/* Start an entry; for LAYER_FILE exactly entry->size bytes of layer_writer_data follow. ERR_INPUT:
 * unclean or too long path, order broken, duplicate. */
int layer_writer_entry(struct layer_writer *w, const struct layer_entry *entry, struct error *err);
int layer_writer_data(struct layer_writer *w, const void *data, size_t len, struct error *err);
/* A file's content from a descriptor. ERR_INPUT when it is shorter or longer than entry->size
 * ("changed while it was read"). */
int layer_writer_file(struct layer_writer *w, const struct layer_entry *entry, int fd,
					  struct error *err);
int layer_writer_end(struct layer_writer *w, struct layer_result *out, struct error *err);
