/* SPDX 2.3, the JSON form. Packages say which of their files are in the image and not what else
 * they have, so their verification codes are over those (7.9). */
#include "base/clock.h"
#include "base/mem.h"
#include "base/strv.h"
#include "supply/sbom_private.h"

#include <stdio.h>
#include <string.h>

#define NO_ASSERTION "NOASSERTION"
#define IMAGE_ID "SPDXRef-Image"
#define BASE_ID "SPDXRef-Base"

static json_t *checksum(const char *algorithm, const char *hex)
{
	return json_pack("{s:s, s:s}", "algorithm", algorithm, "checksumValue", hex);
}

/* A row of the relationships; the names are plain. */
static void relate(struct buf *out, const char *from, const char *how, const char *to)
{
	buf_addf(
		out,
		"%s{\"relatedSpdxElement\":\"%s\",\"relationshipType\":\"%s\",\"spdxElementId\":\"%s\"}",
		out->data[out->len - 1] == '[' ? "" : ",", to, how, from);
}

static json_t *package_base(const char *id, const char *name)
{
	json_t *p = json_object();

	sbom_set(p, "SPDXID", id);
	sbom_set(p, "name", name);
	sbom_set(p, "downloadLocation", NO_ASSERTION);
	sbom_set(p, "copyrightText", NO_ASSERTION);
	sbom_set(p, "licenseConcluded", NO_ASSERTION);
	sbom_set(p, "licenseDeclared", NO_ASSERTION);
	sbom_set(p, "supplier", NO_ASSERTION);
	json_object_set_new(p, "filesAnalyzed", json_false());
	return p;
}

static void add_purl(json_t *package, const char *url)
{
	if (url)
		json_object_set_new(package, "externalRefs",
							json_pack("[{s:s, s:s, s:s}]", "referenceCategory", "PACKAGE-MANAGER",
									  "referenceType", "purl", "referenceLocator", url));
}

static json_t *image_package(const struct sbom *s)
{
	AUTO_FREE char *url = sbom_image_url(s->name, s->digest, s->arch, NULL);
	json_t *p = package_base(IMAGE_ID, s->name);

	sbom_set(p, "versionInfo", s->version);
	sbom_set(p, "primaryPackagePurpose", "CONTAINER");
	json_object_set_new(p, "checksums",
						json_pack("[o]", checksum("SHA256", oci_digest_hex(s->digest))));
	add_purl(p, url);
	return p;
}

static json_t *base_package(const struct sbom *s)
{
	json_t *p = package_base(BASE_ID, s->base_name);

	sbom_set(p, "primaryPackagePurpose", "CONTAINER");
	json_object_set_new(p, "checksums",
						json_pack("[o]", checksum("SHA256", oci_digest_hex(s->base_digest))));
	return p;
}

/* SHA-1 over the sorted SHA-1s of the files (7.9.4). */
static json_t *verification_code(const struct sbom *s, size_t package, size_t *count)
{
	AUTO(strv) struct strv sums = {0};
	AUTO_PTR(sha1) struct sha1 *h = sha1_new();
	char hex[SHA1_HEX_LEN + 1];

	for (size_t i = 0; i < s->file_count; i++)
		if (s->files[i].package == package)
			strv_add(&sums, s->files[i].sha1);
	strv_sort(&sums);
	for (size_t i = 0; i < sums.count; i++)
		sha1_add(h, sums.items[i], SHA1_HEX_LEN);
	*count = sums.count;
	return json_pack("{s:s}", "packageVerificationCodeValue", sha1_end_hex(h, hex));
}

/* "Name <address>" is "Organization: Name (address)" here. */
static void set_supplier(json_t *package, const char *maintainer)
{
	const char *open = maintainer ? strchr(maintainer, '<') : NULL;
	AUTO_FREE char *text = NULL;
	size_t len;

	if (!maintainer)
		return;
	len = open ? (size_t)(open - maintainer) : strlen(maintainer);
	while (len > 0 && maintainer[len - 1] == ' ')
		len--;
	text = open ? xasprintf("Organization: %.*s (%.*s)", (int)len, maintainer,
							(int)strcspn(open + 1, ">"), open + 1)
				: xasprintf("Organization: %s", maintainer);
	sbom_set(package, "supplier", text);
}

static void set_source(json_t *package, const struct sbom_package *p)
{
	AUTO_FREE char *info = NULL;

	if (p->kind == SBOM_ALPINE)
		info = xasprintf("built from Alpine package %s", p->source);
	else if (p->kind == SBOM_DEBIAN)
		info = xasprintf("built from Debian source package %s", p->source);
	else if (p->kind == SBOM_PROJECT && p->revision)
		info = xasprintf("git commit %s", p->revision);
	else if (p->kind == SBOM_OTHER)
		info = xasprintf("a file of the %s that no package owns",
						 p->in_toolchain ? "toolchain image" : "build machine");
	sbom_set(package, "sourceInfo", info);
	if (p->kind == SBOM_PROJECT && p->url && p->revision) {
		AUTO_FREE char *location = xasprintf("git+%s@%s", p->url, p->revision);

		sbom_set(package, "downloadLocation", location);
	}
}

