/* sbom.h - what an image is made of, file by file, as SPDX 2.3 and CycloneDX 1.5 JSON.
 *
 * The documents are functions of the struct: times are the image's, identifiers are derived from
 * the content, the order is that of the paths. Files of a base image have no rows: the base is
 * named by its digest, and the packages that it says it has are told. */
#pragma once

#include "base/buf.h"
#include "crypto/sha1.h"
#include "crypto/sha256.h"
#include "oci/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SBOM_TYPE_SPDX "application/spdx+json"
#define SBOM_TYPE_CYCLONEDX "application/vnd.cyclonedx+json"
#define SBOM_MAX_BYTES (256u << 20) /* of one document */

enum sbom_kind {
	SBOM_PROJECT, /* what is built */
	SBOM_DEBIAN,
	SBOM_ALPINE,
	SBOM_OTHER, /* a file that no package owns, of the build machine or of the toolchain's image */
};

struct sbom_package {
	enum sbom_kind kind;
	char *name;
	char *version;        /* NULL: not known */
	char *arch;           /* these four of packages of a distribution */
	char *source;         /* the source package */
	char *distro_id;      /* "debian"; NULL: not known */
	char *distro;         /* "debian-12"; NULL: not known */
	char *supplier;       /* "Name <address>", or NULL */
	char *revision;       /* SBOM_PROJECT: commit, or NULL */
	char *url;            /* SBOM_PROJECT: of the repository, or NULL */
	char *license;        /* SPDX expression, or NULL */
	char *license_names;  /* Debian's words for it, or NULL */
	char *license_refers; /* licences that the package's copyright file refers to, or NULL */
	bool in_base;         /* it came with the base image, and so did its files */
	bool in_toolchain;    /* SBOM_OTHER: the file is of the toolchain's image */
};

struct sbom_file {
	char *path; /* in the image, without the leading slash */
	size_t package;
	char sha1[SHA1_HEX_LEN + 1];
	char sha256[SHA256_HEX_LEN + 1];
};

struct sbom {
	char *name;    /* of the image */
	char *arch;    /* "arm64" */
	char *version; /* its tag */
	char digest[OCI_DIGEST_LEN + 1];
	char *base_name; /* NULL: from nothing */
	char base_digest[OCI_DIGEST_LEN + 1];
	int64_t created;
	struct sbom_package *packages; /* [0] is the project */
	size_t package_count;
	struct sbom_file *files; /* sorted by path */
	size_t file_count;
};

void sbom_release(struct sbom *s);
void sbom_package_release(struct sbom_package *p);

/* "pkg:deb/debian/libc6@2.36-9?arch=amd64"; NULL for what has none. Caller frees. */
char *sbom_package_url(const struct sbom_package *p);
/* "pkg:oci/orders@sha256%3A..."; repository: "registry.example.com/shop/orders", or NULL; arch may
 * be NULL. Caller frees. */
char *sbom_image_url(const char *name, const char *digest, const char *arch,
					 const char *repository);

void sbom_write_spdx(const struct sbom *s, struct buf *out);
void sbom_write_cyclonedx(const struct sbom *s, struct buf *out);
