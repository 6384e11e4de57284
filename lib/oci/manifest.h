/* manifest.h - manifests, indexes and descriptors (image-spec v1.1; Docker schema 2 is read as
 * well).
 *
 * A parsed document keeps the bytes it was parsed from: they are what has the digest. */
#pragma once

#include "doc/json.h"
#include "oci/digest.h"

#define OCI_MEDIA_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_MEDIA_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_MEDIA_CONFIG "application/vnd.oci.image.config.v1+json"
#define OCI_MEDIA_LAYER "application/vnd.oci.image.layer.v1.tar"
#define OCI_MEDIA_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define OCI_MEDIA_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"
#define OCI_MEDIA_EMPTY "application/vnd.oci.empty.v1+json"
#define DOCKER_MEDIA_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_MEDIA_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_MEDIA_CONFIG "application/vnd.docker.container.image.v1+json"
#define DOCKER_MEDIA_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"

#define OCI_MAX_MANIFEST_BYTES (4u << 20)
#define OCI_MAX_LAYERS 512
#define OCI_MAX_INDEX_ENTRIES 4096
#define OCI_MAX_DEPTH 4 /* indexes of indexes */
#define OCI_MAX_BLOB_BYTES (1ull << 40)

struct oci_platform {
	char os[32];
	char arch[32];
	char variant[16]; /* "" none */
};

struct oci_descriptor {
	char *media_type;
	char digest[OCI_DIGEST_LEN + 1];
	uint64_t size;
	struct oci_platform platform; /* os "" when the descriptor has none */
	json_t *raw;                  /* the descriptor as it was, or NULL */
};

void oci_descriptor_release(struct oci_descriptor *d);
void oci_descriptor_copy(const struct oci_descriptor *from, struct oci_descriptor *to);

struct oci_manifest {
	char *bytes; /* as received */
	size_t len;
	char *media_type;
	bool is_index;
	struct oci_descriptor config;  /* not for an index */
	struct oci_descriptor *layers; /* layers, or an index's manifests */
	size_t layer_count;
	json_t *json;
};

void oci_manifest_release(struct oci_manifest *m);

/* Parse and check: media types known, every digest well-formed, sizes within bounds, counts within
 * the caps, the body's mediaType equal to media_type (NULL: take the body's). name starts messages.
 * ERR_INPUT. */
int oci_manifest_parse(struct span bytes, const char *media_type, const char *name,
					   struct oci_manifest *out, struct error *err);

/* "linux/arm64/v8". ERR_INPUT. */
int oci_platform_parse(const char *text, struct oci_platform *out, struct error *err);
/* This machine's. */
void oci_platform_host(struct oci_platform *out);
/* The same; arm64 is arm64/v8. */
bool oci_platform_equals(const struct oci_platform *a, const struct oci_platform *b);
char *oci_platform_text(const struct oci_platform *p);
/* The entry of an index for a platform (first match wins; arm64 without variant matches v8), or
 * NULL. */
const struct oci_descriptor *oci_index_find(const struct oci_manifest *index,
											const struct oci_platform *want);
bool oci_is_index_type(const char *media_type);
bool oci_is_manifest_type(const char *media_type);
