#include "oci/manifest.h"

#include "base/auto.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <string.h>

#define D(c) "sha256:" c "123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define CONFIG "{\"mediaType\":\"" OCI_MEDIA_CONFIG "\",\"digest\":\"" D("0") "\",\"size\":10}"
#define LAYER "{\"mediaType\":\"" OCI_MEDIA_LAYER_GZIP "\",\"digest\":\"" D("1") "\",\"size\":20}"
#define MANIFEST(extra)                                                                \
	"{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_MANIFEST "\",\"config\":" CONFIG \
	",\"layers\":[" LAYER "]" extra "}"

static int parse(const char *text, const char *type, struct oci_manifest *m, struct error *err)
{
	return oci_manifest_parse(span_of(text), type, "m", m, err);
}

Test(oci_manifest, reads_a_manifest_and_keeps_its_bytes)
{
	static const char text[] = MANIFEST(",\"unknown\":{\"a\":[1]}");
	AUTO(oci_manifest) struct oci_manifest m = {0};
	struct error err = {0};

	cr_assert_eq(parse(text, OCI_MEDIA_MANIFEST, &m, &err), 0, "%s", err.msg);
	cr_expect_not(m.is_index);
	cr_expect_str_eq(m.config.digest, D("0"));
	cr_expect_eq(m.config.size, 10);
	cr_assert_eq(m.layer_count, 1);
	cr_expect_str_eq(m.layers[0].media_type, OCI_MEDIA_LAYER_GZIP);
	cr_expect_eq(m.len, strlen(text));
	cr_expect_eq(memcmp(m.bytes, text, m.len), 0);
}

Test(oci_manifest, takes_the_type_from_the_body)
{
	AUTO(oci_manifest) struct oci_manifest m = {0}, bare = {0};
	struct error err = {0};

	cr_assert_eq(parse(MANIFEST(), NULL, &m, &err), 0, "%s", err.msg);
	cr_expect_str_eq(m.media_type, OCI_MEDIA_MANIFEST);
	cr_assert_eq(parse("{\"schemaVersion\":2,\"manifests\":[]}", NULL, &bare, &err), 0, "%s",
				 err.msg);
	cr_expect(bare.is_index);
}

static const struct {
	const char *text, *type, *says;
} bad[] = {
	{"", NULL, "m"},
	{"[]", NULL, "no JSON object"},
	{"{}", NULL, "schemaVersion"},
	{"{\"schemaVersion\":1,\"layers\":[]}", NULL, "schema version 1"},
	{"{\"schemaVersion\":2}", NULL, "lacks"},
	{"{\"schemaVersion\":2,\"layers\":[]}", NULL, "lacks 'config'"},
	{"{\"schemaVersion\":2,\"config\":" CONFIG "}", NULL, "lacks 'layers'"},
	{"{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[1]}", NULL, "layers[0]"},
	{MANIFEST(",\"manifests\":[]"), NULL, "both"},
	{MANIFEST(), OCI_MEDIA_INDEX, "is sent as"},
	{MANIFEST(), "text/html", "is sent as"},
	{"{\"schemaVersion\":2,\"mediaType\":\"text/html\"}", NULL, "text/html"},
	{"{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_INDEX "\",\"config\":" CONFIG
	 ",\"layers\":[]}",
	 NULL, "lacks 'manifests'"},
	{"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"x\",\"digest\":\"sha256:../../"
	 "etc\",\"size\":1},"
	 "\"layers\":[]}",
	 NULL, "no valid digest"},
	{"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"x\",\"digest\":\"" D("0") "\",\"size\":-1},"
																				 "\"layers\":[]}",
	 NULL, "size"},
	{"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"x\",\"digest\":\"" D("0") "\",\"size\":1.5},"
																				 "\"layers\":[]}",
	 NULL, "size"},
	{"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"x\",\"digest\":\"" D(
		 "0") "\",\"size\":1099511627777},\"layers\":[]}",
	 NULL, "size"},
	{"{\"schemaVersion\":2,\"config\":{\"digest\":\"" D("0") "\",\"size\":1},\"layers\":[]}", NULL,
	 "mediaType"},
	{"{\"schemaVersion\":2,\"schemaVersion\":2,\"manifests\":[]}", NULL, "duplicate"},
	{"{\"schemaVersion\":2,\"manifests\":[]} x", NULL, "m"},
	{"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"x\",\"digest\":\"" D(
		 "0") "\",\"size\":1,\"platform\":{\"os\":\"0123456789012345678901234567890123456789\"}}]}",
	 NULL, "platform.os"},
};

