/* referrers.h - what belongs to an image, sent after it (OCI distribution-spec v1.1, "Pushing
 * Manifests with Subject", "Referrers Tag Schema").
 *
 * A registry that lists referrers is believed when it lists them. For every other one the index
 * with the tag "sha256-HEX" is kept: what others wrote there stays, and it is read again after it
 * was written. */
#pragma once

#include "registry/registry.h"

#define REGISTRY_TAG_TRIES 4 /* to write the index while others write it, too */

/* Send the store's artifacts of what->image, and of the images of an index; the image is there
 * already. *count: how many the image has now that the store has, too. What is listed already is
 * not sent. An image without artifacts costs no request. ERR_CONFLICT: others write the index all
 * the time, or the tag is no index; else as registry_push. */
int registry_push_referrers(struct registry *r, const struct registry_push *what, size_t *count,
							struct error *err);
