/* Documents beside images. The artifact manifests are entries of index.json without a name, so that
 * every tool which reads layouts keeps and copies them, and collection finds them. */
#include "oci/store.h"

#include "base/map.h"
#include "base/mem.h"
#include "oci/store_private.h"

#include <string.h>

#define STORE_MAX_ARTIFACTS 8 /* of one image */
#define EMPTY "{}"            /* manifest.md, "Guidance for an Empty Descriptor" */

void oci_artifacts_release(struct oci_artifacts *a)
{
	for (size_t i = 0; i < a->count; i++)
		oci_descriptor_release(&a->items[i]);
	free(a->items);
	*a = (struct oci_artifacts){0};
}

static const char *annotation(const json_t *entry, const char *key)
{
	return json_string_value(json_object_get(json_object_get(entry, "annotations"), key));
}

static bool is_of(const json_t *entry, const char *subject)
{
	const char *of = annotation(entry, STORE_ANNOTATION_SUBJECT);

	return of && strcmp(of, subject) == 0;
}

/* An image that has a name, and the images that it lists. */
static void add_named(struct oci_store *s, json_t *entry, struct map *named)
{
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	AUTO(oci_manifest) struct oci_manifest m = {0};
	struct error ignored = {0};
	const char *name;

	map_put(named, doc_text(entry, "digest", ""), NULL);
	if (!store_index_entry(entry, &name, &d) || !oci_is_index_type(d.media_type) ||
		oci_store_manifest(s, &d, &m, &ignored) < 0)
		return;
	for (size_t i = 0; i < m.layer_count; i++)
		map_put(named, m.layers[i].digest, NULL);
}

void store_drop_orphans(struct oci_store *s, json_t *index)
{
	json_t *entries = json_object_get(index, "manifests");
	AUTO(map) struct map named = {0};
	json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry) if (annotation(entry, STORE_ANNOTATION_NAME))
		add_named(s, entry, &named);
	for (i = json_array_size(entries); i > 0; i--) {
		const char *of = annotation(json_array_get(entries, i - 1), STORE_ANNOTATION_SUBJECT);

		if (of && !map_has(&named, of))
			json_array_remove(entries, i - 1);
	}
}

static json_t *describe(const char *media_type, const char *digest, uint64_t size)
{
	return json_pack("{s:s, s:s, s:I}", "mediaType", media_type, "digest", digest, "size",
					 (json_int_t)size);
}

/* Blobs on their way to the disk. */
struct batch {
	struct oci_blob_writer *writers[2 * STORE_MAX_ARTIFACTS + 1];
	size_t count;
};

static void batch_release(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		oci_blob_writer_free(b->writers[i]);
}

static int batch_add(struct oci_store *s, struct batch *b, const void *data, size_t len,
					 char digest[OCI_DIGEST_LEN + 1], struct error *err)
{
	struct oci_blob_writer **w = &b->writers[b->count];

	if (oci_store_has(s, oci_digest_of(data, len, digest), len))
		return 0;
	if (oci_blob_writer_new(s, w, err) < 0)
		return -1;
	b->count++;
	return oci_blob_writer_add(*w, data, len, err) < 0 ? -1 : store_writer_start_sync(*w, err);
}

static int batch_end(struct batch *b, struct error *err)
{
	for (size_t i = 0; i < b->count; i++)
		if (oci_blob_writer_end(b->writers[i], NULL, NULL, err) < 0)
			return -1;
	return 0;
}

/* One document and its manifest; what the index is to say of it goes to entries. */
static int add_artifact(struct oci_store *s, struct batch *b, json_t *manifest,
						const struct oci_artifact *a, json_t *entry, struct error *err)
{
	char digest[OCI_DIGEST_LEN + 1];
	AUTO(buf) struct buf bytes = {0};
	json_t *layer;

	if (batch_add(s, b, a->data, a->len, digest, err) < 0)
		return -1;
	layer = describe(a->type, digest, a->len);
	json_object_set_new(manifest, "artifactType", json_string(a->type));
	json_object_set_new(manifest, "layers", json_pack("[o]", layer));
	if (a->annotation) {
		json_object_set_new(layer, "annotations",
							json_pack("{s:s}", a->annotation, a->annotation_value));
		json_object_set_new(json_object_get(manifest, "annotations"), a->annotation,
							json_string(a->annotation_value));
	}
	doc_json_write(manifest, &bytes);
	/* the next document's manifest is made from the same */
	if (a->annotation)
		json_object_del(json_object_get(manifest, "annotations"), a->annotation);
	if (batch_add(s, b, bytes.data, bytes.len, digest, err) < 0)
		return -1;
	json_object_update_new(entry, describe(OCI_MEDIA_MANIFEST, digest, bytes.len));
	json_object_set_new(entry, "artifactType", json_string(a->type));
	return 0;
}

