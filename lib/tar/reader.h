/* reader.h - tar archives read entry by entry: tar, tar+gzip, tar+zstd, told apart by content.
 *
 * Nothing of an entry is trusted: the policy of names and links is the reader's. Names are bytes,
 * never converted or normalised (libarchive does both, and cuts at a NUL, so it is not used).
 * Of extended attributes only file capabilities are read. Sparse files, volume labels and other
 * compressions are refused. An archive may lack the two zero blocks at its end: that it is complete
 * says its digest. */
#pragma once

#include "base/auto.h"
#include "base/error.h"
#include "crypto/sha256.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define TAR_MAX_ENTRIES 1000000
#define TAR_MAX_PATH 4096
#define TAR_MAX_COMPONENT 255

enum tar_type {
	TAR_FILE,
	TAR_DIR,
	TAR_SYMLINK,
	TAR_HARDLINK,
	TAR_CHAR,
	TAR_BLOCK_DEVICE,
	TAR_FIFO,
};

/* The value of security.capability: struct vfs_cap_data, as it stands in the archive. */
struct tar_capability {
	size_t len; /* 0: none */
	uint8_t bytes[24];
};

struct tar_entry {
	enum tar_type type;
	const char
		*path; /* cleaned: relative, no "." components, no trailing slash; "" is the root itself */
	const char *target; /* symlink: as written; hard link: cleaned like path */
	mode_t mode;
	uint32_t uid, gid;
	int64_t mtime_s;
	uint64_t size;
	unsigned dev_major, dev_minor;
	struct tar_capability capability;
};

struct tar_reader;

/* Pulls compressed bytes: fills at most len, returns the count, 0 at the end, -1 with *err. */
struct tar_source {
	ssize_t (*read)(void *user, void *data, size_t len, struct error *err);
	void *user;
};

/* From a descriptor, which stays the caller's and is opened before the first read. */
struct tar_source tar_source_fd(int *fd);

/* name starts messages. max_bytes caps the uncompressed total. ERR_INPUT: another compression. */
int tar_reader_new(const struct tar_source *source, const char *name, uint64_t max_bytes,
				   struct tar_reader **out, struct error *err);
void tar_reader_free(struct tar_reader *r);
DEFINE_AUTO_PTR(tar_reader)
/* 1: *entry is filled (borrowed until the next call); 0: the end; -1: ERR_INPUT: absolute path,
 * "..", NUL, too long, too many entries, hard link out of the root, damaged archive. */
int tar_reader_next(struct tar_reader *r, struct tar_entry *entry, struct error *err);
/* The current file's content; 0 at its end. */
ssize_t tar_reader_data(struct tar_reader *r, void *data, size_t len, struct error *err);
/* After the end: SHA-256 of the whole uncompressed archive, which is the layer's diff_id. */
void tar_reader_sum(struct tar_reader *r, uint8_t sum[SHA256_BYTES]);
/* And its size. */
uint64_t tar_reader_bytes(const struct tar_reader *r);
