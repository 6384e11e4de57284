#include "oci/store.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "oci/store_private.h"

#include <string.h>

void oci_images_release(struct oci_images *images)
{
	for (size_t i = 0; i < images->count; i++) {
		free(images->items[i].ref);
		oci_descriptor_release(&images->items[i].descriptor);
	}
	free(images->items);
	*images = (struct oci_images){0};
}

int store_index_read(const struct oci_store *s, json_t **out, struct error *err)
{
	AUTO_FREE char *path = fs_join(s->root, "index.json");
	AUTO(buf) struct buf text = {0};
	AUTO_JSON json_t *doc = NULL;

	if (fs_read_settled(path, STORE_MAX_INDEX_BYTES, &text, err) == 0 &&
		doc_json_parse(buf_span(&text), path, &doc, err) == 0) {
		if (doc_int(doc, "schemaVersion", 0) == 2 &&
			json_is_array(json_object_get(doc, "manifests"))) {
			*out = TAKE(doc);
			return 0;
		}
		err_set(err, ERR_INPUT, "%s is no image index", path);
	}
	return err_hint(err, "use another store with MSCTL_STORE, or remove this one");
}

int store_index_lock(const struct oci_store *s, int *fd, struct error *err)
{
	AUTO_FREE char *path = fs_join(s->root, "index.lock");

	return fs_lock(path, true, true, fd, err);
}

int store_index_write(const struct oci_store *s, const json_t *index, struct error *err)
{
	AUTO_FREE char *path = fs_join(s->root, "index.json");
	AUTO(buf) struct buf text = {0};

	doc_json_write(index, &text);
	return fs_write_atomic(path, buf_str(&text), text.len, 0644, err);
}

bool store_index_entry(json_t *entry, const char **name, struct oci_descriptor *out)
{
	const char *digest = doc_text(entry, "digest", "");
	const char *media_type = doc_text(entry, "mediaType", "");
	int64_t size = doc_int(entry, "size", -1);
	const json_t *annotations = json_object_get(entry, "annotations");

	*name = json_string_value(json_object_get(annotations, STORE_ANNOTATION_NAME));
	if (!oci_is_digest(digest) || size < 0 || !media_type[0])
		return false;
	memset(out, 0, sizeof(*out));
	memcpy(out->digest, digest, sizeof(out->digest));
	out->size = (uint64_t)size;
	out->media_type = xstrdup(media_type);
	out->raw = json_incref(entry);
	snprintf(out->platform.os, sizeof(out->platform.os), "%s", doc_text(entry, "platform.os", ""));
	snprintf(out->platform.arch, sizeof(out->platform.arch), "%s",
			 doc_text(entry, "platform.architecture", ""));
	snprintf(out->platform.variant, sizeof(out->platform.variant), "%s",
			 doc_text(entry, "platform.variant", ""));
	return true;
}

static const char *entry_name(const json_t *entry)
{
	const json_t *annotations = json_object_get(entry, "annotations");
	const char *name = json_string_value(json_object_get(annotations, STORE_ANNOTATION_NAME));

	return name ? name : "";
}

/* Take every entry of that name out; how many there were. */
static size_t drop_name(json_t *index, const char *name)
{
	json_t *entries = json_object_get(index, "manifests");
	size_t dropped = 0;

	for (size_t i = json_array_size(entries); i > 0; i--) {
		if (strcmp(entry_name(json_array_get(entries, i - 1)), name) != 0)
			continue;
		json_array_remove(entries, i - 1);
		dropped++;
	}
	return dropped;
}

/* The name under which a reference is kept: a tag says it all, its digest is in the descriptor. */
static char *kept_name(const struct oci_ref *ref)
{
	struct oci_ref r = *ref;

	if (r.tag)
		r.digest = NULL;
	return oci_ref_text(&r);
}

static json_t *make_entry(const char *name, const struct oci_descriptor *d)
{
	json_t *entry =
		json_pack("{s:s, s:s, s:I, s:{s:s}}", "mediaType", d->media_type, "digest", d->digest,
				  "size", (json_int_t)d->size, "annotations", STORE_ANNOTATION_NAME, name);
	json_t *platform;

	if (!d->platform.os[0])
		return entry;
	platform = json_pack("{s:s, s:s}", "os", d->platform.os, "architecture", d->platform.arch);
	if (d->platform.variant[0])
		json_object_set_new(platform, "variant", json_string(d->platform.variant));
	json_object_set_new(entry, "platform", platform);
	return entry;
}

int oci_store_tag(struct oci_store *s, const struct oci_ref *ref, const struct oci_descriptor *d,
				  struct error *err)
{
	return oci_store_tag_with(s, &(struct oci_tag){.ref = ref, .image = d}, err);
}

/* A build of what was built already names what has the name already. */
static bool has_entry(const json_t *index, const json_t *wanted)
{
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(index, "manifests"), i,
					   entry) if (json_equal(entry, wanted)) return true;
	return false;
}

