#include "oci/store.h"

#include "base/fs.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <string.h>

#define TYPE_A "application/a+json"
#define TYPE_B "application/b+json"

static char *root;

static void setup(void)
{
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "msctl-unit-", &root, &err), 0, "%s", err.msg);
}

static void teardown(void)
{
	struct error err = {0};

	fs_remove_tree(root, &err);
	free(root);
}

TestSuite(oci_artifacts, .init = setup, .fini = teardown);

static struct oci_store *open_store(void)
{
	struct oci_store *s = NULL;
	struct error err = {0};

	cr_assert_eq(oci_store_open(root, &s, &err), 0, "%s", err.msg);
	return s;
}

static void put(struct oci_store *s, const char *text, struct oci_descriptor *d)
{
	struct error err = {0};

	cr_assert_eq(oci_store_put(s, text, strlen(text), d->digest, &err), 0, "%s", err.msg);
	d->size = strlen(text);
}

/* A manifest whose one layer is text. */
static void put_manifest(struct oci_store *s, const char *text, struct oci_descriptor *out)
{
	struct oci_descriptor blob = {0};
	AUTO_FREE char *manifest = NULL;

	put(s, text, &blob);
	manifest =
		xasprintf("{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":\"%s\","
				  "\"digest\":\"%s\",\"size\":%zu},\"layers\":[]}",
				  OCI_MEDIA_MANIFEST, OCI_MEDIA_CONFIG, blob.digest, (size_t)blob.size);
	put(s, manifest, out);
	out->media_type = xstrdup(OCI_MEDIA_MANIFEST);
}

static void name(struct oci_store *s, const char *text, const struct oci_descriptor *d,
				 const struct oci_attach *what)
{
	AUTO(oci_ref) struct oci_ref ref = {0};
	struct oci_attach attach = what ? *what : (struct oci_attach){0};
	struct oci_tag tag = {&ref, d, &attach, what ? 1 : 0};
	struct error err = {0};

	attach.subject = d;
	cr_assert_eq(oci_ref_parse_tagged(text, &ref, &err), 0);
	cr_assert_eq(oci_store_tag_with(s, &tag, &err), 0, "%s", err.msg);
}

static void unname(struct oci_store *s, const char *text)
{
	AUTO(oci_ref) struct oci_ref ref = {0};
	struct error err = {0};

	cr_assert_eq(oci_ref_parse_tagged(text, &ref, &err), 0);
	cr_assert_eq(oci_store_untag(s, &ref, true, NULL, &err), 0, "%s", err.msg);
}

static size_t count(struct oci_store *s, const struct oci_descriptor *d)
{
	AUTO(oci_artifacts) struct oci_artifacts all = {0};
	struct error err = {0};

	cr_assert_eq(oci_store_artifacts(s, d->digest, &all, &err), 0, "%s", err.msg);
	return all.count;
}

/* The document of a type; "" when there is none. Caller frees. */
static char *document(struct oci_store *s, const struct oci_descriptor *d, const char *type)
{
	struct buf text = {0};
	struct error err = {0};

	if (oci_store_artifact(s, d->digest, type, 1000, &text, &err) == 0)
		return buf_take(&text);
	cr_expect_eq(err.code, ERR_MISSING, "%s", err.msg);
	return xstrdup("");
}

static void expect_document(struct oci_store *s, const struct oci_descriptor *d, const char *type,
							const char *want)
{
	AUTO_FREE char *is = document(s, d, type);

	cr_expect_str_eq(is, want);
}

static const struct oci_artifact two[] = {
	{TYPE_A, "{\"a\":1}", 7, "example.org/kind", "first"},
	{TYPE_B, "{\"b\":1}", 7, NULL, NULL},
};
static const struct oci_artifact other[] = {{TYPE_A, "{\"a\":2}", 7, NULL, NULL}};
static const struct oci_attach first = {NULL, "one", "1970-01-01T00:00:00Z", two, 2};
static const struct oci_attach second = {NULL, "two", "1970-01-01T00:00:00Z", other, 1};

Test(oci_artifacts, documents_live_as_long_as_their_image_has_a_name)
{
	AUTO_PTR(oci_store) struct oci_store *s = open_store();
	AUTO(oci_descriptor) struct oci_descriptor image = {0}, next = {0};
	AUTO(oci_images) struct oci_images images = {0};
	struct error err = {0};
	uint64_t freed = 0;
	size_t checked = 0, broken = 0;

	put_manifest(s, "image", &image);
	name(s, "x:1", &image, &first);
	name(s, "x:again", &image, NULL);
	cr_expect_eq(count(s, &image), 2);
	cr_assert_eq(oci_store_list(s, &images, &err), 0);
	cr_expect_eq(images.count, 2, "artifacts have no names");
	unname(s, "x:1");
	cr_assert_eq(oci_store_gc(s, &freed, &err), 0, "%s", err.msg);
	cr_expect_eq(count(s, &image), 2);
	expect_document(s, &image, TYPE_A, "{\"a\":1}");
	expect_document(s, &image, TYPE_B, "{\"b\":1}");
	expect_document(s, &image, "application/c", "");
	cr_assert_eq(oci_store_verify(s, &checked, &broken, &err), 0);
	cr_expect(checked == 7 && broken == 0, "%zu %zu", checked, broken);
	/* the name goes to another image */
	put_manifest(s, "next", &next);
	name(s, "x:again", &next, NULL);
	cr_expect_eq(count(s, &image), 0);
	cr_assert_eq(oci_store_gc(s, &freed, &err), 0, "%s", err.msg);
	cr_expect_gt(freed, 0);
	cr_assert_eq(oci_store_verify(s, &checked, &broken, &err), 0);
	cr_expect(checked == 2 && broken == 0, "%zu %zu", checked, broken);
}

