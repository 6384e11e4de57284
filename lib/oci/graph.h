/* graph.h - all that an image is made of, found in the store before anything is sent or written. */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "oci/store.h"

struct oci_graph {
	LIST(struct oci_manifest) manifests;     /* children before their index, a root last */
	LIST(struct oci_descriptor) descriptors; /* of manifests */
	LIST(struct oci_descriptor) blobs;       /* layers and configs, each once */
	struct map seen;                         /* digests */
};

void oci_graph_release(struct oci_graph *g);

/* Add a manifest or index with everything below it; what is in the graph already stays once.
 * Manifests are read and verified, of blobs it is only asked whether they are there. ERR_MISSING: a
 * child of an index, or a blob, is not in the store. */
int oci_graph_add(struct oci_graph *g, struct oci_store *store, const struct oci_descriptor *root,
				  struct error *err);
