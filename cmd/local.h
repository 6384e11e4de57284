/* local.h - one image of the local store, opened to be looked at. */
#pragma once

#include "cmd/out.h"
#include "oci/config.h"
#include "oci/files.h"
#include "oci/store.h"

struct local_image {
	char *ref; /* full text */
	struct oci_descriptor d;
	struct oci_manifest m; /* never an index */
	struct oci_config config;
	struct strv layers; /* a name for each: "libraries" of ours, else "layer 1" */
	size_t base_layers; /* below ours; all of them where msctl build made none */
};

void local_image_release(struct local_image *i);
/* operand: as typed. platform NULL: of an index the image for this machine. ERR_USAGE for a bad
 * operand or platform, ERR_MISSING, ERR_INPUT for what is no image. */
int local_image_open(struct oci_store *store, const char *operand, const char *platform,
					 struct local_image *out, struct error *err);
int local_image_files(struct ctx *ctx, struct oci_store *store, const struct local_image *i,
					  struct oci_files *out, struct error *err);

/* "-rwxr-xr-x", as ls shows it, written into out. Returns out. */
const char *local_mode_text(const struct oci_file *f, char out[11]);
/* "cap_net_bind_service=ep", NULL when it has none. Caller frees. */
char *local_capability_text(const struct oci_file *f);
/* A path as valid UTF-8 without control characters, with a slash in front. Caller frees. */
char *local_path_text(const char *path);
/* {path, type, mode, uid, gid, size, layer ...}, in the order of a listing. */
json_t *local_file_json(const struct local_image *i, const struct oci_file *f);
