#include "tests/unit/registry/image.h"

#include "registry/referrers.h"

#define TYPE "application/spdx+json"
#define API REPO "referrers/" MANIFEST_DIGEST
#define TAG REPO "manifests/sha256-2d635ccd2992f616dc592e191b53d2246f4900fafde3f017e289c6cd7b070d90"
#define TAGS REPO "tags/list?n=1"
#define EMPTY_INDEX "{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_INDEX "\",\"manifests\":[]}"
#define OTHER_SIZE "\",\"size\":9,\"x\":1}"
#define OTHER "{\"mediaType\":\"" OCI_MEDIA_MANIFEST "\",\"digest\":\"" LAYER_DIGEST OTHER_SIZE

/* A world whose image has an SBOM, and what the registry is to say of it. */
struct subject {
	struct world w;
	struct oci_descriptor image, artifact;
	char url[200];     /* of the artifact's manifest */
	char listed[2000]; /* an index with it and another one */
};

static void subject_release(struct subject *s)
{
	oci_descriptor_release(&s->image);
	oci_descriptor_release(&s->artifact);
	world_release(&s->w);
}

static void subject_open(struct subject *s, const struct script_answer *answers)
{
	const struct oci_artifact items[] = {{TYPE, "{}", 2, NULL, NULL}};
	const struct oci_attach what = {&s->image, "key", "1970-01-01T00:00:00Z", items, 1};
	const struct oci_tag tag = {&s->w.ref, &s->image, &what, 1};
	AUTO(oci_artifacts) struct oci_artifacts all = {0};
	struct world *w = &s->w;

	world_open(w, answers, NULL, (struct registry_options){0});
	world_add_image(w, &s->image);
	cr_assert_eq(oci_store_tag_with(w->store, &tag, &w->err), 0, "%s", w->err.msg);
	cr_assert_eq(oci_store_artifacts(w->store, MANIFEST_DIGEST, &all, &w->err), 0);
	cr_assert_eq(all.count, 1);
	oci_descriptor_copy(&all.items[0], &s->artifact);
	snprintf(s->url, sizeof(s->url), REPO "manifests/%s", s->artifact.digest);
	snprintf(s->listed, sizeof(s->listed),
			 "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[%s,{\"mediaType\":\"%s\","
			 "\"digest\":"
			 "\"%s\",\"size\":%zu}]}",
			 OCI_MEDIA_INDEX, OTHER, OCI_MEDIA_MANIFEST, s->artifact.digest,
			 (size_t)s->artifact.size);
}

static int attach(struct subject *s, size_t *count)
{
	return registry_push_referrers(
		s->w.registry,
		&(struct registry_push){.store = s->w.store, .image = &s->image, .to = &s->w.ref}, count,
		&s->w.err);
}

/* The requests that bring the artifact up: its one blob is the empty one. */
#define EMPTY_DIGEST "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

Test(referrers, what_the_registry_lists_costs_one_request)
{
	struct script_answer answers[] = {{"GET", API, 200}, {0}};
	AUTO(subject) struct subject s = {0};
	size_t count = 0;

	subject_open(&s, answers);
	answers[0].body = s.listed;
	cr_assert_eq(attach(&s, &count), 0, "%s", s.w.err.msg);
	cr_expect_eq(count, 1);
	cr_expect_eq(s.w.script.seen.count, 1);
}

Test(referrers, a_registry_that_lists_them_gets_no_tag)
{
	struct script_answer answers[] = {
		{"GET", API, 200, .body = EMPTY_INDEX},
		{"HEAD", REPO "blobs/" EMPTY_DIGEST, 200},
		{"PUT", NULL, 201},
		{"GET", API, 200},
		{0},
	};
	AUTO(subject) struct subject s = {0};
	size_t count = 0;

	subject_open(&s, answers);
	answers[2].url = s.url;
	answers[3].body = s.listed;
	cr_assert_eq(attach(&s, &count), 0, "%s", s.w.err.msg);
	cr_expect(script_is_done(&s.w.script));
	cr_expect_eq(count, 1);
}

Test(referrers, others_keep_their_place_in_the_index_of_the_tag)
{
	struct script_answer answers[] = {
		{"GET", API, 404},
		{"GET", TAG, 200,
		 .body = "{\"schemaVersion\":2,\"manifests\":[" OTHER "],\"annotations\":{}}"},
		{"HEAD", REPO "blobs/" EMPTY_DIGEST, 200},
		{"PUT", NULL, 201},
		{"GET", TAG, 200,
		 .body = "{\"schemaVersion\":2,\"manifests\":[" OTHER "],\"annotations\":{}}"},
		{"PUT", TAG, 201},
		{"GET", TAG, 200},
		{0},
	};
	AUTO(subject) struct subject s = {0};
	const struct script_seen *put;
	size_t count = 0;

	subject_open(&s, answers);
	answers[3].url = s.url;
	answers[6].body = s.listed;
	cr_assert_eq(attach(&s, &count), 0, "%s", s.w.err.msg);
	cr_expect(script_is_done(&s.w.script));
	put = &s.w.script.seen.items[5];
	cr_assert_str_eq(put->url, TAG);
	cr_expect_str_eq(script_header(&s.w.script, 5, "Content-Type"), OCI_MEDIA_INDEX);
	cr_expect(strstr(buf_str(&put->body), "\"x\":1"), "%s", buf_str(&put->body));
	cr_expect(strstr(buf_str(&put->body), s.artifact.digest));
	cr_expect(strstr(buf_str(&put->body), "\"artifactType\":\"" TYPE "\""));
	cr_expect(strstr(buf_str(&put->body), "image.created"));
}

