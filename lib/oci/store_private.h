/* store_private.h - what the parts of the store share; for lib/oci/ only. */
#pragma once

#include "oci/store.h"

#define STORE_MAX_INDEX_BYTES (16u << 20)
#define STORE_ANNOTATION_NAME "org.opencontainers.image.ref.name"

struct oci_store {
	char *root;
	char *blobs; /* ROOT/blobs/sha256 */
	char *temp;  /* ROOT/tmp */
	int lease;   /* ROOT/lock, held shared: nobody collects garbage meanwhile */
};

/* Path of a blob. digest must be a valid one. Caller frees. */
char *store_blob_path(const struct oci_store *s, const char *digest);
/* Read index.json, checked to be an object with an array "manifests". */
int store_index_read(const struct oci_store *s, json_t **out, struct error *err);
/* Keep other writers of the index away until the descriptor is closed. */
int store_index_lock(const struct oci_store *s, int *fd, struct error *err);
int store_index_write(const struct oci_store *s, const json_t *index, struct error *err);
/* Parse an index entry; NULL name when it has none. False when it is not for us to understand. */
bool store_index_entry(json_t *entry, const char **name, struct oci_descriptor *out);
/* Turn our shared lease into an exclusive one. ERR_CONFLICT while another process works with the store. */
int store_lease_exclusive(struct oci_store *s, struct error *err);
void store_lease_shared(struct oci_store *s);
/* Remove what no index entry reaches; the lease is exclusive. */
int store_sweep(struct oci_store *s, uint64_t *freed, struct error *err);
