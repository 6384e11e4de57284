#include "registry/stream.h"

#include "tests/unit/registry/image.h"

#include <time.h>

#define NEW_REPOSITORY                                         \
	{"HEAD", MANIFEST_URL, 404},                               \
	{                                                          \
		"GET", REPO "tags/list?n=1", 404, .body = NAME_UNKNOWN \
	}
#define BEGUN(n)                                                                     \
	{                                                                                \
		"POST", UPLOADS, 202, .headers = "Location: /v2/shop/hello/blobs/uploads/" n \
	}
#define PUT_URL(n, hex) UPLOADS n "?digest=sha256%3A" hex

/* The layer goes before there is a manifest; -1 with w->err as the end says. */
static int stream(struct world *w, struct registry_result *result)
{
	AUTO(oci_descriptor) struct oci_descriptor image = {0};
	AUTO_PTR(registry_stream) struct registry_stream *s = NULL;
	struct oci_descriptor layer = {.digest = LAYER_DIGEST, .size = strlen(LAYER)};
	struct registry_push what = {.store = w->store, .to = &w->ref};
	char digest[OCI_DIGEST_LEN + 1];

	cr_assert_eq(oci_store_put(w->store, LAYER, strlen(LAYER), digest, &w->err), 0);
	cr_assert_eq(registry_stream_begin(w->registry, &what, &layer, 1, &s, &w->err), 0, "%s",
				 w->err.msg);
	world_add_image(w, &image);
	registry_stream_add(s, &layer); /* a second platform has it, too */
	return registry_stream_end(s, &image, result, &w->err);
}

Test(stream, costs_no_more_requests_than_a_push)
{
	static const struct script_answer answers[] = {
		NEW_REPOSITORY,
		BEGUN("l"),
		{"PUT", PUT_URL("l", LAYER_HEX), 201},
		BEGUN("c"),
		{"PUT", PUT_URL("c", CONFIG_HEX), 201},
		{"PUT", MANIFEST_URL, 201, .headers = "Docker-Content-Digest: " MANIFEST_DIGEST},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(stream(&w, &r), 0, "%s", w.err.msg);
	cr_expect(script_is_done(&w.script));
	cr_expect_eq(w.script.seen.count, 2 * 2 + 3);
	cr_expect_eq(r.moved, 2);
	cr_expect_eq(r.manifests, 1);
	cr_expect_str_eq(r.image.digest, MANIFEST_DIGEST);
	cr_expect_str_eq(w.script.seen.items[2].method, "POST");
	cr_expect_str_eq(w.script.seen.items[3].url, PUT_URL("l", LAYER_HEX),
					 "the layer went before the configuration was known");
}

Test(stream, an_image_that_is_there_is_not_sent_again)
{
	static const struct script_answer answers[] = {
		{"HEAD", MANIFEST_URL, 200, .headers = "Docker-Content-Digest: " MANIFEST_DIGEST},
		{"HEAD", LAYER_URL, 200},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(stream(&w, &r), 0, "%s", w.err.msg);
	cr_expect(script_is_done(&w.script));
	cr_expect_eq(w.script.seen.count, 2);
	cr_expect_eq(r.present, 2);
	cr_expect_eq(r.manifests, 0);
	cr_expect_eq(json_array_size(r.blobs), 2);
}

Test(stream, a_failure_is_said_at_the_end)
{
	static const struct script_answer answers[] = {
		NEW_REPOSITORY,
		{"POST", UPLOADS, 403, .body = "{\"errors\":[{\"code\":\"DENIED\"}]}"},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(stream(&w, &r), -1);
	cr_expect_eq(w.err.code, ERR_DENIED);
	cr_expect(strstr(w.err.msg, "cannot push r.test/shop/hello:1: ") == w.err.msg, "%s", w.err.msg);
	cr_expect_null(r.image.media_type);
	cr_expect(oci_store_has(w.store, MANIFEST_DIGEST, strlen(MANIFEST)), "the image stays");
}

Test(stream, a_blob_collected_meanwhile_is_sent_again)
{
	static const struct script_answer answers[] = {
		{"HEAD", MANIFEST_URL, 404},
		{"GET", REPO "tags/list?n=1", 200, .body = "{}"},
		{"HEAD", LAYER_URL, 200},
		{"HEAD", CONFIG_URL, 200},
		{"PUT", MANIFEST_URL, 400, .body = "{\"errors\":[{\"code\":\"MANIFEST_BLOB_UNKNOWN\"}]}"},
		{"HEAD", LAYER_URL, 404},
		{"HEAD", CONFIG_URL, 200},
		BEGUN("l"),
		{"PUT", PUT_URL("l", LAYER_HEX), 201},
		{"PUT", MANIFEST_URL, 201},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO(registry_result) struct registry_result r = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(stream(&w, &r), 0, "%s", w.err.msg);
	cr_expect(script_is_done(&w.script));
	cr_expect_eq(r.moved, 1);
	cr_expect_eq(r.present, 1);
}

static size_t requests(void *user)
{
	/* written by the stream's thread; one look too early costs a turn */
	return __atomic_load_n(&((struct script *)user)->seen.count, __ATOMIC_ACQUIRE);
}

/* The upload hangs: the stream is given up all the same, and its session is closed. */
Test(stream, given_up_it_closes_what_is_open)
{
	static const struct script_answer answers[] = {
		NEW_REPOSITORY,
		BEGUN("l"),
		{"PUT", PUT_URL("l", LAYER_HEX), .hang = true},
		{"DELETE", UPLOADS "l", 204},
		{0},
	};
	AUTO(world) struct world w = {0};
	AUTO_PTR(registry_stream) struct registry_stream *s = NULL;
	struct oci_descriptor layer = {.digest = LAYER_DIGEST, .size = strlen(LAYER)};
	char digest[OCI_DIGEST_LEN + 1];

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(oci_store_put(w.store, LAYER, strlen(LAYER), digest, &w.err), 0);
	cr_assert_eq(registry_stream_begin(w.registry,
									   &(struct registry_push){.store = w.store, .to = &w.ref},
									   &layer, 1, &s, &w.err),
				 0);
	for (int i = 0; requests(&w.script) < 4 && i < 10000; i++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	registry_stream_free(TAKE(s));
	cr_assert_eq(w.script.seen.count, 5);
	cr_expect_str_eq(w.script.seen.items[4].method, "DELETE");
}
