#include "supply/sbom.h"

#include "base/auto.h"
#include "base/mem.h"
#include "doc/json.h"

#include <criterion/criterion.h>
#include <string.h>

#define SHA1_A "da39a3ee5e6b4b0d3255bfef95601890afd80709"
#define SHA1_B "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"
#define SHA256_A "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct sbom make(void)
{
	static const struct {
		const char *path, *sha1;
		size_t package;
	} files[] = {
		{"lib/libz.so.1", SHA1_A, 1},
		{"lib/odd\xff.so", SHA1_B, 2},
		{"usr/bin/app", SHA1_B, 0},
	};
	struct sbom s = {
		.name = xstrdup("orders"),
		.version = xstrdup("1.4"),
		.digest = "sha256:" SHA256_A,
		.arch = xstrdup("arm64"),
		.created = 1700000000,
		.packages = xcalloc(3, sizeof(struct sbom_package)),
		.package_count = 3,
		.files = xcalloc(3, sizeof(struct sbom_file)),
		.file_count = 3,
	};

	s.packages[0] = (struct sbom_package){.kind = SBOM_PROJECT,
										  .name = xstrdup("orders"),
										  .version = xstrdup("1.4"),
										  .revision = xstrdup("abc"),
										  .url = xstrdup("https://git.example/orders")};
	s.packages[1] = (struct sbom_package){.kind = SBOM_DEBIAN,
										  .name = xstrdup("zlib1g"),
										  .version = xstrdup("1:1.2+dfsg-1"),
										  .arch = xstrdup("amd64"),
										  .source = xstrdup("zlib"),
										  .distro_id = xstrdup("debian"),
										  .distro = xstrdup("debian-12"),
										  .supplier = xstrdup("Mark <m@example.org>"),
										  .license = xstrdup("Zlib"),
										  .license_names = xstrdup("zlib")};
	s.packages[2] = (struct sbom_package){.kind = SBOM_OTHER, .name = xstrdup("odd\xff.so")};
	for (size_t i = 0; i < 3; i++) {
		s.files[i].path = xstrdup(files[i].path);
		s.files[i].package = files[i].package;
		memcpy(s.files[i].sha1, files[i].sha1, sizeof(s.files[i].sha1));
		memcpy(s.files[i].sha256, SHA256_A, sizeof(s.files[i].sha256));
	}
	return s;
}

static json_t *parse(const struct buf *text)
{
	json_t *doc = NULL;
	struct error err = {0};

	cr_assert_eq(doc_json_parse(buf_span(text), "SBOM", &doc, &err), 0, "%s", err.msg);
	return doc;
}

/* The element of an array whose key has this value. */
static const json_t *find(const json_t *array, const char *key, const char *value)
{
	json_t *e;
	size_t i;

	json_array_foreach(array, i, e) if (strcmp(doc_text(e, key, ""), value) == 0) return e;
	cr_assert_fail("no %s %s", key, value);
	return NULL;
}

static bool is_related(const json_t *doc, const char *from, const char *how, const char *to)
{
	json_t *r;
	size_t i;

	json_array_foreach(json_object_get(doc, "relationships"), i,
					   r) if (strcmp(doc_text(r, "spdxElementId", ""), from) == 0 &&
							  strcmp(doc_text(r, "relationshipType", ""), how) == 0 &&
							  strcmp(doc_text(r, "relatedSpdxElement", ""), to) == 0) return true;
	return false;
}

