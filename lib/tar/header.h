/* header.h - header blocks of tar archives, read with distrust (POSIX.1-2017, pax; GNU tar's manual
 * for its extensions).
 *
 * Numbers are octal or GNU base-256; PAX records path, linkpath, size, uid, gid and mtime override
 * the ustar fields; of extended attributes (SCHILY.xattr.NAME) only security.capability is taken;
 * all others are skipped. Sparse files are refused in every form. */
#pragma once

#include "base/buf.h"
#include "tar/reader.h"

#define TAR_BLOCK 512
#define TAR_MAX_EXTENDED (1u << 20) /* bytes of one extended header */

/* What extended headers said about the entry that follows. */
struct tar_overrides {
	struct buf path;
	struct buf target;
	bool has_path, has_target, has_size, has_uid, has_gid, has_mtime;
	uint64_t size;
	uint32_t uid, gid;
	int64_t mtime_s;
	struct tar_capability capability;
};

void tar_overrides_release(struct tar_overrides *o);

/* One block, fields as they stand. */
struct tar_header {
	char type;      /* '0', '5', 'x' ... */
	char path[257]; /* prefix/name */
	char target[101];
	mode_t mode;
	uint32_t uid, gid;
	int64_t mtime_s;
	uint64_t size;
	unsigned dev_major, dev_minor;
};

bool tar_block_is_zero(const unsigned char block[TAR_BLOCK]);
/* ERR_INPUT: wrong checksum, a field that is no number or out of range. */
int tar_header_parse(const unsigned char block[TAR_BLOCK], const char *name, struct tar_header *out,
					 struct error *err);
/* Records of a PAX extended header. ERR_INPUT: malformed, NUL in a value, out of range, sparse. */
int tar_pax_parse(struct span records, const char *name, struct tar_overrides *out,
				  struct error *err);