Test(oci_artifacts, documents_are_replaced_and_known_by_their_key)
{
	AUTO_PTR(oci_store) struct oci_store *s = open_store();
	AUTO(oci_descriptor) struct oci_descriptor image = {0};
	AUTO(oci_artifacts) struct oci_artifacts all = {0};
	AUTO(oci_manifest) struct oci_manifest m = {0};
	struct error err = {0};

	put_manifest(s, "image", &image);
	cr_expect_not(oci_store_is_attached(s, &image, "one"));
	name(s, "x:1", &image, &first);
	cr_expect(oci_store_is_attached(s, &image, "one"));
	cr_expect_not(oci_store_is_attached(s, &image, "two"));
	name(s, "x:1", &image, &second);
	cr_expect_not(oci_store_is_attached(s, &image, "one"));
	cr_expect(oci_store_is_attached(s, &image, "two"));
	cr_expect_eq(count(s, &image), 1);
	expect_document(s, &image, TYPE_A, "{\"a\":2}");
	cr_assert_eq(oci_store_artifacts(s, image.digest, &all, &err), 0);
	cr_assert_eq(oci_store_manifest(s, &all.items[0], &m, &err), 0, "%s", err.msg);
	cr_expect_str_eq(doc_text(m.json, "subject.digest", ""), image.digest);
	cr_expect_str_eq(doc_text(m.json, "artifactType", ""), TYPE_A);
	cr_expect_str_eq(doc_text(m.json, "config.mediaType", ""), OCI_MEDIA_EMPTY);
	/* a document that was lost is not there */
	oci_store_drop_broken(s, m.layers[0].digest);
	cr_expect_not(oci_store_is_attached(s, &image, "two"));
}

Test(oci_artifacts, an_annotation_stands_on_its_own_manifest_and_blob)
{
	AUTO_PTR(oci_store) struct oci_store *s = open_store();
	AUTO(oci_descriptor) struct oci_descriptor image = {0};
	AUTO(oci_artifacts) struct oci_artifacts all = {0};
	struct error err = {0};

	put_manifest(s, "image", &image);
	name(s, "x:1", &image, &first);
	cr_assert_eq(oci_store_artifacts(s, image.digest, &all, &err), 0);
	cr_assert_eq(all.count, 2);
	for (size_t i = 0; i < all.count; i++) {
		AUTO(oci_manifest) struct oci_manifest m = {0};
		const char *want = i == 0 ? "first" : NULL;
		const char *on_manifest, *on_blob;

		cr_assert_eq(oci_store_manifest(s, &all.items[i], &m, &err), 0, "%s", err.msg);
		on_manifest = json_string_value(
			json_object_get(json_object_get(m.json, "annotations"), "example.org/kind"));
		on_blob = json_string_value(
			json_object_get(doc_get(m.json, "layers.0.annotations"), "example.org/kind"));
		cr_expect_eq(on_manifest == NULL, want == NULL);
		cr_expect_eq(on_blob == NULL, want == NULL);
		cr_expect(!want || (strcmp(on_manifest, want) == 0 && strcmp(on_blob, want) == 0));
	}
}

Test(oci_artifacts, documents_live_by_an_index_that_lists_their_image)
{
	AUTO_PTR(oci_store) struct oci_store *s = open_store();
	AUTO(oci_descriptor) struct oci_descriptor image = {0}, index = {0};
	AUTO(oci_ref) struct oci_ref ref = {0};
	struct oci_attach attach = first;
	struct oci_tag tag = {&ref, &index, &attach, 1};
	AUTO_FREE char *text = NULL;
	struct error err = {0};
	uint64_t freed = 0;

	put_manifest(s, "image", &image);
	text = xasprintf("{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[{\"mediaType\":"
					 "\"%s\",\"digest\":\"%s\",\"size\":%llu}]}",
					 OCI_MEDIA_INDEX, OCI_MEDIA_MANIFEST, image.digest,
					 (unsigned long long)image.size);
	index.size = strlen(text);
	index.media_type = xstrdup(OCI_MEDIA_INDEX);
	cr_assert_eq(oci_store_put(s, text, index.size, index.digest, &err), 0, "%s", err.msg);
	attach.subject = &image;
	cr_assert_eq(oci_ref_parse_tagged("x:1", &ref, &err), 0);
	cr_assert_eq(oci_store_tag_with(s, &tag, &err), 0, "%s", err.msg);
	cr_expect_eq(count(s, &image), 2);
	cr_expect_eq(count(s, &index), 0);
	/* a change elsewhere, and a collection */
	name(s, "y:1", &image, NULL);
	unname(s, "y:1");
	cr_assert_eq(oci_store_gc(s, &freed, &err), 0, "%s", err.msg);
	cr_expect(oci_store_is_attached(s, &image, "one"));
	unname(s, "x:1");
	cr_expect_eq(count(s, &image), 0);
}
