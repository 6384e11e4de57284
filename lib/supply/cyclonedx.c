/* CycloneDX 1.5, the JSON form: packages are components of the image, files are components of
 * their package. */
#include "base/clock.h"
#include "base/mem.h"
#include "supply/sbom_private.h"

#include <string.h>

static json_t *component(const char *type, const char *ref, const char *name, const char *version)
{
	json_t *c = json_object();

	sbom_set(c, "type", type);
	sbom_set(c, "bom-ref", ref);
	sbom_set(c, "name", name);
	sbom_set(c, "version", version);
	return c;
}

static json_t *hash(const char *algorithm, const char *hex)
{
	return json_pack("{s:s, s:s}", "alg", algorithm, "content", hex);
}

static char *package_ref(const struct sbom *s, const struct sbom_package *p)
{
	char id[SBOM_ID_LEN + 1];

	return xasprintf("package-%s", sbom_package_id(s, p, id));
}

static json_t *image_component(const struct sbom *s)
{
	AUTO_FREE char *url = sbom_image_url(s->name, s->digest, s->arch, NULL);
	json_t *c = component("container", "image", s->name, s->version);
	json_t *base;

	sbom_set(c, "purl", url);
	json_object_set_new(c, "hashes", json_pack("[o]", hash("SHA-256", oci_digest_hex(s->digest))));
	if (!s->base_name)
		return c;
	base = component("container", NULL, s->base_name, NULL);
	json_object_set_new(base, "hashes",
						json_pack("[o]", hash("SHA-256", oci_digest_hex(s->base_digest))));
	json_object_set_new(c, "pedigree", json_pack("{s:[o]}", "ancestors", base));
	return c;
}

static json_t *property(const char *name, const char *value)
{
	json_t *p = json_object();

	sbom_set(p, "name", name);
	sbom_set(p, "value", value);
	return p;
}

/* An expression where there is one, else Debian's names for what the file says. */
static void set_licenses(json_t *c, const struct sbom_package *p)
{
	if (p->license)
		json_object_set_new(c, "licenses", json_pack("[{s:s}]", "expression", p->license));
	else if (p->license_names)
		json_object_set_new(
			c, "licenses",
			json_pack("[{s:{s:o}}]", "license", "name", sbom_text(p->license_names)));
}

static void set_origin(json_t *c, const struct sbom_package *p)
{
	json_t *properties = json_array();

	if (p->supplier)
		json_object_set_new(c, "supplier", json_pack("{s:o}", "name", sbom_text(p->supplier)));
	if (p->source)
		json_array_append_new(
			properties,
			property(p->kind == SBOM_ALPINE ? "alpine:origin" : "debian:source", p->source));
	if (p->license_refers)
		json_array_append_new(properties,
							  property("debian:copyright-refers-to", p->license_refers));
	if (p->revision)
		json_array_append_new(properties, property("git:commit", p->revision));
	if (p->in_base)
		json_array_append_new(properties, property("msctl:origin", "base image"));
	else if (p->kind == SBOM_OTHER)
		json_array_append_new(
			properties,
			property("msctl:origin", p->in_toolchain ? "toolchain image" : "build machine"));
	if (json_array_size(properties) > 0)
		json_object_set_new(c, "properties", properties);
	else
		json_decref(properties);
	if (p->url)
		json_object_set_new(c, "externalReferences",
							json_pack("[{s:s, s:o}]", "type", "vcs", "url", sbom_text(p->url)));
}

/* A row; keys in sorted order. */
static void add_file(const struct sbom_file *f, struct buf *out)
{
	AUTO_FREE char *name = xasprintf("/%s", f->path);
	char id[SBOM_ID_LEN + 1];

	buf_addf(out,
			 "%s{\"bom-ref\":\"file-%s\",\"hashes\":[{\"alg\":\"SHA-1\",\"content\":\"%s\"},"
			 "{\"alg\":\"SHA-256\",\"content\":\"%s\"}],\"name\":",
			 out->data[out->len - 1] == '[' ? "" : ",", sbom_id("file", f->path, id), f->sha1,
			 f->sha256);
	sbom_add_text(out, name);
	buf_adds(out, ",\"type\":\"file\"}");
}

static json_t *package_component(const struct sbom *s, const struct sbom_package *p)
{
	AUTO_FREE char *ref = package_ref(s, p);
	AUTO_FREE char *url = sbom_package_url(p);
	json_t *c =
		component(p->kind == SBOM_PROJECT ? "application" : "library", ref, p->name, p->version);

	sbom_set(c, "purl", url);
	set_licenses(c, p);
	set_origin(c, p);
	return c;
}

/* Files stand in their package, before its other keys. */
static void add_component(const struct sbom *s, size_t package, struct buf *out)
{
	AUTO_JSON json_t *c = package_component(s, &s->packages[package]);
	AUTO(buf) struct buf rest = {0};

	doc_json_write(c, &rest);
	if (s->packages[package].in_base) {
		buf_add(out, rest.data, rest.len);
		return;
	}
	buf_adds(out, "{\"components\":[");
	for (size_t i = 0; i < s->file_count; i++)
		if (s->files[i].package == package)
			add_file(&s->files[i], out);
	buf_adds(out, "],");
	buf_add(out, rest.data + 1, rest.len - 1);
}

static json_t *dependencies(const struct sbom *s)
{
	json_t *refs = json_array();

	for (size_t i = 0; i < s->package_count; i++) {
		AUTO_FREE char *ref = package_ref(s, &s->packages[i]);

		json_array_append_new(refs, json_string(ref));
	}
	return json_pack("[{s:s, s:o}]", "ref", "image", "dependsOn", refs);
}

static json_t *metadata(const struct sbom *s)
{
	char created[32];

	return json_pack("{s:s, s:{s:[o]}, s:o}", "timestamp", clock_rfc3339(s->created, created),
					 "tools", "components", component("application", NULL, "msctl", MSCTL_VERSION),
					 "component", image_component(s));
}

void sbom_write_cyclonedx(const struct sbom *s, struct buf *out)
{
	size_t uuid;

	buf_adds(out, "{\"$schema\":\"http://cyclonedx.org/schema/bom-1.5.schema.json\",\"bomFormat\":"
				  "\"CycloneDX\",\"components\":[");
	for (size_t i = 0; i < s->package_count; i++) {
		if (i > 0)
			buf_addc(out, ',');
		add_component(s, i, out);
	}
	buf_adds(out, "],\"dependencies\":");
	sbom_add_json(out, dependencies(s));
	buf_adds(out, ",\"metadata\":");
	sbom_add_json(out, metadata(s));
	buf_adds(out, ",\"serialNumber\":\"urn:uuid:");
	sbom_add_uuid(out, &uuid);
	buf_adds(out, "\",\"specVersion\":\"1.5\",\"version\":1}");
	sbom_end_uuid(out, uuid);
}
