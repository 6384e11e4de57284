/* why.h - why a file is in an image of the local store. */
#pragma once

#include "cmd/local.h"

struct why {
	struct oci_store *store;
	const struct local_image *image;
	const struct oci_files *files;
};

/* Print what is known of the file at path. ERR_MISSING, with the nearest path, when the image has
 * none. */
int why_show(struct ctx *ctx, const struct why *w, const char *path, struct error *err);