int store_put_artifacts(struct oci_store *s, const struct oci_attach *what, json_t *entries,
						struct error *err)
{
	const struct oci_descriptor *subject = what->subject;
	AUTO(batch) struct batch batch = {0};
	AUTO_JSON json_t *manifest = NULL;
	char config[OCI_DIGEST_LEN + 1];

	if (what->count > STORE_MAX_ARTIFACTS)
		return err_set(err, ERR_INPUT, "more than %d documents for one image", STORE_MAX_ARTIFACTS);
	if (batch_add(s, &batch, EMPTY, strlen(EMPTY), config, err) < 0)
		return -1;
	manifest =
		json_pack("{s:i, s:s, s:o, s:o, s:{s:s}}", "schemaVersion", 2, "mediaType",
				  OCI_MEDIA_MANIFEST, "config", describe(OCI_MEDIA_EMPTY, config, strlen(EMPTY)),
				  "subject", describe(subject->media_type, subject->digest, subject->size),
				  "annotations", "org.opencontainers.image.created", what->created);
	for (size_t i = 0; i < what->count; i++) {
		json_t *entry = json_pack("{s:{s:s, s:s}}", "annotations", STORE_ANNOTATION_SUBJECT,
								  subject->digest, STORE_ANNOTATION_KEY, what->key);

		json_array_append_new(entries, entry);
		if (add_artifact(s, &batch, manifest, &what->items[i], entry, err) < 0)
			return -1;
	}
	return batch_end(&batch, err);
}

void store_drop_artifacts(json_t *index, const char *subject)
{
	json_t *all = json_object_get(index, "manifests");

	for (size_t i = json_array_size(all); i > 0; i--)
		if (is_of(json_array_get(all, i - 1), subject))
			json_array_remove(all, i - 1);
}

static bool is_whole(struct oci_store *s, const struct oci_descriptor *d)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};
	struct error ignored = {0};

	if (oci_store_manifest(s, d, &m, &ignored) < 0 || m.is_index || m.layer_count != 1)
		return false;
	return oci_store_has(s, m.layers[0].digest, m.layers[0].size) &&
		   oci_store_has(s, m.config.digest, m.config.size);
}

bool oci_store_is_attached(struct oci_store *s, const struct oci_descriptor *subject,
						   const char *key)
{
	AUTO(oci_artifacts) struct oci_artifacts all = {0};
	struct error ignored = {0};

	if (oci_store_artifacts(s, subject->digest, &all, &ignored) < 0)
		return false;
	for (size_t i = 0; i < all.count; i++) {
		const char *made_from = annotation(all.items[i].raw, STORE_ANNOTATION_KEY);

		if (!made_from || strcmp(made_from, key) != 0 || !is_whole(s, &all.items[i]))
			return false;
	}
	return all.count > 0;
}

int oci_store_artifacts(struct oci_store *s, const char *subject, struct oci_artifacts *out,
						struct error *err)
{
	AUTO_JSON json_t *index = NULL;
	json_t *entries, *entry;
	size_t i;

	if (store_index_read(s, &index, err) < 0)
		return -1;
	*out = (struct oci_artifacts){0};
	entries = json_object_get(index, "manifests");
	out->items = xcalloc(json_array_size(entries) + 1, sizeof(out->items[0]));
	json_array_foreach(entries, i, entry)
	{
		const char *name;

		if (is_of(entry, subject) && store_index_entry(entry, &name, &out->items[out->count]))
			out->count++;
	}
	return 0;
}

int oci_store_artifact(struct oci_store *s, const char *subject, const char *type, size_t max_bytes,
					   struct buf *out, struct error *err)
{
	AUTO(oci_artifacts) struct oci_artifacts all = {0};

	if (oci_store_artifacts(s, subject, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.count; i++) {
		AUTO(oci_manifest) struct oci_manifest m = {0};

		if (strcmp(doc_text(all.items[i].raw, "artifactType", ""), type) != 0)
			continue;
		if (oci_store_manifest(s, &all.items[i], &m, err) < 0)
			return -1;
		if (m.is_index || m.layer_count != 1)
			return err_set(err, ERR_INPUT, "%s is no artifact of one document",
						   all.items[i].digest);
		return oci_store_read(s, &m.layers[0], max_bytes, out, err);
	}
	return err_set(err, ERR_MISSING, "the image store has no %s of %s", type, subject);
}
