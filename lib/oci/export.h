/* export.h - an image of the store written as a folder or a file that other tools read (image-spec
 * v1.1, image-layout.md, annotations.md; Docker's image tarball v1.2).
 *
 * Manifests keep their bytes, so digests stay. Every blob is verified while it is copied; one that
 * turns out damaged is dropped from the store (ERR_INPUT). Same image and names: same bytes.
 *
 * What stands in index.json for the image carries two names: `org.opencontainers.image.ref.name`,
 * by which skopeo, umoci and podman find it, and `io.containerd.image.name`, the full reference
 * that podman, containerd and docker give it on loading.
 *
 * An archive appears under its name complete and fsynced, or not at all. Files of a layout appear
 * complete, too, index.json last, but are not fsynced, as no peer's are: what a crash of the
 * machine takes, the next export finds wrong and writes again. */
#pragma once

#include "base/cancel.h"
#include "oci/store.h"

struct oci_export {
	struct oci_store *store;
	const struct oci_descriptor *image; /* manifest or index */
	const struct oci_ref *name;         /* of the image; NULL: none */
	const char *ref_name;               /* NULL: the tag of name */
	bool artifacts; /* also what is attached to the image: further entries without a name. Tools
					   that are given a layout without a reference then find more than one image */
	const struct cancel *cancel;
};

/* Does it fit the grammar of ref.name, by which readers check it? */
bool oci_is_ref_name(const char *text);

/* An image layout in this folder, created when absent. Other images in it stay, one of the same
 * ref.name gives way. ERR_CONFLICT: the folder is neither empty nor a layout. */
int oci_export_layout(const struct oci_export *what, const char *dir, struct error *err);
/* That refusal alone, before there is an image. */
int oci_export_check_layout(const char *dir, struct error *err);

enum oci_archive {
	OCI_ARCHIVE,        /* a tar of a layout */
	OCI_ARCHIVE_DOCKER, /* that and manifest.json: what docker of any age loads. Of an index the
						   image for this machine. With zstd layers, which old dockers cannot read,
						   they are stored unpacked and the layout is left out */
};

/* To a file, which is replaced; something that is no regular file is written to as it is.
 * ERR_MISSING: the index has no image for this machine. */
int oci_export_archive(const struct oci_export *what, enum oci_archive form, const char *path,
					   struct error *err);
/* The same to a descriptor; name is for messages. */
int oci_export_archive_to(const struct oci_export *what, enum oci_archive form, int fd,
						  const char *name, struct error *err);
