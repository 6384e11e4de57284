/* extract.h - apply layers to a folder as a root file system (image-spec v1.1, layer.md, "Applying changesets").
 *
 * Nothing is ever written outside root: every path is resolved with openat2(RESOLVE_IN_ROOT) and the last component is not followed. A layer
 * cannot write through a symlink that leads out: it leads to the same place inside. Whiteouts (.wh.NAME, .wh..wh..opq) are
 * applied. Device nodes are refused for unprivileged use and skipped with a note otherwise; setuid bits are kept. */
#pragma once

#include "tar/reader.h"

#define EXTRACT_MAX_BYTES (32ull << 30)

struct extract_options {
	bool keep_owner;   /* chown to the entry's owner (root only) */
	uint64_t max_bytes; /* of one layer; 0: EXTRACT_MAX_BYTES */
	/* told about each entry that was skipped; may be NULL */
	void (*skipped)(void *user, const char *path, const char *why);
	void *user;
};

/* root_fd is an open folder. ERR_INPUT for a hostile or damaged layer, ERR_SYS for the disk. */
int tar_extract(const struct tar_source *source, const char *name, int root_fd,
		const struct extract_options *options, struct error *err);