Test(referrers, an_index_that_loses_entries_is_written_again_and_then_told)
{
	struct script_answer answers[] = {
		{"GET", API, 404},
		{"GET", TAG, 404},
		{"HEAD", REPO "blobs/" EMPTY_DIGEST, 200},
		{"PUT", NULL, 201},
		{"GET", TAG, 404},
		{"PUT", TAG, 201},
		{"GET", TAG, 404},
		{"PUT", TAG, 201},
		{"GET", TAG, 404},
		{"PUT", TAG, 201},
		{"GET", TAG, 404},
		{"PUT", TAG, 201},
		{"GET", TAG, 404},
		{0},
	};
	AUTO(subject) struct subject s = {0};
	AUTO_FREE char *said = NULL;
	size_t count = 7;

	subject_open(&s, answers);
	said = xasprintf("Docker-Content-Digest: %s", s.artifact.digest);
	answers[3].url = s.url;
	answers[3].headers = said;
	cr_assert_eq(attach(&s, &count), -1);
	cr_expect(script_is_done(&s.w.script));
	cr_expect_eq(s.w.err.code, ERR_CONFLICT, "%s", s.w.err.msg);
	cr_expect_eq(count, 7);
}

Test(referrers, a_tag_that_is_no_index_is_left_alone)
{
	static const struct script_answer answers[] = {
		{"GET", API, 501}, {"GET", TAG, 200, .headers = OCI_TYPE, .body = MANIFEST}, {0}};
	AUTO(subject) struct subject s = {0};
	size_t count;

	subject_open(&s, answers);
	cr_assert_eq(attach(&s, &count), -1);
	cr_expect_eq(s.w.err.code, ERR_INPUT, "%s", s.w.err.msg);
	cr_expect(strstr(s.w.err.hint, "--no-sbom"));
	cr_expect_eq(s.w.script.seen.count, 2);
}

Test(referrers, an_image_without_artifacts_costs_nothing)
{
	static const struct script_answer answers[] = {{0}};
	AUTO(world) struct world w = {0};
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	size_t count = 7;

	world_open(&w, answers, NULL, (struct registry_options){0});
	world_add_image(&w, &d);
	cr_assert_eq(registry_push_referrers(
					 w.registry,
					 &(struct registry_push){.store = w.store, .image = &d, .to = &w.ref}, &count,
					 &w.err),
				 0);
	cr_expect_eq(count, 0);
	cr_expect_eq(w.script.seen.count, 0);
}

#define DOCUMENT "{\"a\":1}"
#define DOCUMENT_HEX "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"

Test(referrers, several_go_in_one_batch)
{
	const struct oci_artifact items[] = {{"application/a+json", "{}", 2, NULL, NULL},
										 {"application/b+json", DOCUMENT, 7, NULL, NULL}};
	struct script_answer answers[] = {
		{"GET", API, 404},
		{"GET", TAG, 404},
		{"HEAD", REPO "blobs/" EMPTY_DIGEST, 200},
		{"HEAD", REPO "blobs/sha256:" DOCUMENT_HEX, 404},
		{"POST", UPLOADS, 202, .headers = "Location: /v2/shop/hello/blobs/uploads/d"},
		{"PUT", UPLOADS "d?digest=sha256%3A" DOCUMENT_HEX, 201},
		{"PUT", NULL, 201},
		{"PUT", NULL, 201},
		{"GET", TAG, 404},
		{"PUT", TAG, 201},
		{"GET", TAG, 200},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(oci_descriptor) struct oci_descriptor image = {0};
	AUTO(oci_artifacts) struct oci_artifacts all = {0};
	const struct oci_attach what = {&image, "key", "1970-01-01T00:00:00Z", items, 2};
	const struct oci_tag tag = {&w.ref, &image, &what, 1};
	char urls[2][200], listed[1000];
	size_t count = 0;

	world_open(&w, answers, NULL, (struct registry_options){0});
	world_add_image(&w, &image);
	cr_assert_eq(oci_store_tag_with(w.store, &tag, &w.err), 0, "%s", w.err.msg);
	cr_assert_eq(oci_store_artifacts(w.store, MANIFEST_DIGEST, &all, &w.err), 0);
	cr_assert_eq(all.count, 2);
	for (size_t i = 0; i < 2; i++) {
		snprintf(urls[i], sizeof(urls[i]), REPO "manifests/%s", all.items[i].digest);
		answers[6 + i].url = urls[i];
	}
	snprintf(
		listed, sizeof(listed),
		"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":1"
		"},{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":1}]}",
		OCI_MEDIA_MANIFEST, all.items[0].digest, OCI_MEDIA_MANIFEST, all.items[1].digest);
	answers[10].body = listed;
	cr_assert_eq(registry_push_referrers(
					 w.registry,
					 &(struct registry_push){.store = w.store, .image = &image, .to = &w.ref},
					 &count, &w.err),
				 0, "%s", w.err.msg);
	cr_expect(script_is_done(&w.script));
	cr_expect_eq(count, 2);
}
