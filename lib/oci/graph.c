#include "oci/graph.h"

#include "base/mem.h"

void oci_graph_release(struct oci_graph *g)
{
	for (size_t i = 0; i < g->manifests.count; i++)
		oci_manifest_release(&g->manifests.items[i]);
	for (size_t i = 0; i < g->descriptors.count; i++)
		oci_descriptor_release(&g->descriptors.items[i]);
	for (size_t i = 0; i < g->blobs.count; i++)
		oci_descriptor_release(&g->blobs.items[i]);
	list_release(&g->manifests);
	list_release(&g->descriptors);
	list_release(&g->blobs);
	map_release(&g->seen);
}

static int add_blob(struct oci_graph *g, const struct oci_store *store,
					const struct oci_descriptor *d, struct error *err)
{
	struct oci_descriptor copy;

	if (!map_put(&g->seen, d->digest, NULL))
		return 0;
	if (!oci_store_has(store, d->digest, d->size)) {
		err_set(err, ERR_MISSING, "the local store lacks blob %s", d->digest);
		return err_hint(err, "build or pull the image again");
	}
	oci_descriptor_copy(d, &copy);
	list_push(&g->blobs, copy);
	return 0;
}

static int add_manifest(struct oci_graph *g, struct oci_store *store,
						const struct oci_descriptor *d, int depth, struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};
	struct oci_descriptor copy;

	if (!map_put(&g->seen, d->digest, NULL))
		return 0;
	if (depth > OCI_MAX_DEPTH)
		return err_set(err, ERR_INPUT, "%s: indexes are nested deeper than %d", d->digest,
					   OCI_MAX_DEPTH);
	if (oci_store_manifest(store, d, &m, err) < 0) {
		if (err->code == ERR_MISSING && depth > 0)
			err_hint(err, "pull the index with --all-platforms first");
		return -1;
	}
	for (size_t i = 0; i < m.layer_count; i++)
		if ((m.is_index ? add_manifest(g, store, &m.layers[i], depth + 1, err)
						: add_blob(g, store, &m.layers[i], err)) < 0)
			return -1;
	if (!m.is_index && add_blob(g, store, &m.config, err) < 0)
		return -1;
	oci_descriptor_copy(d, &copy);
	free(copy.media_type);
	copy.media_type = xstrdup(m.media_type);
	list_push(&g->descriptors, copy);
	list_push(&g->manifests, MOVE(m));
	return 0;
}

int oci_graph_add(struct oci_graph *g, struct oci_store *store, const struct oci_descriptor *root,
				  struct error *err)
{
	return add_manifest(g, store, root, 0, err);
}
