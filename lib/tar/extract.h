/* extract.h - apply layers to a folder as a root file system (image-spec v1.1, layer.md, "Applying
 * changesets").
 *
 * Nothing is ever written outside root: every folder is found with openat2(RESOLVE_IN_ROOT), and a
 * name in it is never followed. A layer cannot write through a symbolic link that leads out: it
 * leads to the same place inside. Whiteouts (.wh.NAME, .wh..wh..opq) hide what lower layers
 * brought, wherever in the layer they stand.
 *
 * Device nodes are never made; each is skipped with a note. Without keep_owner everything belongs
 * to the caller, setuid and setgid bits are dropped, and every folder stays writable for its owner,
 * so that the next layer can be applied and the tree removed. With keep_owner a file's capabilities
 * are set; where that cannot be, the file is there without them, with a note. Other extended
 * attributes are not set. */
#pragma once

#include "tar/reader.h"

#define EXTRACT_MAX_BYTES (32ull << 30)
#define EXTRACT_MAX_DEPTH 256 /* folders within folders */

struct extract_options {
	bool keep_owner;    /* chown to the entry's owner (root only) */
	uint64_t max_bytes; /* of one layer, uncompressed; 0: EXTRACT_MAX_BYTES. Never more than nine
						   tenths of the free space */
	/* told about each entry that was skipped, wholly or in part; may be NULL */
	void (*skipped)(void *user, const char *path, const char *why);
	void *user;
};

/* root_fd is an open folder. The source is read to its end; diff_id (may be NULL) is then the
 * SHA-256 of the uncompressed archive. What was extracted before a failure stays. ERR_INPUT for a
 * hostile or damaged layer, ERR_SYS for the disk. */
int tar_extract(const struct tar_source *source, const char *name, int root_fd,
				const struct extract_options *options, uint8_t diff_id[SHA256_BYTES],
				struct error *err);
