/* Manifests, indexes and configurations: what is accepted has well-formed digests and sizes within
 * their caps, and keeps its bytes. */
#include "base/auto.h"
#include "oci/config.h"
#include "oci/manifest.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check_descriptor(const struct oci_descriptor *d)
{
	FUZZ_CHECK(oci_is_digest(d->digest));
	FUZZ_CHECK(d->size <= OCI_MAX_BLOB_BYTES);
	FUZZ_CHECK(d->media_type != NULL);
}

static void try_manifest(struct span bytes)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};
	struct oci_platform host;
	struct error err = {0};

	if (oci_manifest_parse(bytes, NULL, "input", &m, &err) < 0) {
		FUZZ_CHECK(err.code == ERR_INPUT && err.msg[0] && !m.bytes);
		return;
	}
	FUZZ_CHECK(m.len == bytes.len && memcmp(m.bytes, bytes.data, m.len) == 0);
	FUZZ_CHECK(m.layer_count <= (m.is_index ? OCI_MAX_INDEX_ENTRIES : OCI_MAX_LAYERS));
	FUZZ_CHECK(m.is_index == oci_is_index_type(m.media_type));
	for (size_t i = 0; i < m.layer_count; i++)
		check_descriptor(&m.layers[i]);
	if (!m.is_index)
		check_descriptor(&m.config);
	oci_platform_host(&host);
	if (m.is_index)
		(void)oci_index_find(&m, &host);
}

static void try_config(struct span bytes)
{
	AUTO(oci_config) struct oci_config c = {0};
	AUTO(oci_config) struct oci_config again = {0};
	AUTO(strv) struct strv created_by = {0};
	AUTO(buf) struct buf written = {0};
	struct error err = {0};

	if (oci_config_parse(bytes, "input", &c, &err) < 0) {
		FUZZ_CHECK(err.code == ERR_INPUT && err.msg[0]);
		return;
	}
	for (size_t i = 0; i < c.diff_ids.count; i++) {
		FUZZ_CHECK(oci_is_digest(c.diff_ids.items[i]));
		strv_add(&created_by, "fuzz");
	}
	json_decref(c.json);
	c.json = NULL;
	oci_config_write(&c, &created_by, &written);
	FUZZ_CHECK(oci_config_parse(buf_span(&written), "written", &again, &err) == 0);
	FUZZ_CHECK(again.diff_ids.count == c.diff_ids.count && again.env.count == c.env.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = {(const char *)data, size};

	try_manifest(bytes);
	try_config(bytes);
	return 0;
}
