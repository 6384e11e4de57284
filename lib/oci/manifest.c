#include "oci/manifest.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

void oci_descriptor_release(struct oci_descriptor *d)
{
	free(d->media_type);
	json_decref(d->raw);
	*d = (struct oci_descriptor){0};
}

void oci_descriptor_copy(const struct oci_descriptor *from, struct oci_descriptor *to)
{
	*to = *from;
	to->media_type = xstrdup_opt(from->media_type);
	json_incref(to->raw);
}

void oci_manifest_release(struct oci_manifest *m)
{
	for (size_t i = 0; i < m->layer_count; i++)
		oci_descriptor_release(&m->layers[i]);
	free(m->layers);
	oci_descriptor_release(&m->config);
	free(m->bytes);
	free(m->media_type);
	json_decref(m->json);
	*m = (struct oci_manifest){0};
}

bool oci_is_index_type(const char *media_type)
{
	return media_type &&
		   (strcmp(media_type, OCI_MEDIA_INDEX) == 0 || strcmp(media_type, DOCKER_MEDIA_LIST) == 0);
}

bool oci_is_manifest_type(const char *media_type)
{
	return media_type && (strcmp(media_type, OCI_MEDIA_MANIFEST) == 0 ||
						  strcmp(media_type, DOCKER_MEDIA_MANIFEST) == 0);
}

