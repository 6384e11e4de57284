/* The end of a build: several images become one index, and the whole gets its name. */
#include "build/private.h"

#include "base/mem.h"

/* The documents of one image, as the store takes them. */
struct attachment {
	struct oci_artifact items[BUILD_DOCUMENTS];
};

static json_t *describe(const struct build_image *image)
{
	const struct oci_platform *p = &image->platform;
	json_t *d = json_pack("{s:s, s:s, s:I, s:{s:s, s:s}}", "mediaType", image->image.media_type,
						  "digest", image->image.digest, "size", (json_int_t)image->image.size,
						  "platform", "architecture", p->arch, "os", p->os);

	if (p->variant[0])
		json_object_set_new(json_object_get(d, "platform"), "variant", json_string(p->variant));
	return d;
}

/* What one of the images says of itself is true of all, but for the digest of its base. */
static int annotations_of(struct oci_store *store, const struct oci_descriptor *image, json_t **out,
						  struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};

	if (oci_store_manifest(store, image, &m, err) < 0)
		return -1;
	*out = json_deep_copy(json_object_get(m.json, "annotations"));
	json_object_del(*out, "org.opencontainers.image.base.digest");
	return 0;
}

/* (image-spec v1.1, image-index.md) */
static int write_index(struct oci_store *store, struct build_result *r, struct error *err)
{
	AUTO_JSON json_t *doc = NULL;
	AUTO(buf) struct buf bytes = {0};
	json_t *manifests;
	json_t *annotations = NULL;

	if (annotations_of(store, &r->images[0].image, &annotations, err) < 0)
		return -1;
	manifests = json_array();
	for (size_t i = 0; i < r->image_count; i++)
		json_array_append_new(manifests, describe(&r->images[i]));
	doc = json_pack("{s:i, s:s, s:o, s:o*}", "schemaVersion", 2, "mediaType", OCI_MEDIA_INDEX,
					"manifests", manifests, "annotations", annotations);
	doc_json_write(doc, &bytes);
	r->image.size = bytes.len;
	r->image.media_type = xstrdup(OCI_MEDIA_INDEX);
	return oci_store_put(store, bytes.data, bytes.len, r->image.digest, err);
}

int build_name(const struct build_stamp *stamp, struct oci_store *store, struct build_result *r,
			   const struct build_documents *documents, struct error *err)
{
	AUTO_FREE struct attachment *items = xcalloc(r->image_count, sizeof(items[0]));
	AUTO_FREE struct oci_attach *attach = xcalloc(r->image_count, sizeof(attach[0]));
	struct oci_tag tag = {.ref = &stamp->ref, .image = &r->image, .attach = attach};
	char created[32];

	clock_rfc3339(stamp->created, created);
	if (r->image_count == 1)
		oci_descriptor_copy(&r->images[0].image, &r->image);
	else if (write_index(store, r, err) < 0)
		return -1;
	for (size_t i = 0; i < r->image_count; i++) {
		const struct build_documents *d = &documents[i];

		if (d->spdx.len == 0)
			continue;
		build_documents_items(d, items[i].items);
		attach[tag.attach_count++] = (struct oci_attach){.subject = &r->images[i].image,
														 .key = d->key,
														 .created = created,
														 .items = items[i].items,
														 .count = BUILD_DOCUMENTS};
	}
	return oci_store_tag_with(store, &tag, err);
}
