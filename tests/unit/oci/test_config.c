#include "oci/config.h"

#include "base/auto.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <string.h>

#define D0 "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define D1 "sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char base[] =
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"created\":\"2020-01-01T00:00:00Z\","
	"\"config\":{\"Env\":[\"PATH=/bin\"],\"Cmd\":[\"sh\"],\"Entrypoint\":null,\"User\":\"1:2\","
	"\"ExposedPorts\":{\"80/tcp\":{}},\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"]},"
	"\"OnBuild\":[\"RUN x\"],\"Labels\":{\"a\":\"b\"},\"WorkingDir\":\"/w\"},"
	"\"history\":[{\"created_by\":\"base\"}],"
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D0 "\"]}}";

Test(oci_config, reads_what_running_needs)
{
	AUTO(oci_config) struct oci_config c = {0};
	struct error err = {0};

	cr_assert_eq(oci_config_parse(span_of(base), "c", &c, &err), 0, "%s", err.msg);
	cr_expect_str_eq(c.platform.arch, "amd64");
	cr_expect_eq(c.entrypoint.count, 0);
	cr_assert_eq(c.cmd.count, 1);
	cr_expect_str_eq(c.cmd.items[0], "sh");
	cr_expect_str_eq(c.user, "1:2");
	cr_expect_str_eq(c.workdir, "/w");
	cr_expect_str_eq(c.stop_signal, "");
	cr_expect_str_eq(c.exposed_ports.items[0], "80/tcp");
	cr_expect_str_eq(c.diff_ids.items[0], D0);
}

static const char *const bad[] = {
	"",
	"[]",
	"{}",
	"{\"architecture\":\"amd64\",\"os\":\"linux\"}",
	"{\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
	"{\"architecture\":\"a/../"
	"b\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"x\",\"diff_ids\":[]}}",
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[1]}"
	"}",
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
	"\"x\"]}}",
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},"
	"\"config\":{\"Env\":[\"novalue\"]}}",
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},"
	"\"config\":{\"Env\":[\"=x\"]}}",
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},"
	"\"config\":{\"Cmd\":\"sh\"}}",
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},"
	"\"config\":{\"User\":\"a\\u0000b\"}}",
};

Test(oci_config, refuses_what_is_malformed)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct oci_config c = {0};
		struct error err = {0};

		cr_assert_eq(oci_config_parse(span_of(bad[i]), "c", &c, &err), -1, "%s", bad[i]);
		cr_expect_eq(err.code, ERR_INPUT, "%s", bad[i]);
		cr_expect_null(c.json);
	}
}

Test(oci_config, written_from_nothing_it_is_canonical)
{
	AUTO(oci_config) struct oci_config c = {.platform = {"linux", "arm64", "v8"}};
	AUTO(strv) struct strv by = {0};
	AUTO(buf) struct buf out = {0};

	c.user = xstrdup("65532:65532");
	c.created = xstrdup("2026-11-23T00:00:00Z");
	strv_add(&c.entrypoint, "/usr/bin/orders");
	strv_add(&c.env, "LOG_LEVEL=info");
	strv_add(&c.exposed_ports, "8080/tcp");
	strv_add(&c.diff_ids, D0);
	strv_add(&by, "msctl: app");
	oci_config_write(&c, &by, &out);
	cr_expect_str_eq(buf_str(&out),
					 "{\"architecture\":\"arm64\",\"config\":{\"Entrypoint\":[\"/usr/bin/orders\"],"
					 "\"Env\":[\"LOG_LEVEL=info\"],\"ExposedPorts\":{\"8080/tcp\":{}},"
					 "\"User\":\"65532:65532\"},\"created\":\"2026-11-23T00:00:00Z\",\"history\":[{"
					 "\"created\":\"2026-11-23T00:00:00Z\",\"created_by\":\"msctl: app\"}],"
					 "\"os\":\"linux\",\"rootfs\":{\"diff_ids\":[\"" D0 "\"],\"type\":\"layers\"},"
					 "\"variant\":\"v8\"}");
}

Test(oci_config, written_over_a_base_it_keeps_what_it_does_not_know)
{
	AUTO(oci_config) struct oci_config c = {0}, again = {0};
	AUTO(strv) struct strv by = {0};
	AUTO(buf) struct buf out = {0};
	struct error err = {0};

	cr_assert_eq(oci_config_parse(span_of(base), "c", &c, &err), 0, "%s", err.msg);
	strv_add(&c.diff_ids, D1);
	strv_add(&by, "app");
	strv_release(&c.cmd);
	oci_config_write(&c, &by, &out);
	cr_assert_eq(oci_config_parse(buf_span(&out), "c", &again, &err), 0, "%s", err.msg);
	cr_expect_eq(again.diff_ids.count, 2);
	cr_expect_eq(again.cmd.count, 0);
	cr_expect_eq(json_array_size(json_object_get(again.json, "history")), 2);
	cr_expect_not_null(doc_get(again.json, "config.Healthcheck.Test"));
	cr_expect_null(doc_get(again.json, "config.OnBuild"));
	cr_expect_str_eq(doc_text(again.json, "config.Labels.a", ""), "b");
}