Test(sbom, spdx_has_a_package_for_each_file)
{
	AUTO(sbom) struct sbom s = make();
	AUTO(buf) struct buf text = {0};
	AUTO_JSON json_t *doc = NULL;
	const json_t *packages, *files, *z, *odd, *app;

	sbom_write_spdx(&s, &text);
	doc = parse(&text);
	packages = json_object_get(doc, "packages");
	files = json_object_get(doc, "files");
	z = find(packages, "name", "zlib1g");
	odd = find(packages, "name", "odd?.so");
	app = find(packages, "primaryPackagePurpose", "APPLICATION");
	cr_expect_str_eq(doc_text(doc, "creationInfo.created", ""), "2023-11-14T22:13:20Z");
	cr_expect_str_eq(doc_text(z, "licenseDeclared", ""), "Zlib");
	cr_expect_str_eq(doc_text(z, "supplier", ""), "Organization: Mark (m@example.org)");
	cr_expect_str_eq(doc_text(z, "externalRefs.0.referenceLocator", ""),
					 "pkg:deb/debian/zlib1g@1:1.2%2Bdfsg-1?arch=amd64&distro=debian-12");
	/* SHA-1 of the one checksum */
	cr_expect_str_eq(doc_text(z, "packageVerificationCode.packageVerificationCodeValue", ""),
					 "10a34637ad661d98ba3344717656fcc76209c2f8");
	cr_expect_str_eq(doc_text(odd, "licenseDeclared", ""), "NOASSERTION");
	cr_expect_str_eq(
		doc_text(find(packages, "SPDXID", "SPDXRef-Image"), "externalRefs.0.referenceLocator", ""),
		"pkg:oci/orders@sha256%3A" SHA256_A "?arch=arm64");
	cr_expect_null(json_object_get(odd, "externalRefs"));
	cr_expect_str_eq(doc_text(odd, "sourceInfo", ""),
					 "a file of the build machine that no package owns");
	cr_expect_str_eq(doc_text(app, "downloadLocation", ""), "git+https://git.example/orders@abc");
	cr_expect(is_related(doc, "SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image"));
	cr_expect(is_related(doc, "SPDXRef-Image", "CONTAINS", doc_text(z, "SPDXID", "")));
	cr_expect(is_related(doc, doc_text(z, "SPDXID", ""), "CONTAINS",
						 doc_text(find(files, "fileName", "./lib/libz.so.1"), "SPDXID", "")));
	cr_expect(is_related(doc, doc_text(odd, "SPDXID", ""), "CONTAINS",
						 doc_text(find(files, "fileName", "./lib/odd?.so"), "SPDXID", "")));
	cr_expect(is_related(doc, doc_text(app, "SPDXID", ""), "CONTAINS",
						 doc_text(find(files, "fileName", "./usr/bin/app"), "SPDXID", "")));
}

Test(sbom, cyclonedx_has_files_below_packages)
{
	AUTO(sbom) struct sbom s = make();
	AUTO(buf) struct buf text = {0};
	AUTO_JSON json_t *doc = NULL;
	const json_t *z;

	s.base_name = xstrdup("debian:12");
	memcpy(s.base_digest, s.digest, sizeof(s.base_digest));
	sbom_write_cyclonedx(&s, &text);
	doc = parse(&text);
	z = find(json_object_get(doc, "components"), "name", "zlib1g");
	cr_expect_str_eq(doc_text(doc, "specVersion", ""), "1.5");
	cr_expect_str_eq(doc_text(doc, "metadata.timestamp", ""), "2023-11-14T22:13:20Z");
	cr_expect_str_eq(doc_text(doc, "metadata.component.pedigree.ancestors.0.name", ""),
					 "debian:12");
	cr_expect_str_eq(doc_text(z, "components.0.name", ""), "/lib/libz.so.1");
	cr_expect_str_eq(doc_text(z, "components.0.hashes.1.content", ""), SHA256_A);
	cr_expect_str_eq(doc_text(z, "licenses.0.expression", ""), "Zlib");
	cr_expect_str_eq(doc_text(doc, "dependencies.0.ref", ""), "image");
	cr_expect_eq(json_array_size(doc_get(doc, "dependencies.0.dependsOn")), 3);
}

Test(sbom, a_verification_code_is_over_sorted_checksums)
{
	AUTO(sbom) struct sbom s = make();
	AUTO(buf) struct buf text = {0};
	AUTO_JSON json_t *doc = NULL;

	/* in the order of paths the greater sum comes first */
	s.files[1].package = 1;
	sbom_write_spdx(&s, &text);
	doc = parse(&text);
	cr_expect_str_eq(doc_text(find(json_object_get(doc, "packages"), "name", "zlib1g"),
							  "packageVerificationCode.packageVerificationCodeValue", ""),
					 "2a6f520ef2c17a239311f8ede54e4039d5500711");
}

Test(sbom, documents_are_functions_of_the_content)
{
	AUTO(sbom) struct sbom s = make();
	AUTO(sbom) struct sbom t = make();
	AUTO(buf) struct buf a = {0}, b = {0}, c = {0};

	sbom_write_spdx(&s, &a);
	sbom_write_spdx(&t, &b);
	cr_expect_str_eq(buf_str(&a), buf_str(&b));
	t.files[2].sha256[0] = 'f';
	sbom_write_spdx(&t, &c);
	cr_expect_neq(
		strcmp(strstr(buf_str(&a), "documentNamespace"), strstr(buf_str(&c), "documentNamespace")),
		0);
}