Test(oci_manifest, refuses_what_has_no_one_meaning)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct oci_manifest m = {0};
		struct error err = {0};

		cr_assert_eq(parse(bad[i].text, bad[i].type, &m, &err), -1, "%s", bad[i].text);
		cr_expect_eq(err.code, ERR_INPUT, "%s", bad[i].text);
		cr_expect_not_null(strstr(err.msg, bad[i].says), "%s: %s", bad[i].text, err.msg);
		cr_expect_null(m.bytes);
	}
}

static int parse_repeated(const char *head, const char *item, size_t count, struct error *err)
{
	AUTO(buf) struct buf b = {0};
	AUTO(oci_manifest) struct oci_manifest m = {0};

	buf_adds(&b, head);
	for (size_t i = 0; i < count; i++)
		buf_addf(&b, "%s%s", i ? "," : "", item);
	buf_adds(&b, "]}");
	return oci_manifest_parse(buf_span(&b), NULL, "m", &m, err);
}

Test(oci_manifest, counts_are_bounded)
{
	static const char layers[] = "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[";
	static const char manifests[] = "{\"schemaVersion\":2,\"manifests\":[";
	struct error err = {0};

	cr_expect_eq(parse_repeated(layers, LAYER, OCI_MAX_LAYERS, &err), 0, "%s", err.msg);
	cr_expect_eq(parse_repeated(layers, LAYER, OCI_MAX_LAYERS + 1, &err), -1);
	cr_expect_eq(parse_repeated(manifests, LAYER, OCI_MAX_INDEX_ENTRIES, &err), 0, "%s", err.msg);
	cr_expect_eq(parse_repeated(manifests, LAYER, OCI_MAX_INDEX_ENTRIES + 1, &err), -1);
}

Test(oci_manifest, a_body_larger_than_the_cap_is_not_read)
{
	AUTO_FREE char *text = xmalloc(OCI_MAX_MANIFEST_BYTES + 1);
	struct oci_manifest m = {0};
	struct error err = {0};

	memset(text, ' ', OCI_MAX_MANIFEST_BYTES + 1);
	cr_expect_eq(
		oci_manifest_parse((struct span){text, OCI_MAX_MANIFEST_BYTES + 1}, NULL, "m", &m, &err),
		-1);
	cr_expect_not_null(strstr(err.msg, "larger"));
}

static const struct {
	const char *want;
	int index; /* in the list below; -1: none */
} choices[] = {
	{"linux/amd64", 1},  {"linux/amd64/v3", 2}, {"linux/arm64", 3},    {"linux/arm64/v8", 3},
	{"linux/arm/v7", 5}, {"linux/arm", 5},      {"linux/arm/v6", 4},   {"linux/arm/v5", -1},
	{"linux/s390x", -1}, {"windows/amd64", -1}, {"linux/amd64/v2", 1},
};

Test(oci_manifest, the_nearest_platform_is_chosen)
{
	struct oci_descriptor entries[] = {
		{.platform = {"unknown", "unknown", ""}}, {.platform = {"linux", "amd64", ""}},
		{.platform = {"linux", "amd64", "v3"}},   {.platform = {"linux", "arm64", "v8"}},
		{.platform = {"linux", "arm", "v6"}},     {.platform = {"linux", "arm", "v7"}},
		{.platform = {"linux", "amd64", ""}},     {0},
	};
	struct oci_manifest index = {
		.is_index = true, .layers = entries, .layer_count = ARRAY_LEN(entries)};

	for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
		struct oci_platform want;
		struct error err = {0};
		const struct oci_descriptor *got;

		cr_assert_eq(oci_platform_parse(choices[i].want, &want, &err), 0, "%s", err.msg);
		got = oci_index_find(&index, &want);
		cr_expect_eq(got ? (int)(got - entries) : -1, choices[i].index, "%s", choices[i].want);
	}
}

Test(oci_manifest, platforms_as_text)
{
	static const char *const wrong[] = {
		"", "linux", "linux/", "/amd64", "linux/amd64/", "a/b/c/d", "Linux/amd64", "linux/amd 64"};
	struct oci_platform p = {0};
	struct error err = {0};
	AUTO_FREE char *text = NULL;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		cr_expect_eq(oci_platform_parse(wrong[i], &p, &err), -1, "%s", wrong[i]);
	cr_assert_eq(oci_platform_parse("linux/arm/v7", &p, &err), 0);
	text = oci_platform_text(&p);
	cr_expect_str_eq(text, "linux/arm/v7");
}
