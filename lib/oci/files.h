/* files.h - the files of an image in the store, its layers laid over one another as a runtime would
 * (image-spec v1.1, layer.md, "Applying changesets"), without writing any of them to the disk.
 *
 * Links to folders are followed, whiteouts hide what lower layers brought wherever they stand in
 * their layer, and no path leads out of the root. Each layer is checked against its digest and its
 * diff_id while it is read. */
#pragma once

#include "base/cancel.h"
#include "oci/config.h"
#include "oci/store.h"
#include "tar/reader.h"

#define OCI_FILES_MAX 1000000             /* paths of one image */
#define OCI_FILES_MAX_BYTES (64ull << 30) /* of one layer, unpacked */

struct oci_file {
	char *path; /* without a leading slash */
	enum tar_type type;
	mode_t mode; /* permission bits */
	uint32_t uid, gid;
	int64_t mtime_s;
	uint64_t size; /* of files; a hard link has its file's */
	unsigned dev_major, dev_minor;
	size_t layer; /* which of the manifest's brought it, or changed it last */
	char *target; /* of links; a hard link's is a path of the image */
	struct tar_capability capability;
	char digest[OCI_DIGEST_LEN + 1]; /* of the content of files and hard links, else "" */
};

/* What one layer holds by itself, whiteouts not applied. */
struct oci_file_layer {
	uint64_t tar_bytes; /* unpacked */
	size_t files;       /* everything but folders and whiteouts */
	size_t folders;
	size_t whiteouts;
};

struct oci_file_tree;

struct oci_files {
	struct oci_file **items; /* sorted by path */
	size_t count;
	struct oci_file_tree *tree;    /* holds them */
	struct oci_file_layer *layers; /* as many as the manifest has */
	size_t layer_count;
};

void oci_files_release(struct oci_files *f);

/* ERR_INPUT: a damaged or hostile layer (a damaged blob is removed from the store), layers and
 * diff_ids that do not fit; ERR_MISSING: a layer that is not in the store; ERR_INTERRUPTED. cancel
 * may be NULL. */
int oci_files_read(struct oci_store *store, const struct oci_manifest *m,
				   const struct oci_config *config, const struct cancel *cancel,
				   struct oci_files *out, struct error *err);
/* The file of exactly this path, not following it; NULL: there is none. Borrowed. */
const struct oci_file *oci_files_find(const struct oci_files *f, const char *path);
/* Where a path leads within the image once all links are followed, its last component's too: the
 * file, or NULL. */
const struct oci_file *oci_files_follow(const struct oci_files *f, const char *path);
