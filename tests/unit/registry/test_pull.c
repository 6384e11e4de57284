#include "tests/unit/registry/image.h"

#include "registry/download.h"

#define GET_MANIFEST                                                                               \
	{                                                                                              \
		"GET", MANIFEST_URL, 200, .headers = OCI_TYPE "\nDocker-Content-Digest: " MANIFEST_DIGEST, \
								  .body = MANIFEST                                                 \
	}

static int pull_with(struct world *w, const char *platform, bool all, struct registry_result *r)
{
	struct oci_platform p;

	if (platform)
		cr_assert_eq(oci_platform_parse(platform, &p, &w->err), 0);
	return registry_pull(w->registry,
						 &(struct registry_pull){w->store, &w->ref, platform ? &p : NULL, all}, r,
						 &w->err);
}

static int pull(struct world *w, struct registry_result *r)
{
	return pull_with(w, "linux/amd64", false, r);
}

static void expect_nothing_named(struct world *w)
{
	AUTO(oci_images) struct oci_images images = {0};
	AUTO(strv) struct strv temp = {0};
	AUTO_FREE char *dir = fs_join(oci_store_path(w->store), "tmp");

	cr_assert_eq(oci_store_list(w->store, &images, &w->err), 0);
	cr_expect_eq(images.count, 0);
	cr_assert_eq(fs_list(dir, &temp, &w->err), 0);
	cr_expect_eq(temp.count, 0, "a temporary file is left");
}

Test(pull, an_image_comes_whole_and_is_named)
{
	static const struct script_answer answers[] = {
		GET_MANIFEST,
		{"GET", CONFIG_URL, 200, .body = CONFIG},
		{"GET", LAYER_URL, 200, .headers = "Content-Length: 6", .body = LAYER},
		GET_MANIFEST,
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};
	AUTO(registry_result) struct registry_result again = {0};
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	size_t broken = 0;
	size_t checked = 0;

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(pull(&w, &r), 0, "%s", w.err.msg);
	cr_expect_eq(r.moved, 2);
	cr_expect_eq(r.moved_bytes, strlen(CONFIG) + strlen(LAYER));
	cr_assert_eq(oci_store_find(w.store, &w.ref, &d, &w.err), 0, "%s", w.err.msg);
	cr_expect_str_eq(d.digest, MANIFEST_DIGEST);
	cr_assert_eq(oci_store_verify(w.store, &checked, &broken, &w.err), 0);
	cr_expect_eq(broken, 0);
	cr_assert_eq(pull(&w, &again), 0, "%s", w.err.msg);
	cr_expect_eq(w.script.seen.count, 4, "the second pull asks for the manifest alone");
	cr_expect_eq(again.present, 2);
}

#define INDEX_ANSWER                                                   \
	{                                                                  \
		"GET", MANIFEST_URL, 200, .headers = INDEX_TYPE, .body = INDEX \
	}