Test(sbom, packages_of_the_base_are_its_own)
{
	AUTO(sbom) struct sbom s = make();
	AUTO(buf) struct buf spdx = {0}, cyclonedx = {0};
	AUTO_JSON json_t *a = NULL;
	AUTO_JSON json_t *b = NULL;
	json_t *packages, *p;
	size_t i, found = 0, of_base = 0;

	s.base_name = xstrdup("debian:12");
	memcpy(s.base_digest, s.digest, sizeof(s.base_digest));
	s.packages = xrealloc(s.packages, 4, sizeof(struct sbom_package));
	/* the very package that gives a file, too */
	s.packages[s.package_count++] = (struct sbom_package){.kind = SBOM_DEBIAN,
														  .name = xstrdup("zlib1g"),
														  .version = xstrdup("1:1.2+dfsg-1"),
														  .arch = xstrdup("amd64"),
														  .source = xstrdup("zlib"),
														  .in_base = true};
	sbom_write_spdx(&s, &spdx);
	sbom_write_cyclonedx(&s, &cyclonedx);
	a = parse(&spdx);
	b = parse(&cyclonedx);
	packages = json_object_get(a, "packages");
	json_array_foreach(packages, i, p)
	{
		const char *id = doc_text(p, "SPDXID", "");

		if (strcmp(doc_text(p, "name", ""), "zlib1g") != 0)
			continue;
		found++;
		of_base += is_related(a, "SPDXRef-Base", "CONTAINS", id);
		cr_expect_neq(is_related(a, "SPDXRef-Base", "CONTAINS", id),
					  is_related(a, "SPDXRef-Image", "CONTAINS", id));
	}
	cr_expect_eq(found, 2);
	cr_expect_eq(of_base, 1);
	p = json_array_get(json_object_get(b, "components"), 3);
	cr_expect_str_eq(doc_text(p, "name", ""), "zlib1g");
	cr_expect_null(json_object_get(p, "components"));
	cr_expect_null(json_object_get(p, "purl"));
	cr_expect_str_neq(doc_text(p, "bom-ref", ""), doc_text(b, "components.1.bom-ref", ""));
}

Test(sbom, a_licence_without_its_text_is_no_assertion)
{
	AUTO(sbom) struct sbom s = make();
	AUTO(buf) struct buf text = {0};
	AUTO_JSON json_t *doc = NULL;
	const json_t *app;

	s.packages[0].license = xstrdup("LicenseRef-ours OR MIT");
	sbom_write_spdx(&s, &text);
	doc = parse(&text);
	app = find(json_object_get(doc, "packages"), "primaryPackagePurpose", "APPLICATION");
	cr_expect_str_eq(doc_text(app, "licenseDeclared", ""), "NOASSERTION");
	cr_expect_str_eq(doc_text(app, "licenseComments", ""), "declared as LicenseRef-ours OR MIT");
}

Test(sbom, names_of_files_are_quoted)
{
	AUTO(sbom) struct sbom s = make();
	AUTO(buf) struct buf spdx = {0}, cyclonedx = {0};
	AUTO_JSON json_t *a = NULL;
	AUTO_JSON json_t *b = NULL;

	free(s.files[2].path);
	s.files[2].path = xstrdup("usr/\"a\\b\"\n.\001.gr\303\274\303\237\x7f");
	sbom_write_spdx(&s, &spdx);
	sbom_write_cyclonedx(&s, &cyclonedx);
	a = parse(&spdx);
	b = parse(&cyclonedx);
	cr_expect_str_eq(doc_text(a, "files.2.fileName", ""), "./usr/\"a\\b\"?.?.gr\303\274\303\237?");
	cr_expect_str_eq(doc_text(b, "components.0.components.0.name", ""),
					 "/usr/\"a\\b\"?.?.gr\303\274\303\237?");
}

Test(sbom, addresses_of_packages)
{
	static char name[] = "musl", version[] = "1.2.4-r2", arch[] = "x86_64", distro[] = "alpine";
	struct sbom_package p = {
		.kind = SBOM_ALPINE, .name = name, .version = version, .arch = arch, .distro_id = distro};
	AUTO_FREE char *apk = sbom_package_url(&p);
	AUTO_FREE char *base = sbom_image_url("docker.io/library/debian", "sha256:" SHA256_A, NULL,
										  "docker.io/library/debian");
	AUTO_FREE char *both = sbom_image_url("x", "sha256:" SHA256_A, "arm64", "r.example:5000/x");

	cr_expect_str_eq(apk, "pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64");
	cr_expect_str_eq(base, "pkg:oci/debian@sha256%3A" SHA256_A
						   "?repository_url=docker.io%2Flibrary%2Fdebian");
	cr_expect_str_eq(both, "pkg:oci/x@sha256%3A" SHA256_A
						   "?arch=arm64&repository_url=r.example:5000%2Fx");
	p.kind = SBOM_OTHER;
	cr_expect_null(sbom_package_url(&p));
}