/* A word of a platform, cut out of a document that anybody may have written. */
static int take_word(const json_t *platform, const char *key, char *out, size_t size,
					 const struct doc_context *where, struct error *err)
{
	const char *text = doc_text(platform, key, "");

	if (strlen(text) >= size)
		return err_set(err, ERR_INPUT, "%s: %s: platform.%s is longer than %zu bytes", where->name,
					   where->path, key, size - 1);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int read_descriptor(json_t *object, const struct doc_context *where,
						   struct oci_descriptor *out, struct error *err)
{
	struct fields {
		const char *media_type;
		const char *digest;
		int64_t size;
		json_t *platform;
	} f = {0};
	static const struct doc_field table[] = {
		DOC_FIELD(struct fields, media_type, "mediaType", DOC_TEXT, true),
		DOC_FIELD(struct fields, digest, "digest", DOC_TEXT, true),
		DOC_FIELD(struct fields, size, "size", DOC_INT, true),
		DOC_FIELD(struct fields, platform, "platform", DOC_OBJECT, false),
		DOC_FIELDS_END,
	};
	AUTO(oci_descriptor) struct oci_descriptor d = {0};

	if (doc_read(object, table, where, &f, err) < 0)
		return -1;
	if (!oci_is_digest(f.digest)) {
		err_set(err, ERR_INPUT, "%s: %s.digest: '%s' is no valid digest", where->name, where->path,
				f.digest);
		return err_hint(err, "only sha256 with 64 lower-case hex digits is supported");
	}
	if (f.size < 0 || (uint64_t)f.size > OCI_MAX_BLOB_BYTES)
		return err_set(err, ERR_INPUT, "%s: %s.size is out of range", where->name, where->path);
	if (take_word(f.platform, "os", d.platform.os, sizeof(d.platform.os), where, err) < 0 ||
		take_word(f.platform, "architecture", d.platform.arch, sizeof(d.platform.arch), where,
				  err) < 0 ||
		take_word(f.platform, "variant", d.platform.variant, sizeof(d.platform.variant), where,
				  err) < 0)
		return -1;
	memcpy(d.digest, f.digest, sizeof(d.digest));
	d.size = (uint64_t)f.size;
	d.media_type = xstrdup(f.media_type);
	d.raw = json_incref(object);
	*out = MOVE(d);
	return 0;
}

static int read_descriptors(const json_t *array, const char *key, const char *name,
							struct oci_manifest *m, struct error *err)
{
	size_t count = json_array_size(array);
	size_t max = m->is_index ? OCI_MAX_INDEX_ENTRIES : OCI_MAX_LAYERS;

	if (count > max)
		return err_set(err, ERR_INPUT, "%s: %s has more than %zu elements", name, key, max);
	m->layers = xcalloc(count, sizeof(m->layers[0]));
	for (size_t i = 0; i < count; i++) {
		AUTO_FREE char *path = xasprintf("%s[%zu]", key, i);
		struct doc_context where = {.name = name, .path = path};
		json_t *object = json_array_get(array, i);

		if (!json_is_object(object))
			return err_set(err, ERR_INPUT, "%s: %s: expected an object", name, path);
		if (read_descriptor(object, &where, &m->layers[i], err) < 0)
			return -1;
		m->layer_count++;
	}
	return 0;
}

struct body {
	int64_t schema_version;
	const char *media_type;
	json_t *config;
	json_t *layers;
	json_t *manifests;
};

/* The type says how the body is read. A body that would read as either kind has no one meaning
 * (CVE-2021-41190), so it is refused. */
static int decide_type(const struct body *b, const char *given, const char *name,
					   struct oci_manifest *m, struct error *err)
{
	const char *type = given ? given : b->media_type;

	if (b->manifests && (b->layers || b->config))
		return err_set(err, ERR_INPUT, "%s is both a manifest and an index", name);
	if (given && b->media_type && strcmp(given, b->media_type) != 0)
		return err_set(err, ERR_INPUT, "%s: is sent as %s, but says that it is %s", name, given,
					   b->media_type);
	if (!type)
		type = b->manifests ? OCI_MEDIA_INDEX : OCI_MEDIA_MANIFEST;
	m->is_index = oci_is_index_type(type);
	if (!m->is_index && !oci_is_manifest_type(type)) {
		err_set(err, ERR_INPUT, "%s: media type '%s' is no image manifest", name, type);
		return err_hint(err, "msctl reads OCI and Docker schema 2 manifests and indexes");
	}
	if (m->is_index != (b->manifests != NULL))
		return err_set(err, ERR_INPUT, "%s: %s lacks '%s'", name, type,
					   m->is_index ? "manifests" : "layers");
	m->media_type = xstrdup(type);
	return 0;
}

static int read_body(const char *media_type, const char *name, struct oci_manifest *m,
					 struct error *err)
{
	struct body b = {0};
	static const struct doc_field table[] = {
		DOC_FIELD(struct body, schema_version, "schemaVersion", DOC_INT, true),
		DOC_FIELD(struct body, media_type, "mediaType", DOC_TEXT, false),
		DOC_FIELD(struct body, config, "config", DOC_OBJECT, false),
		DOC_FIELD(struct body, layers, "layers", DOC_ARRAY, false),
		DOC_FIELD(struct body, manifests, "manifests", DOC_ARRAY, false),
		DOC_FIELDS_END,
	};
	struct doc_context where = {.name = name};

	if (doc_read(m->json, table, &where, &b, err) < 0)
		return -1;
	if (b.schema_version != 2) {
		err_set(err, ERR_INPUT, "%s: schema version %lld is not supported", name,
				(long long)b.schema_version);
		return err_hint(err, "build the image again with a tool younger than 2017");
	}
	if (decide_type(&b, media_type, name, m, err) < 0)
		return -1;
	if (m->is_index)
		return read_descriptors(b.manifests, "manifests", name, m, err);
	if (!b.config || !b.layers)
		return err_set(err, ERR_INPUT, "%s lacks '%s'", name, b.config ? "layers" : "config");
	where.path = "config";
	if (read_descriptor(b.config, &where, &m->config, err) < 0)
		return -1;
	return read_descriptors(b.layers, "layers", name, m, err);
}

int oci_manifest_parse(struct span bytes, const char *media_type, const char *name,
					   struct oci_manifest *out, struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};

	if (bytes.len > OCI_MAX_MANIFEST_BYTES)
		return err_set(err, ERR_INPUT, "%s is larger than %u bytes", name, OCI_MAX_MANIFEST_BYTES);
	if (doc_json_parse(bytes, name, &m.json, err) < 0)
		return -1;
	if (!json_is_object(m.json))
		return err_set(err, ERR_INPUT, "%s is no JSON object", name);
	if (read_body(media_type, name, &m, err) < 0)
		return -1;
	m.bytes = xstrndup(bytes.data, bytes.len);
	m.len = bytes.len;
	*out = MOVE(m);
	return 0;
}
