/* Docker's part of an archive: manifest.json names configuration and layers of the image by file.
 * It stands beside the layout, whose blobs serve both. */
#include "base/mem.h"
#include "oci/config.h"
#include "oci/export_private.h"

#include <string.h>

static bool is_zstd(const struct oci_descriptor *d)
{
	size_t len = strlen(d->media_type);

	return len > 4 && strcmp(d->media_type + len - 4, "zstd") == 0;
}

static const struct oci_manifest *image_of(const struct export_plan *p)
{
	for (size_t i = 0; i < p->graph.descriptors.count; i++)
		if (strcmp(p->graph.descriptors.items[i].digest, p->image.digest) == 0)
			return &p->graph.manifests.items[i];
	return NULL;
}

static int read_diff_ids(struct export_plan *p, const struct oci_manifest *m, struct error *err)
{
	AUTO(oci_config) struct oci_config config = {0};
	AUTO(buf) struct buf bytes = {0};

	if (oci_store_read(p->what->store, &m->config, OCI_MAX_MANIFEST_BYTES, &bytes, err) < 0 ||
		oci_config_parse(buf_span(&bytes), m->config.digest, &config, err) < 0)
		return -1;
	if (config.diff_ids.count != m->layer_count)
		return err_set(err, ERR_INPUT, "%s names %zu layers, its manifest %zu", m->config.digest,
					   config.diff_ids.count, m->layer_count);
	p->diff_ids = MOVE(config.diff_ids);
	return 0;
}

static int by_hex(const void *a, const void *b)
{
	const struct export_blob *x = a, *y = b;

	return strcmp(x->hex, y->hex);
}

/* Unpacked layers are not what the OCI manifest names: the archive is docker's alone. */
static void take_unpacked(struct export_plan *p, const struct oci_manifest *m)
{
	AUTO(map) struct map seen = {0};
	struct export_blob config = {oci_digest_hex(m->config.digest), &m->config, NULL, false};

	p->no_layout = true;
	p->blobs.count = 0;
	list_push(&p->blobs, config);
	for (size_t i = 0; i < m->layer_count; i++) {
		const struct oci_descriptor *d = &m->layers[i];
		const char *digest = is_zstd(d) ? p->diff_ids.items[i] : d->digest;
		struct export_blob b = {oci_digest_hex(digest), d, NULL, is_zstd(d)};

		if (map_put(&seen, digest, NULL))
			list_push(&p->blobs, b);
	}
	qsort(p->blobs.items, p->blobs.count, sizeof(p->blobs.items[0]), by_hex);
}

static json_t *file_of(const char *digest)
{
	AUTO_FREE char *path = xasprintf(EXPORT_BLOBS "/%s", oci_digest_hex(digest));

	return json_string(path);
}

int export_docker(struct export_plan *p, struct buf *manifest, struct error *err)
{
	const struct oci_manifest *m = image_of(p);
	AUTO_JSON json_t *doc = NULL;
	json_t *layers;
	bool has_zstd = false;

	if (!m || read_diff_ids(p, m, err) < 0)
		return m ? -1 : err_set(err, ERR_INPUT, "%s is no image", p->image.digest);
	layers = json_array();
	for (size_t i = 0; i < m->layer_count; i++) {
		const struct oci_descriptor *d = &m->layers[i];

		has_zstd = has_zstd || is_zstd(d);
		json_array_append_new(layers, file_of(is_zstd(d) ? p->diff_ids.items[i] : d->digest));
	}
	if (has_zstd)
		take_unpacked(p, m);
	doc = json_pack("[{s:o, s:o}]", "Config", file_of(m->config.digest), "Layers", layers);
	if (p->docker_name)
		json_object_set_new(json_array_get(doc, 0), "RepoTags", json_pack("[s]", p->docker_name));
	doc_json_write(doc, manifest);
	return 0;
}
