#include "tests/unit/registry/image.h"

#include <fcntl.h>

#define NEW_REPOSITORY                                         \
	{"HEAD", MANIFEST_URL, 404},                               \
	{                                                          \
		"GET", REPO "tags/list?n=1", 404, .body = NAME_UNKNOWN \
	}
#define OLD_REPOSITORY                                                 \
	{"HEAD", MANIFEST_URL, 404},                                       \
	{                                                                  \
		"GET", REPO "tags/list?n=1", 200, .body = "{\"tags\":[\"0\"]}" \
	}
#define BEGUN(n)                                                                   \
	{                                                                              \
		"POST", UPLOADS, 202,                                                      \
			.headers = "Location: /v2/shop/hello/blobs/uploads/" n "?_state=a%2Fb" \
	}
#define PUT_URL(n, hex_digest) UPLOADS n "?_state=a%2Fb&digest=" hex_digest
#define LAYER_QUERY "sha256%3A" LAYER_HEX
#define CONFIG_QUERY "sha256%3A" CONFIG_HEX

static int push(struct world *w, const char *mount_from, struct registry_result *result)
{
	AUTO(oci_descriptor) struct oci_descriptor d = {0};

	world_add_image(w, &d);
	return registry_push(w->registry, &(struct registry_push){w->store, &d, &w->ref, mount_from},
						 result, &w->err);
}

