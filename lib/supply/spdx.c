/* SPDX 2.3, the JSON form. Packages say which of their files are in the image and not what else
 * they have, so their verification codes are over those (7.9). */
#include "base/clock.h"
#include "base/mem.h"
#include "base/strv.h"
#include "supply/sbom_private.h"

#include <string.h>

#define NO_ASSERTION "NOASSERTION"
#define IMAGE_ID "SPDXRef-Image"
#define BASE_ID "SPDXRef-Base"

static char *package_ref(const struct sbom *s, size_t i)
{
	char id[SBOM_ID_LEN + 1];

	return xasprintf("SPDXRef-Package-%s", sbom_package_id(s, &s->packages[i], id));
}

static char *file_ref(const struct sbom_file *f)
{
	char id[SBOM_ID_LEN + 1];

	return xasprintf("SPDXRef-File-%s", sbom_id("file", f->path, id));
}

static json_t *checksum(const char *algorithm, const char *hex)
{
	return json_pack("{s:s, s:s}", "algorithm", algorithm, "checksumValue", hex);
}

static void relate(json_t *relations, const char *from, const char *how, const char *to)
{
	json_array_append_new(relations, json_pack("{s:s, s:s, s:s}", "spdxElementId", from,
											   "relationshipType", how, "relatedSpdxElement", to));
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
		info = xstrdup("a file of the build machine that no package owns");
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
	else if (p->license && !is_known)
		words = xasprintf("declared as %s", p->license);
	sbom_set(package, "licenseComments", words);
}

static json_t *package(const struct sbom *s, size_t i)
{
	const struct sbom_package *p = &s->packages[i];
	AUTO_FREE char *id = package_ref(s, i);
	AUTO_FREE char *url = sbom_package_url(p);
	json_t *doc = package_base(id, p->name);
	size_t files = 0;
	AUTO_JSON json_t *code = verification_code(s, i, &files);

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

static json_t *file(const struct sbom_file *f)
{
	AUTO_FREE char *id = file_ref(f);
	AUTO_FREE char *name = xasprintf("./%s", f->path);
	json_t *doc = json_object();

	sbom_set(doc, "SPDXID", id);
	sbom_set(doc, "fileName", name);
	sbom_set(doc, "licenseConcluded", NO_ASSERTION);
	sbom_set(doc, "copyrightText", NO_ASSERTION);
	json_object_set_new(
		doc, "checksums",
		json_pack("[o, o]", checksum("SHA1", f->sha1), checksum("SHA256", f->sha256)));
	return doc;
}

static void add_packages(const struct sbom *s, json_t *packages, json_t *relations)
{
	json_array_append_new(packages, image_package(s));
	relate(relations, "SPDXRef-DOCUMENT", "DESCRIBES", IMAGE_ID);
	for (size_t i = 0; i < s->package_count; i++) {
		AUTO_FREE char *id = package_ref(s, i);

		json_array_append_new(packages, package(s, i));
		relate(relations, s->packages[i].in_base ? BASE_ID : IMAGE_ID, "CONTAINS", id);
	}
	if (!s->base_name)
		return;
	json_array_append_new(packages, base_package(s));
	relate(relations, IMAGE_ID, "DESCENDANT_OF", BASE_ID);
}

static void add_files(const struct sbom *s, json_t *files, json_t *relations)
{
	for (size_t i = 0; i < s->file_count; i++) {
		AUTO_FREE char *id = file_ref(&s->files[i]);
		AUTO_FREE char *package = package_ref(s, s->files[i].package);

		json_array_append_new(files, file(&s->files[i]));
		relate(relations, package, "CONTAINS", id);
	}
}

void sbom_write_spdx(const struct sbom *s, struct buf *out)
{
	json_t *packages = json_array();
	json_t *files = json_array();
	json_t *relations = json_array();
	AUTO_FREE char *name = xasprintf("%s:%s", s->name, s->version);
	AUTO_FREE char *space = NULL;
	AUTO_JSON json_t *doc = NULL;
	char created[32];
	char uuid[37];

	add_packages(s, packages, relations);
	add_files(s, files, relations);
	doc = json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:[s]}, s:o, s:o, s:o}", "spdxVersion",
					"SPDX-2.3", "dataLicense", "CC0-1.0", "SPDXID", "SPDXRef-DOCUMENT", "name",
					name, "creationInfo", "created", clock_rfc3339(s->created, created), "creators",
					"Tool: msctl-" MSCTL_VERSION, "packages", packages, "files", files,
					"relationships", relations);
	space = xasprintf("https://spdx.org/spdxdocs/msctl-%s", sbom_uuid(doc, uuid));
	sbom_set(doc, "documentNamespace", space);
	doc_json_write(doc, out);
}
