/* store_private.h - what the parts of the store share; for lib/oci/ only. */
#pragma once

#include "oci/store.h"

#define STORE_MAX_INDEX_BYTES (16u << 20)
#define STORE_ANNOTATION_NAME "org.opencontainers.image.ref.name"
/* of our own, on the index entries of artifacts: of which image, and made from what */
#define STORE_ANNOTATION_SUBJECT "msctl.subject"
#define STORE_ANNOTATION_KEY "msctl.key"

struct oci_store {
	char *root;
	char *blobs;        /* ROOT/blobs/sha256 */
	char *temp;         /* ROOT/tmp */
	int lease;          /* ROOT/lock, held shared: nobody collects garbage meanwhile */
	bool has_new_blobs; /* whose names may not be on the disk yet */
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
/* Write documents and their manifests as blobs; entries is what the index is to say of them. */
int store_put_artifacts(struct oci_store *s, const struct oci_attach *what, json_t *entries,
						struct error *err);
/* Take the entries of an image's documents out of the index. */
void store_drop_artifacts(json_t *index, const char *subject);
/* Let the disk begin to write what there is, so that the ends of several writers wait together. */
int store_writer_start_sync(struct oci_blob_writer *w, struct error *err);
/* Take out of the index what belongs to images that have no name any more. */
void store_drop_orphans(struct oci_store *s, json_t *index);
/* Turn our shared lease into an exclusive one. ERR_CONFLICT while another process works with the
 * store. */
int store_lease_exclusive(struct oci_store *s, struct error *err);
void store_lease_shared(struct oci_store *s);
/* Remove what no index entry reaches; the lease is exclusive. */
int store_sweep(struct oci_store *s, uint64_t *freed, struct error *err);
