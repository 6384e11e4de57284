#include "supply/sbom_private.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UUID_LEN 36

void sbom_package_release(struct sbom_package *p)
{
	free(p->name);
	free(p->version);
	free(p->arch);
	free(p->source);
	free(p->supplier);
	free(p->revision);
	free(p->url);
	free(p->license);
	free(p->license_names);
	free(p->license_refers);
	free(p->distro_id);
	free(p->distro);
	*p = (struct sbom_package){0};
}

void sbom_release(struct sbom *s)
{
	for (size_t i = 0; i < s->package_count; i++)
		sbom_package_release(&s->packages[i]);
	for (size_t i = 0; i < s->file_count; i++)
		free(s->files[i].path);
	free(s->packages);
	free(s->files);
	free(s->name);
	free(s->version);
	free(s->arch);
	free(s->base_name);
	*s = (struct sbom){0};
}

json_t *sbom_text(const char *text)
{
	AUTO_FREE char *clean = xstrdup(text);

	utf8_sanitize(clean);
	return json_string(clean);
}

void sbom_set(json_t *object, const char *key, const char *text)
{
	if (text)
		json_object_set_new(object, key, sbom_text(text));
}

/* The unreserved characters of RFC 3986, and the colon, as the package-url specification has it. */
static void add_encoded(struct buf *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (isalnum(*p) || strchr("-._~:", *p))
			buf_addc(out, (char)*p);
		else
			buf_addf(out, "%%%02X", *p);
	}
}

char *sbom_package_url(const struct sbom_package *p)
{
	AUTO(buf) struct buf url = {0};

	if ((p->kind != SBOM_DEBIAN && p->kind != SBOM_ALPINE) || !p->distro_id)
		return NULL;
	buf_adds(&url, p->kind == SBOM_DEBIAN ? "pkg:deb/" : "pkg:apk/");
	add_encoded(&url, p->distro_id);
	buf_addc(&url, '/');
	add_encoded(&url, p->name);
	buf_addc(&url, '@');
	add_encoded(&url, p->version);
	buf_adds(&url, "?arch=");
	add_encoded(&url, p->arch);
	if (p->distro) {
		buf_adds(&url, "&distro=");
		add_encoded(&url, p->distro);
	}
	return buf_take(&url);
}

char *sbom_image_url(const char *name, const char *digest, const char *arch, const char *repository)
{
	AUTO(buf) struct buf url = {0};
	const char *slash = strrchr(name, '/');

	buf_adds(&url, "pkg:oci/");
	add_encoded(&url, slash ? slash + 1 : name);
	buf_addc(&url, '@');
	/* in a version the colon of a digest is encoded: "sha256%3A..." is what every example has */
	buf_addf(&url, "sha256%%3A%s", oci_digest_hex(digest));
	if (arch) {
		buf_adds(&url, "?arch=");
		add_encoded(&url, arch);
	}
	if (repository) {
		buf_adds(&url, arch ? "&repository_url=" : "?repository_url=");
		add_encoded(&url, repository);
	}
	return buf_take(&url);
}

const char *sbom_id(const char *kind, const char *text, char out[SBOM_ID_LEN + 1])
{
	AUTO_FREE char *full = xasprintf("%s %s", kind, text);
	uint8_t sum[SHA256_BYTES];
	char hex[SHA256_HEX_LEN + 1];

	sha256_of(full, strlen(full), sum);
	sha256_hex(sum, hex);
	memcpy(out, hex, SBOM_ID_LEN);
	out[SBOM_ID_LEN] = '\0';
	return out;
}

const char *sbom_package_id(const struct sbom *s, const struct sbom_package *p,
							char out[SBOM_ID_LEN + 1])
{
	AUTO_FREE char *text = NULL;

	if (p->kind != SBOM_OTHER) {
		text = xasprintf("%s %s %s", p->name, p->version, p->arch ? p->arch : "");
		return sbom_id(p->in_base ? "base" : "package", text, out);
	}
	/* two unknown files of one name are two things */
	for (size_t i = 0; i < s->file_count; i++)
		if (&s->packages[s->files[i].package] == p)
			return sbom_id("unknown", s->files[i].path, out);
	return sbom_id("unknown", p->name, out);
}

void sbom_add_text(struct buf *out, const char *text)
{
	AUTO_FREE char *clean = xstrdup(text);

	utf8_sanitize(clean);
	buf_addc(out, '"');
	/* control characters are '?' by now */
	for (const char *p = clean; *p; p++) {
		if (*p == '"' || *p == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *p);
	}
	buf_addc(out, '"');
}

void sbom_add_json(struct buf *out, json_t *value)
{
	AUTO_JSON json_t *given = value;

	doc_json_write(given, out);
}

void sbom_add_uuid(struct buf *out, size_t *place)
{
	*place = out->len;
	buf_adds(out, "00000000-0000-0000-0000-000000000000");
}

void sbom_end_uuid(struct buf *out, size_t place)
{
	uint8_t sum[SHA256_BYTES];
	char hex[SHA256_HEX_LEN + 1];
	char uuid[UUID_LEN + 1];

	sha256_of(out->data, out->len, sum);
	sum[6] = (uint8_t)((sum[6] & 0x0f) | 0x80);
	sum[8] = (uint8_t)((sum[8] & 0x3f) | 0x80);
	sha256_hex(sum, hex);
	snprintf(uuid, sizeof(uuid), "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
			 hex + 20);
	memcpy(out->data + place, uuid, UUID_LEN);
}
