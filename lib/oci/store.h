/* store.h - the local image store: one OCI image layout (image-layout.md), content-addressed, safe
 * against crashes and against other msctl processes.
 *
 *	ROOT/oci-layout  ROOT/index.json  ROOT/blobs/sha256/HEX  ROOT/tmp/  ROOT/lock  ROOT/index.lock
 *
 * A blob appears under its name only complete, verified and fsynced; the index names it only after
 *the folder was fsynced, too. Every read verifies size and digest; a blob found broken is removed,
 *so that the next pull heals it. index.json carries `org.opencontainers.image.ref.name` with the
 *full reference text of each image.
 *
 * An open store is a lease: until it is freed no process collects garbage, so that blobs which no
 *name reaches yet stay. Free it before waiting for something long. The index is changed under a
 *lock of its own that is held for milliseconds. */
#pragma once

#include "base/auto.h"
#include "base/error.h"
#include "oci/manifest.h"
#include "oci/ref.h"

#include <stdbool.h>
#include <stdint.h>

struct oci_store;

/* Open, creating what is missing. path NULL: $MSCTL_STORE or the data home. */
int oci_store_open(const char *path, struct oci_store **out, struct error *err);
void oci_store_free(struct oci_store *s);
DEFINE_AUTO_PTR(oci_store)
const char *oci_store_path(const struct oci_store *s);

/* --- blobs --- */
/* Is there a blob of this digest and size? Looks at the name and size only. */
bool oci_store_has(const struct oci_store *s, const char *digest, uint64_t size);
/* Read a whole blob of at most max_bytes, verified. ERR_MISSING, ERR_INPUT when broken. */
int oci_store_read(const struct oci_store *s, const struct oci_descriptor *d, size_t max_bytes,
				   struct buf *out, struct error *err);
/* Open a blob for reading; size checked, content not (the reader hashes while it streams). */
int oci_store_open_blob(const struct oci_store *s, const struct oci_descriptor *d, int *fd,
						struct error *err);
/* Report a blob as broken: it is removed. */
void oci_store_drop_broken(const struct oci_store *s, const char *digest);

/* A blob being written. Abandon with oci_blob_writer_free before the end: nothing is left. */
struct oci_blob_writer;
int oci_blob_writer_new(struct oci_store *s, struct oci_blob_writer **out, struct error *err);
void oci_blob_writer_free(struct oci_blob_writer *w);
DEFINE_AUTO_PTR(oci_blob_writer)
int oci_blob_writer_add(struct oci_blob_writer *w, const void *data, size_t len, struct error *err);
/* Forget what was added (a download that starts anew). */
int oci_blob_writer_restart(struct oci_blob_writer *w, struct error *err);
uint64_t oci_blob_writer_size(const struct oci_blob_writer *w);
/* Of what was added so far. Returns digest. */
const char *oci_blob_writer_digest(const struct oci_blob_writer *w,
								   char digest[OCI_DIGEST_LEN + 1]);
/* Make it a blob of the store and say its digest. want NULL: whatever it is; else ERR_INPUT unless
 * digest and size are want's. */
int oci_blob_writer_end(struct oci_blob_writer *w, const struct oci_descriptor *want,
						char digest[OCI_DIGEST_LEN + 1], struct error *err);
/* In one go. */
int oci_store_put(struct oci_store *s, const void *data, size_t len,
				  char digest[OCI_DIGEST_LEN + 1], struct error *err);

/* --- images --- */
struct oci_image {
	char *ref; /* full text, "orders:0.1.0" */
	struct oci_descriptor descriptor;
};

struct oci_images {
	struct oci_image *items;
	size_t count;
};

void oci_images_release(struct oci_images *images);

/* Name a manifest or index (whose blobs are all there) by a reference, replacing what had that
 * name. */
int oci_store_tag(struct oci_store *s, const struct oci_ref *ref, const struct oci_descriptor *d,
				  struct error *err);
/* All named images, sorted by reference. */
int oci_store_list(struct oci_store *s, struct oci_images *out, struct error *err);
/* What a reference names: exact tag; by digest any named image of that digest. ERR_MISSING with the
 * nearest name as hint. */
int oci_store_find(struct oci_store *s, const struct oci_ref *ref, struct oci_descriptor *out,
				   struct error *err);
/* Read the manifest or index behind a descriptor, verified. */
int oci_store_manifest(struct oci_store *s, const struct oci_descriptor *d,
					   struct oci_manifest *out, struct error *err);
/* Take a name away. Blobs that no image needs any more are removed when `prune`, unless another
 * process has the store open. freed may be NULL. ERR_MISSING. */
int oci_store_untag(struct oci_store *s, const struct oci_ref *ref, bool prune, uint64_t *freed,
					struct error *err);
/* Remove blobs that no entry of the index reaches and temporary files of dead processes. No blob
 * writer may be open. ERR_CONFLICT while another process has the store open. */
int oci_store_gc(struct oci_store *s, uint64_t *freed, struct error *err);
/* How many bytes and files its blobs and temporary files have. */
int oci_store_weigh(const struct oci_store *s, uint64_t *bytes, uint64_t *files, struct error *err);
/* --- what belongs to an image: SBOMs and the like --- */
/* One document, kept as an artifact manifest whose subject is the image (image-spec v1.1,
 * manifest.md). */
struct oci_artifact {
	const char *type; /* of the artifact and of its one blob */
	const void *data;
	size_t len;
	const char *annotation; /* key of one more on its manifest and its blob, or NULL */
	const char *annotation_value;
};

struct oci_artifacts {
	struct oci_descriptor *items; /* of artifact manifests; raw.artifactType is the type */
	size_t count;
};

void oci_artifacts_release(struct oci_artifacts *a);

struct oci_attach {
	const struct oci_descriptor
		*subject;        /* the image, or one that the index which is named lists */
	const char *key;     /* what the documents were made from; see oci_store_is_attached */
	const char *created; /* RFC 3339 */
	const struct oci_artifact *items;
	size_t count;
};

struct oci_tag {
	const struct oci_ref *ref;
	const struct oci_descriptor *image;
	const struct oci_attach *attach; /* one for each image whose documents are new */
	size_t attach_count;
};

/* oci_store_tag, and keep documents beside images in the place of those that they had. They stay
 * while a name leads to that very manifest, by itself or by an index, and no longer. */
int oci_store_tag_with(struct oci_store *s, const struct oci_tag *tag, struct error *err);
/* Are the documents of this key beside the image, all there? */
bool oci_store_is_attached(struct oci_store *s, const struct oci_descriptor *subject,
						   const char *key);
/* The artifact manifests of an image, in the order in which they were attached. None is success. */
int oci_store_artifacts(struct oci_store *s, const char *subject, struct oci_artifacts *out,
						struct error *err);
/* The document of that type beside an image, at most max_bytes. ERR_MISSING. */
int oci_store_artifact(struct oci_store *s, const char *subject, const char *type, size_t max_bytes,
					   struct buf *out, struct error *err);

/* Read every blob reachable from every name; broken ones are removed, and counted like missing
 * ones. A platform of an index that is not here at all is no fault. */
int oci_store_verify(struct oci_store *s, size_t *checked, size_t *broken, struct error *err);