static void set_license(json_t *package, const struct sbom_package *p)
{
	/* a LicenseRef needs its text in the document (10.1), which nobody gave us */
	bool is_known = p->license && !strstr(p->license, "Ref-");
	AUTO_FREE char *words = NULL;

	if (is_known)
		sbom_set(package, "licenseDeclared", p->license);
	if (p->license_names)
		words = xasprintf("%s: %s",
						  p->kind == SBOM_ALPINE ? "Alpine's package says"
												 : "Debian's copyright file names",
						  p->license_names);
	else if (p->license_refers)
		words = xasprintf("Debian's copyright file refers to: %s", p->license_refers);
	else if (p->license && !is_known)
		words = xasprintf("declared as %s", p->license);
	sbom_set(package, "licenseComments", words);
}

static json_t *package(const struct sbom *s, size_t i, const char *id)
{
	const struct sbom_package *p = &s->packages[i];
	AUTO_FREE char *url = sbom_package_url(p);
	json_t *doc = package_base(id, p->name);
	size_t files = 0;
	AUTO_JSON json_t *code = p->in_base ? NULL : verification_code(s, i, &files);

	sbom_set(doc, "versionInfo", p->version);
	if (p->kind == SBOM_PROJECT)
		sbom_set(doc, "primaryPackagePurpose", "APPLICATION");
	set_supplier(doc, p->supplier);
	set_source(doc, p);
	set_license(doc, p);
	if (files > 0) {
		json_object_set_new(doc, "filesAnalyzed", json_true());
		json_object_set(doc, "packageVerificationCode", code);
	}
	add_purl(doc, url);
	return doc;
}

/* The name of a package. */
struct ref {
	char text[sizeof("SPDXRef-Package-") + SBOM_ID_LEN];
};

/* Of all, in their order; the caller's. */
static struct ref *package_refs(const struct sbom *s)
{
	struct ref *refs = xcalloc(s->package_count + 1, sizeof(refs[0]));

	for (size_t i = 0; i < s->package_count; i++) {
		char id[SBOM_ID_LEN + 1];

		snprintf(refs[i].text, sizeof(refs[i].text), "SPDXRef-Package-%s",
				 sbom_package_id(s, &s->packages[i], id));
	}
	return refs;
}

static void add_packages(const struct sbom *s, const struct ref *refs, struct buf *out)
{
	sbom_add_json(out, image_package(s));
	for (size_t i = 0; i < s->package_count; i++) {
		buf_addc(out, ',');
		sbom_add_json(out, package(s, i, refs[i].text));
	}
	if (!s->base_name)
		return;
	buf_addc(out, ',');
	sbom_add_json(out, base_package(s));
}

static void add_files(const struct sbom *s, struct buf *out)
{
	for (size_t i = 0; i < s->file_count; i++) {
		const struct sbom_file *f = &s->files[i];
		AUTO_FREE char *name = xasprintf("./%s", f->path);
		char id[SBOM_ID_LEN + 1];

		buf_addf(out,
				 "%s{\"SPDXID\":\"SPDXRef-File-%s\",\"checksums\":[{\"algorithm\":\"SHA1\","
				 "\"checksumValue\":\"%s\"},{\"algorithm\":\"SHA256\",\"checksumValue\":\"%s\"}],"
				 "\"copyrightText\":\"" NO_ASSERTION "\",\"fileName\":",
				 i ? "," : "", sbom_id("file", f->path, id), f->sha1, f->sha256);
		sbom_add_text(out, name);
		buf_adds(out, ",\"licenseConcluded\":\"" NO_ASSERTION "\"}");
	}
}

static void add_relations(const struct sbom *s, const struct ref *refs, struct buf *out)
{
	relate(out, "SPDXRef-DOCUMENT", "DESCRIBES", IMAGE_ID);
	for (size_t i = 0; i < s->package_count; i++)
		relate(out, s->packages[i].in_base ? BASE_ID : IMAGE_ID, "CONTAINS", refs[i].text);
	if (s->base_name)
		relate(out, IMAGE_ID, "DESCENDANT_OF", BASE_ID);
	for (size_t i = 0; i < s->file_count; i++) {
		char ref[sizeof("SPDXRef-File-") + SBOM_ID_LEN];
		char id[SBOM_ID_LEN + 1];

		snprintf(ref, sizeof(ref), "SPDXRef-File-%s", sbom_id("file", s->files[i].path, id));
		relate(out, refs[s->files[i].package].text, "CONTAINS", ref);
	}
}

void sbom_write_spdx(const struct sbom *s, struct buf *out)
{
	AUTO_FREE char *name = xasprintf("%s:%s", s->name, s->version);
	AUTO_FREE struct ref *refs = package_refs(s);
	char created[32];
	size_t uuid;

	buf_addf(out,
			 "{\"SPDXID\":\"SPDXRef-DOCUMENT\",\"creationInfo\":{\"created\":\"%s\",\"creators\":"
			 "[\"Tool: msctl-" MSCTL_VERSION "\"]},\"dataLicense\":\"CC0-1.0\","
			 "\"documentNamespace\":\"https://spdx.org/spdxdocs/msctl-",
			 clock_rfc3339(s->created, created));
	sbom_add_uuid(out, &uuid);
	buf_adds(out, "\",\"files\":[");
	add_files(s, out);
	buf_adds(out, "],\"name\":");
	sbom_add_text(out, name);
	buf_adds(out, ",\"packages\":[");
	add_packages(s, refs, out);
	buf_adds(out, "],\"relationships\":[");
	add_relations(s, refs, out);
	buf_adds(out, "],\"spdxVersion\":\"SPDX-2.3\"}");
	sbom_end_uuid(out, uuid);
}
