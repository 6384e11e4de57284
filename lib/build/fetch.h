/* fetch.h - the images that a build starts from: out of the store, or pulled by whoever looks on.
 */
#pragma once

#include "build/private.h"

struct build_fetch {
	const char *name; /* reference */
	const char *what; /* "base image" */
	const char *key;  /* "build.base" */
	struct oci_platform platform;
	bool is_native; /* this machine's: an index of several need not be fetched whole */
};

/* Manifest and configuration of the image for that platform; pulled into the store when it is not
 * there, or not for the platform. The outputs are the caller's, zeroed before. ERR_MISSING: no such
 * image, or not for the platform; ERR_INPUT: damaged. */
int build_fetch(const struct build *b, struct oci_store *store, const struct build_fetch *what,
				struct oci_manifest *manifest, struct oci_config *config, struct error *err);