int oci_store_tag_with(struct oci_store *s, const struct oci_tag *tag, struct error *err)
{
	const struct oci_descriptor *d = tag->image;
	AUTO_FREE char *name = kept_name(tag->ref);
	AUTO_JSON json_t *artifacts = json_array();
	AUTO_JSON json_t *entry = NULL;
	AUTO_JSON json_t *index = NULL;
	AUTO_CLOSE int lock = -1;

	if (!oci_store_has(s, d->digest, d->size))
		return err_set(err, ERR_MISSING, "cannot name %s: %s is not in the image store", name,
					   d->digest);
	for (size_t i = 0; i < tag->attach_count; i++)
		if (store_put_artifacts(s, &tag->attach[i], artifacts, err) < 0)
			return -1;
	if (store_index_lock(s, &lock, err) < 0 || store_index_read(s, &index, err) < 0)
		return -1;
	entry = make_entry(name, d);
	if (tag->attach_count == 0 && !s->has_new_blobs && has_entry(index, entry))
		return 0;
	/* the blobs' names must be on the disk before the index refers to them */
	if (fs_sync_dir(s->blobs, err) < 0)
		return -1;
	s->has_new_blobs = false;
	if (tag->attach_count == 0 && has_entry(index, entry))
		return 0;
	drop_name(index, name);
	json_array_append(json_object_get(index, "manifests"), entry);
	for (size_t i = 0; i < tag->attach_count; i++)
		store_drop_artifacts(index, tag->attach[i].subject->digest);
	json_array_extend(json_object_get(index, "manifests"), artifacts);
	store_drop_orphans(s, index);
	return store_index_write(s, index, err);
}

static int by_ref(const void *a, const void *b)
{
	const struct oci_image *x = a, *y = b;

	return strcmp(x->ref, y->ref);
}

int oci_store_list(struct oci_store *s, struct oci_images *out, struct error *err)
{
	AUTO(oci_images) struct oci_images images = {0};
	AUTO_JSON json_t *index = NULL;
	json_t *entries, *entry;
	size_t i;

	if (store_index_read(s, &index, err) < 0)
		return -1;
	entries = json_object_get(index, "manifests");
	images.items = xcalloc(json_array_size(entries), sizeof(images.items[0]));
	json_array_foreach(entries, i, entry)
	{
		struct oci_image *image = &images.items[images.count];
		const char *name;

		if (!store_index_entry(entry, &name, &image->descriptor))
			continue;
		if (!name || !name[0]) {
			oci_descriptor_release(&image->descriptor);
			continue;
		}
		image->ref = xstrdup(name);
		images.count++;
	}
	qsort(images.items, images.count, sizeof(images.items[0]), by_ref);
	*out = MOVE(images);
	return 0;
}

static int not_found(const struct oci_images *images, const char *name, struct error *err)
{
	AUTO_FREE const char **names = xcalloc(images->count + 1, sizeof(names[0]));
	const char *near;

	for (size_t i = 0; i < images->count; i++)
		names[i] = images->items[i].ref;
	near = text_nearest(name, names);
	err_set(err, ERR_MISSING, "no image %s in the image store", name);
	if (near)
		return err_hint(err, "did you mean %s?", near);
	return err_hint(err, "run 'msctl image ls' to see the images that are here");
}

int oci_store_find(struct oci_store *s, const struct oci_ref *ref, struct oci_descriptor *out,
				   struct error *err)
{
	AUTO(oci_images) struct oci_images images = {0};
	AUTO_FREE char *name = ref->digest ? oci_ref_text(ref) : kept_name(ref);

	if (oci_store_list(s, &images, err) < 0)
		return -1;
	for (size_t i = 0; i < images.count; i++) {
		const struct oci_image *image = &images.items[i];

		if (ref->digest ? strcmp(image->descriptor.digest, ref->digest) != 0
						: strcmp(image->ref, name) != 0)
			continue;
		oci_descriptor_copy(&image->descriptor, out);
		return 0;
	}
	return not_found(&images, name, err);
}

int oci_store_untag(struct oci_store *s, const struct oci_ref *ref, bool prune, uint64_t *freed,
					struct error *err)
{
	AUTO_FREE char *name = kept_name(ref);
	AUTO_JSON json_t *index = NULL;
	AUTO_CLOSE int lock = -1;
	struct error busy = {0};
	int rc = 0;

	if (store_index_lock(s, &lock, err) < 0 || store_index_read(s, &index, err) < 0)
		return -1;
	if (drop_name(index, name) == 0) {
		AUTO(oci_images) struct oci_images images = {0};

		return oci_store_list(s, &images, err) < 0 ? -1 : not_found(&images, name, err);
	}
	store_drop_orphans(s, index);
	if (store_index_write(s, index, err) < 0)
		return -1;
	close(TAKE_FD(lock));
	if (freed)
		*freed = 0;
	/* while another process works here the blobs stay for the next collection */
	if (!prune || store_lease_exclusive(s, &busy) < 0)
		return 0;
	rc = store_sweep(s, freed, err);
	store_lease_shared(s);
	return rc;
}