Test(pull, of_an_index_one_platform_is_taken)
{
	static const struct script_answer answers[] = {
		INDEX_ANSWER,
		{"GET", REPO "manifests/" MANIFEST_DIGEST, 200, .headers = OCI_TYPE, .body = MANIFEST},
		{"GET", CONFIG_URL, 200, .body = CONFIG},
		{"GET", LAYER_URL, 200, .body = LAYER},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(pull(&w, &r), 0, "%s", w.err.msg);
	cr_expect_str_eq(r.image.digest, MANIFEST_DIGEST);
}

Test(pull, an_index_without_the_platform_says_what_it_has)
{
	static const struct script_answer answers[] = {INDEX_ANSWER, {0}};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(pull_with(&w, "linux/s390x", false, &r), -1);
	cr_expect_eq(w.err.code, ERR_MISSING);
	cr_expect(strstr(w.err.hint, "linux/amd64, linux/arm64") != NULL, "%s", w.err.hint);
}

Test(pull, a_manifest_that_is_not_as_its_index_says_is_refused)
{
#define ENTRY(type, size)                                        \
	"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" type \
	"\",\"digest\":\"" MANIFEST_DIGEST "\",\"size\":" size       \
	",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}]}"
	static const char *const indexes[] = {
		INDEX, /* of arm64: another digest */
		ENTRY(OCI_MEDIA_MANIFEST, "3"),
		ENTRY(DOCKER_MEDIA_MANIFEST, "407"),
	};

	for (size_t i = 0; i < ARRAY_LEN(indexes); i++) {
		const char *digest =
			i ? MANIFEST_DIGEST
			  : "sha256:0000000000000000000000000000000000000000000000000000000000000000";
		AUTO_FREE char *url = xasprintf(REPO "manifests/%s", digest);
		const struct script_answer answers[] = {
			{"GET", MANIFEST_URL, 200, .headers = INDEX_TYPE, .body = indexes[i]},
			{"GET", url, 200, .headers = OCI_TYPE, .body = MANIFEST},
			{0},
		};
		AUTO(world) struct world w = {0};
		AUTO(registry_result) struct registry_result r = {0};

		world_open(&w, answers, NULL, (struct registry_options){0});
		cr_expect_eq(pull_with(&w, i ? "linux/amd64" : "linux/arm64", false, &r), -1);
		cr_expect_eq(w.err.code, ERR_INPUT, "%s", w.err.msg);
		cr_expect_eq(w.script.seen.count, 2);
		expect_nothing_named(&w);
	}
}

Test(pull, a_lie_about_a_manifest_is_found)
{
	static const struct {
		const char *ref, *headers, *body, *says;
	} rows[] = {
		{"1", OCI_TYPE "\nDocker-Content-Digest: " LAYER_DIGEST, MANIFEST,
		 "says that the manifest's digest"},
		{"1", INDEX_TYPE, MANIFEST, "is sent as"},
		{"1", "Content-Type: text/html", MANIFEST, "text/html"},
		{"1", "Content-Type: application/vnd.docker.distribution.manifest.v1+prettyjws", "{}",
		 "schema 1"},
		{"1", OCI_TYPE, "{\"schemaVersion\":1}", "schema version 1"},
		{"1", OCI_TYPE, "{\"schemaVersion\":2,\"schemaVersion\":2}", "duplicate"},
		{"1", OCI_TYPE, "<html>", "not valid JSON"},
		{"1", OCI_TYPE, "", "not valid JSON"},
		{LAYER_DIGEST, OCI_TYPE, MANIFEST, "instead of " LAYER_DIGEST},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *url = xasprintf(REPO "manifests/%s", rows[i].ref);
		AUTO_FREE char *text = xasprintf("r.test/shop/hello%s%s", i == 8 ? "@" : ":", rows[i].ref);
		const struct script_answer answers[] = {
			{"GET", url, 200, .headers = rows[i].headers, .body = rows[i].body}, {0}};
		AUTO(world) struct world w = {0};
		AUTO(registry_result) struct registry_result r = {0};

		world_open(&w, answers, NULL, (struct registry_options){0});
		oci_ref_release(&w.ref);
		cr_assert_eq(oci_ref_parse(text, &w.ref, &w.err), 0);
		cr_expect_eq(pull(&w, &r), -1);
		cr_expect_eq(w.err.code, ERR_INPUT, "%s", w.err.msg);
		cr_expect(strstr(w.err.msg, rows[i].says) != NULL, "%s", w.err.msg);
		expect_nothing_named(&w);
	}
}

Test(pull, content_type_parameters_are_ignored)
{
	static const struct script_answer answers[] = {
		{"GET", MANIFEST_URL, 200, .headers = OCI_TYPE "; charset=utf-8", .body = MANIFEST},
		{"GET", CONFIG_URL, 200, .body = CONFIG},
		{"GET", LAYER_URL, 200, .body = LAYER},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_expect_eq(pull(&w, &r), 0, "%s", w.err.msg);
}

Test(pull, a_lie_about_a_blob_is_found)
{
	static const struct {
		const char *config, *layer, *headers;
		enum err_code code;
	} rows[] = {
		{CONFIG, "LAYER\n", NULL, ERR_INPUT},  {CONFIG, "layer", NULL, ERR_INPUT},
		{CONFIG, "layer\nx", NULL, ERR_INPUT}, {CONFIG, "layer", "Content-Length: 5", ERR_INPUT},
		{"{}", LAYER, NULL, ERR_INPUT},        {CONFIG " ", LAYER, NULL, ERR_INPUT},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_answer answers[] = {
			GET_MANIFEST,
			{"GET", CONFIG_URL, 200, .body = rows[i].config},
			{"GET", LAYER_URL, 200, .body = rows[i].layer, .headers = rows[i].headers},
			{0},
		};
		AUTO(world) struct world w = {0};
		AUTO(registry_result) struct registry_result r = {0};

		world_open(&w, answers, NULL, (struct registry_options){0});
		cr_expect_eq(pull(&w, &r), -1);
		cr_expect_eq(w.err.code, rows[i].code, "%zu: %s", i, w.err.msg);
		expect_nothing_named(&w);
	}
}

Test(pull, a_download_that_breaks_off_goes_on)
{
	static const struct script_answer answers[] = {
		GET_MANIFEST,
		{"GET", CONFIG_URL, 200, .body = CONFIG},
		{"GET", LAYER_URL, 200, .body = LAYER, .cut = 2},
		{"GET", LAYER_URL, 206, .headers = "Content-Range: bytes 2-5/6", .body = "yer\n"},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(pull(&w, &r), 0, "%s", w.err.msg);
	cr_expect_str_eq(script_header(&w.script, 3, "Range"), "bytes=2-");
}

Test(pull, a_download_begins_anew_where_ranges_are_ignored)
{
	static const struct script_answer answers[] = {
		GET_MANIFEST,
		{"GET", CONFIG_URL, 200, .body = CONFIG},
		{"GET", LAYER_URL, 200, .body = LAYER, .cut = 2},
		{"GET", LAYER_URL, 200, .body = LAYER},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_expect_eq(pull(&w, &r), 0, "%s", w.err.msg);
}

Test(pull, what_cannot_be_run_is_refused_before_its_layers_come)
{
#define KIND(config, layer)                                                              \
	"{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_MANIFEST                           \
	"\",\"config\":{\"mediaType\":\"" config "\",\"digest\":\"" CONFIG_DIGEST            \
	"\",\"size\":2},\"layers\":[{\"mediaType\":\"" layer "\",\"digest\":\"" LAYER_DIGEST \
	"\",\"size\":6}]}"
	static const struct {
		const char *body, *says;
	} rows[] = {
		{KIND("application/vnd.cncf.helm.config.v1+json", OCI_MEDIA_LAYER), "artifact of type"},
		{KIND(OCI_MEDIA_CONFIG, "application/vnd.oci.image.layer.v1.tar+encrypted"),
		 "unknown media type"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_answer answers[] = {
			{"GET", MANIFEST_URL, 200, .headers = OCI_TYPE, .body = rows[i].body}, {0}};
		AUTO(world) struct world w = {0};
		AUTO(registry_result) struct registry_result r = {0};

		world_open(&w, answers, NULL, (struct registry_options){0});
		cr_expect_eq(pull(&w, &r), -1);
		cr_expect_eq(w.err.code, ERR_INPUT);
		cr_expect(strstr(w.err.msg, rows[i].says) != NULL, "%s", w.err.msg);
		cr_expect_eq(w.script.seen.count, 1);
	}
}

Test(pull, a_config_names_as_many_layers_as_its_manifest)
{
	static const char none[] = "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":"
							   "\"layers\",\"diff_ids\":[]}}";
	AUTO(oci_manifest) struct oci_manifest m = {0};
	struct error err = {0};

	cr_assert_eq(oci_manifest_parse(span_of(MANIFEST), NULL, "m", &m, &err), 0, "%s", err.msg);
	cr_expect_eq(pull_check_config(&m, NULL, span_of(CONFIG), "c", &err), 0, "%s", err.msg);
	cr_expect_eq(pull_check_config(&m, NULL, span_of(none), "c", &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
}

Test(pull, a_lone_image_is_for_the_platform_that_was_asked_for)
{
	static const struct script_answer answers[] = {
		GET_MANIFEST,
		{"GET", CONFIG_URL, 200, .body = CONFIG}, /* refused by the registry's config */
		GET_MANIFEST,
		{"GET", CONFIG_URL, 200, .body = CONFIG},
		{"GET", LAYER_URL, 200, .body = LAYER},
		GET_MANIFEST, /* refused by the store's config */
		{0},
	};
	static const char *const platforms[] = {"linux/arm64", "linux/amd64", "linux/arm64"};
	AUTO(world) struct world w = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	for (size_t i = 0; i < ARRAY_LEN(platforms); i++) {
		AUTO(registry_result) struct registry_result r = {0};

		cr_assert_eq(pull_with(&w, platforms[i], false, &r), i == 1 ? 0 : -1, "%s", w.err.msg);
		if (i == 1)
			continue;
		cr_expect_eq(w.err.code, ERR_MISSING, "%s", w.err.msg);
		cr_expect(strstr(w.err.hint, "--platform linux/amd64") != NULL, "%s", w.err.hint);
	}
	cr_expect(script_is_done(&w.script));
}

Test(pull, a_damaged_config_of_the_store_is_healed)
{
	static const struct script_answer answers[] = {
		GET_MANIFEST,
		{"GET", CONFIG_URL, 200, .body = CONFIG},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *bad = xstrdup(CONFIG);

	bad[0] = '!';
	world_open(&w, answers, NULL, (struct registry_options){0});
	world_add_image(&w, &d);
	path = xasprintf("%s/blobs/sha256/" CONFIG_HEX, oci_store_path(w.store));
	cr_assert_eq(fs_write_atomic(path, bad, strlen(bad), 0644, &w.err), 0);
	cr_assert_eq(pull(&w, &r), 0, "%s", w.err.msg);
	cr_expect(script_is_done(&w.script));
	cr_expect_eq(r.present, 1);
}
