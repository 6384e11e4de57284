/* cache.h - a layer is a function of what goes into it: names, modes, times, content. Which blob
 * came out is remembered by the digest of all that (the content's by statindex.h, so that files
 * which did not change are not read), for all projects together. A record is believed only while
 * the store has the blob. */
#pragma once

#include "build/inputs.h"
#include "build/private.h"

struct build_cached {
	char digest[OCI_DIGEST_LEN + 1];
	char diff_id[OCI_DIGEST_LEN + 1];
	uint64_t size;
};

struct build_layer_key {
	char name[BUILD_LAYER_NAME];
	struct inputs inputs;
	char *file; /* the record's; NULL: nothing is remembered */
	char *last; /* what this layer of the project was made from the last time */
};

void build_layer_key_release(struct build_layer_key *k);

int build_cache_key(const struct build *b, enum tree_layer layer, const struct strv *paths,
					struct build_layer_key *out, struct error *err);
/* Is there a record, and does the store have its blob? Says why, either way. */
bool build_cache_find(const struct build *b, const struct build_layer_key *key,
					  struct build_cached *out);
void build_cache_keep(const struct build_layer_key *key, const struct build_cached *layer);
