/* collect.h - hard caps on bytes and files of the image store and of what builds remember,
 * together.
 *
 * Blobs that no name reaches and what dead processes left go first; then of the cache what was not
 * used for longest: records, members of layers, unpacked toolchains that no build uses. Named
 * images stay, whatever they weigh. Builds may run meanwhile: what a running one has in hand stays
 * its own, and what it looks for in vain it makes anew. */
#pragma once

#include "oci/store.h"

#define COLLECT_MAX_BYTES (20ull << 30) /* where nobody says otherwise */
#define COLLECT_MAX_FILES 200000
#define COLLECT_BUILD_S 86400 /* builds look after the caps no more often than this */

struct build_collect {
	const char *cache; /* folder; NULL: none */
	uint64_t max_bytes;
	uint64_t max_files;
	bool all_cache; /* the whole cache goes */
};

struct build_weight {
	uint64_t bytes, files;
};

struct build_collected {
	struct build_weight store, cache; /* what is there now */
	struct build_weight freed;
};

/* Weigh and remove. *out is filled on failure, too, as far as it is known. ERR_CONFLICT: another
 * process has the store open; ERR_DENIED: named images alone are more than the caps, the hint names
 * the largest; ERR_SYS. */
int build_collect(struct oci_store *store, const struct build_collect *what,
				  struct build_collected *out, struct error *err);
/* What a build does in the end, when it made something. Never fails, never waits. */
void build_keep_caps(struct oci_store *store, const char *cache);