Test(push, a_new_repository_is_asked_for_no_blob)
{
	static const struct script_answer answers[] = {
		NEW_REPOSITORY,
		BEGUN("l"),
		BEGUN("c"),
		{"PUT", PUT_URL("l", LAYER_QUERY), 201},
		{"PUT", PUT_URL("c", CONFIG_QUERY), 201},
		{"PUT", MANIFEST_URL, 201, .headers = "Docker-Content-Digest: " MANIFEST_DIGEST},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(push(&w, NULL, &r), 0, "%s", w.err.msg);
	cr_expect(script_is_done(&w.script));
	cr_expect_eq(w.script.seen.count, 2 * 2 + 3);
	cr_expect_eq(r.moved, 2);
	cr_expect_eq(r.manifests, 1);
	cr_expect_str_eq(r.image.digest, MANIFEST_DIGEST);
	cr_expect_str_eq(script_header(&w.script, 6, "Content-Type"), OCI_MEDIA_MANIFEST);
	cr_expect_str_eq(buf_str(&w.script.seen.items[6].body), MANIFEST,
					 "the bytes go out as they are");
}

Test(push, what_is_named_already_costs_one_request)
{
	static const struct script_answer answers[] = {
		{"HEAD", MANIFEST_URL, 200, .headers = "Docker-Content-Digest: " MANIFEST_DIGEST},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(push(&w, NULL, &r), 0, "%s", w.err.msg);
	cr_expect_eq(w.script.seen.count, 1);
	cr_expect_eq(r.present, 2);
	cr_expect_eq(r.manifests, 0);
}

Test(push, only_what_is_missing_goes)
{
	static const struct script_answer answers[] = {
		OLD_REPOSITORY,
		{"HEAD", LAYER_URL, 200},
		{"HEAD", CONFIG_URL, 404},
		BEGUN("c"),
		{"PUT", PUT_URL("c", CONFIG_QUERY), 201},
		{"PUT", MANIFEST_URL, 201},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(push(&w, NULL, &r), 0, "%s", w.err.msg);
	cr_expect(script_is_done(&w.script));
	cr_expect_eq(r.present, 1);
	cr_expect_eq(r.moved, 1);
}

#define MOUNT(digest) UPLOADS "?mount=" digest "&from=base%2Fhello"

Test(push, blobs_are_mounted_without_asking_first)
{
	static const struct script_answer answers[] = {
		{"HEAD", MANIFEST_URL, 404},
		{"POST", MOUNT(LAYER_DIGEST), 201},
		{"POST", MOUNT(CONFIG_DIGEST), 202, .headers = "Location: /v2/shop/hello/blobs/uploads/c"},
		{"PUT", UPLOADS "c?digest=" CONFIG_QUERY, 201},
		{"PUT", MANIFEST_URL, 201},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(push(&w, "base/hello", &r), 0, "%s", w.err.msg);
	cr_expect(script_is_done(&w.script));
	cr_expect_eq(r.mounted, 1);
	cr_expect_eq(r.moved, 1);
}

Test(push, a_refused_mount_becomes_an_upload)
{
	static const struct script_answer answers[] = {
		{"HEAD", MANIFEST_URL, 404},
		{"POST", MOUNT(LAYER_DIGEST), 403},
		{"POST", MOUNT(CONFIG_DIGEST), 201},
		BEGUN("l"),
		{"PUT", PUT_URL("l", LAYER_QUERY), 201},
		{"PUT", MANIFEST_URL, 201},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(push(&w, "base/hello", &r), 0, "%s", w.err.msg);
	cr_expect(script_is_done(&w.script));
}

Test(push, where_blobs_are_is_remembered)
{
	static const struct script_answer answers[] = {
		{"HEAD", MANIFEST_URL, 200, .headers = "Docker-Content-Digest: " MANIFEST_DIGEST},
		{"HEAD", "https://r.test/v2/shop/other/manifests/1", 404},
		{"POST",
		 "https://r.test/v2/shop/other/blobs/uploads/?mount=" LAYER_DIGEST "&from=shop%2Fhello",
		 201},
		{"POST",
		 "https://r.test/v2/shop/other/blobs/uploads/?mount=" CONFIG_DIGEST "&from=shop%2Fhello",
		 201},
		{"PUT", "https://r.test/v2/shop/other/manifests/1", 201},
		{0},
	};
	char cache[] = "/tmp/msctl-test-cache-XXXXXX";
	AUTO(world) struct world w = {0};

	cr_assert(mkdtemp(cache) != NULL);
	world_open(&w, answers, NULL, (struct registry_options){.cache_dir = cache});
	for (int i = 0; i < 2; i++) {
		AUTO(registry_result) struct registry_result r = {0};

		cr_assert_eq(push(&w, NULL, &r), 0, "%s", w.err.msg);
		oci_ref_release(&w.ref);
		cr_assert_eq(oci_ref_parse("r.test/shop/other:1", &w.ref, &w.err), 0);
	}
	cr_expect(script_is_done(&w.script));
	cr_assert_eq(fs_remove_tree(cache, &w.err), 0);
}

Test(push, an_upload_that_broke_is_asked_for_and_begun_anew)
{
	static const struct script_answer answers[] = {
		OLD_REPOSITORY,
		{"HEAD", LAYER_URL, 404},
		{"HEAD", CONFIG_URL, 200},
		BEGUN("l1"),
		{"PUT", PUT_URL("l1", LAYER_QUERY), 0, .fail = "connection reset"},
		{"HEAD", LAYER_URL, 404},
		BEGUN("l2"),
		{"PUT", PUT_URL("l2", LAYER_QUERY), 503},
		{"HEAD", LAYER_URL, 200}, /* it had arrived */
		{"PUT", MANIFEST_URL, 201},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(push(&w, NULL, &r), 0, "%s", w.err.msg);
	cr_expect(script_is_done(&w.script));
	cr_expect_eq(w.script.seen.count, 11, "a broken session is never used again");
	cr_expect_eq(r.present, 2);
}

Test(push, uploads_are_not_tried_for_ever)
{
	static const struct script_answer answers[] = {
		OLD_REPOSITORY,
		{"HEAD", CONFIG_URL, 200},
#define ROUND(n) {"HEAD", LAYER_URL, 404}, BEGUN(n), {"PUT", PUT_URL(n, LAYER_QUERY), 404}
		ROUND("1"),
		ROUND("2"),
		ROUND("3"),
		ROUND("4"),
		ROUND("5"),
		ROUND("6"),
		{"DELETE", UPLOADS "5?_state=a%2Fb", 404},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(push(&w, NULL, &r), -1);
	cr_expect_eq(w.err.code, ERR_MISSING);
	cr_expect(strstr(w.err.msg, "cannot push r.test/shop/hello:1: PUT https://r.test/") ==
				  w.err.msg,
			  "%s", w.err.msg);
	cr_expect(strstr(w.err.msg, "_state") == NULL, "a session is a secret: %s", w.err.msg);
	cr_expect_eq(w.script.seen.count, 3 + 3 * REGISTRY_MAX_UPLOADS + 1);
}

Test(push, an_upload_goes_to_the_registry_or_nowhere)
{
	static const struct {
		const char *location, *put; /* put NULL: refused */
	} rows[] = {
		{"Location: http://r.test/v2/u?x=1", "https://r.test/v2/u?x=1&digest=" LAYER_QUERY},
		{"Location: https://r.test:443/v2/u", "https://r.test/v2/u?digest=" LAYER_QUERY},
		{"Location: //r.test/v2/u", "https://r.test/v2/u?digest=" LAYER_QUERY},
		{"Location: u", UPLOADS "u?digest=" LAYER_QUERY},
		{"Location: https://other.test/v2/u", NULL},
		{"Location: https://r.test:8443/v2/u", NULL},
		{"Location: ftp://r.test/v2/u", NULL},
		{"Location: https://u:p@r.test/v2/u", NULL},
		{NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_answer answers[] = {
			OLD_REPOSITORY,
			{"HEAD", LAYER_URL, 404},
			{"HEAD", CONFIG_URL, 200},
			{"POST", UPLOADS, 202, .headers = rows[i].location},
			{rows[i].put ? "PUT" : "-", rows[i].put, 201},
			{rows[i].put ? "PUT" : "-", MANIFEST_URL, 201},
			{0},
		};
		AUTO(world) struct world w = {0};
		AUTO(registry_result) struct registry_result r = {0};

		world_open(&w, answers, NULL, (struct registry_options){0});
		cr_expect_eq(push(&w, NULL, &r), rows[i].put ? 0 : -1, "%s: %s", rows[i].location,
					 w.err.msg);
		cr_expect_eq(w.script.seen.count, rows[i].put ? 7 : 5, "%s", rows[i].location);
	}
}

Test(push, a_damaged_blob_is_found_and_dropped)
{
	static const struct script_answer answers[] = {
		OLD_REPOSITORY,
		{"HEAD", LAYER_URL, 404},
		{"HEAD", CONFIG_URL, 200},
		BEGUN("l"),
		{"PUT", PUT_URL("l", LAYER_QUERY), 400,
		 .body = "{\"errors\":[{\"code\":\"DIGEST_INVALID\"}]}"},
		{"DELETE", UPLOADS "l?_state=a%2Fb", 204},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	AUTO_FREE char *path = NULL;

	world_open(&w, answers, NULL, (struct registry_options){0});
	world_add_image(&w, &d);
	path = xasprintf("%s/blobs/sha256/" LAYER_HEX, oci_store_path(w.store));
	cr_assert_eq(fs_write_atomic(path, "LAYER\n", 6, 0644, &w.err), 0);
	cr_assert_eq(
		registry_push(w.registry, &(struct registry_push){w.store, &d, &w.ref, NULL}, &r, &w.err),
		-1);
	cr_expect_eq(w.err.code, ERR_INPUT);
	cr_expect(strstr(w.err.msg, LAYER_DIGEST) != NULL, "%s", w.err.msg);
	cr_expect(!fs_exists(path));
}

Test(push, a_blob_lost_before_the_manifest_goes_again)
{
	static const struct script_answer answers[] = {
		NEW_REPOSITORY,
		BEGUN("l"),
		BEGUN("c"),
		{"PUT", PUT_URL("l", LAYER_QUERY), 201},
		{"PUT", PUT_URL("c", CONFIG_QUERY), 201},
		{"PUT", MANIFEST_URL, 400, .body = "{\"errors\":[{\"code\":\"MANIFEST_BLOB_UNKNOWN\"}]}"},
		{"HEAD", LAYER_URL, 404},
		{"HEAD", CONFIG_URL, 200},
		BEGUN("l2"),
		{"PUT", PUT_URL("l2", LAYER_QUERY), 201},
		{"PUT", MANIFEST_URL, 201},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(push(&w, NULL, &r), 0, "%s", w.err.msg);
	cr_expect(script_is_done(&w.script));
	cr_expect_eq(json_array_size(r.blobs), 2);
}

Test(push, after_an_interrupt_open_uploads_are_cancelled)
{
	static const struct script_answer answers[] = {
		OLD_REPOSITORY,
		{"HEAD", LAYER_URL, 404},
		{"HEAD", CONFIG_URL, 200},
		BEGUN("l"),
		{"PUT", PUT_URL("l", LAYER_QUERY), .hang = true},
		{"DELETE", UPLOADS "l?_state=a%2Fb", 204},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	w.script.cancel = &w.cancel;
	w.script.cancel_at_ms = 5000;
	cr_assert_eq(push(&w, NULL, &r), -1);
	cr_expect_eq(w.err.code, ERR_INTERRUPTED);
	cr_expect_str_eq(w.script.seen.items[w.script.seen.count - 1].method, "DELETE");
}

Test(push, the_time_that_was_given_is_kept)
{
	static const struct script_answer answers[] = {
		OLD_REPOSITORY,
		{"HEAD", LAYER_URL, 404},
		{"HEAD", CONFIG_URL, 200},
		BEGUN("l"),
		{"PUT", PUT_URL("l", LAYER_QUERY), .hang = true},
		{"DELETE", UPLOADS "l?_state=a%2Fb", 204},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){.timeout_ms = 3000});
	cr_assert_eq(push(&w, NULL, &r), -1);
	cr_expect_eq(w.err.code, ERR_NET);
	cr_expect(strstr(w.err.msg, "gave up on r.test after 3.0s") != NULL, "%s", w.err.msg);
	cr_expect_lt(w.script.now_ms, 10000);
}

Test(push, a_registry_that_stores_something_else_is_not_believed)
{
	static const struct script_answer answers[] = {
		OLD_REPOSITORY,
		{"HEAD", LAYER_URL, 200},
		{"HEAD", CONFIG_URL, 200},
		{"PUT", MANIFEST_URL, 201, .headers = "Docker-Content-Digest: " LAYER_DIGEST},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(push(&w, NULL, &r), -1);
	cr_expect_eq(w.err.code, ERR_INPUT);
}

Test(push, refusals_have_their_class_and_a_next_step)
{
	static const struct {
		int status;
		enum err_code code;
		const char *hint;
	} rows[] = {
		{401, ERR_DENIED, "run 'msctl login r.test'"},
		{403, ERR_DENIED, "run 'msctl login r.test'"},
		{400, ERR_INPUT, ""},
		{429, ERR_NET, "limits the rate"},
		{500, ERR_NET, "try again later"},
		{503, ERR_NET, "try again later"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_answer row = {"HEAD", MANIFEST_URL, rows[i].status};
		const struct script_answer answers[] = {row, row, row, row, row, {0}};
		AUTO(world) struct world w = {0};
		AUTO(registry_result) struct registry_result r = {0};

		world_open(&w, answers, NULL, (struct registry_options){0});
		cr_expect_eq(push(&w, NULL, &r), -1);
		cr_expect_eq(w.err.code, rows[i].code, "%d: %s", rows[i].status, w.err.msg);
		cr_expect(strstr(w.err.hint, rows[i].hint) != NULL, "%d: %s", rows[i].status, w.err.hint);
	}
}

Test(push, what_the_registry_says_is_told)
{
	static const struct script_answer answers[] = {
		{"HEAD", MANIFEST_URL, 404},
		{"GET", REPO "tags/list?n=1", 404, .body = NAME_UNKNOWN},
		{"POST", UPLOADS, 403,
		 .body = "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"quota \\u001b[31mused\"}]}"},
		{"POST", UPLOADS, 403},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(push(&w, NULL, &r), -1);
	cr_expect_str_eq(w.err.msg, "cannot push r.test/shop/hello:1: POST " UPLOADS
								": 403 Forbidden: DENIED: quota ?[31mused");
}

Test(push, a_blob_that_the_store_lacks_is_told_before_anything_is_sent)
{
	static const struct script_answer answers[] = {{0}};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};
	AUTO(oci_descriptor) struct oci_descriptor d = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	world_add_image(&w, &d);
	oci_store_drop_broken(w.store, LAYER_DIGEST);
	cr_assert_eq(
		registry_push(w.registry, &(struct registry_push){w.store, &d, &w.ref, NULL}, &r, &w.err),
		-1);
	cr_expect_eq(w.err.code, ERR_MISSING);
	cr_expect_eq(w.script.seen.count, 0);
}
