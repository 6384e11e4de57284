/* sbom.h - what an image is made of, file by file, as SPDX 2.3 and CycloneDX 1.5 JSON.
 *
 * The documents are functions of the struct: times are the image's, identifiers are derived from
 * the content, the order is that of the paths. */
#pragma once

#include "base/buf.h"
#include "crypto/sha1.h"
#include "crypto/sha256.h"
#include "oci/digest.h"

#include <stddef.h>
#include <stdint.h>

#define SBOM_TYPE_SPDX "application/spdx+json"
#define SBOM_TYPE_CYCLONEDX "application/vnd.cyclonedx+json"
#define SBOM_MAX_BYTES (256u << 20) /* of one document */

enum sbom_kind {
	SBOM_PROJECT, /* what is built */
	SBOM_DEBIAN,
	SBOM_OTHER, /* a file of the build machine that no package owns */
};

struct sbom_package {
	enum sbom_kind kind;
	char *name;
	char *version;       /* NULL: not known */
	char *arch;          /* SBOM_DEBIAN */
	char *source;        /* SBOM_DEBIAN: the source package */
	char *supplier;      /* "Name <address>", or NULL */
	char *revision;      /* SBOM_PROJECT: commit, or NULL */
	char *url;           /* SBOM_PROJECT: of the repository, or NULL */
	char *license;       /* SPDX expression, or NULL */
	char *license_names; /* Debian's words for it, or NULL */
};

struct sbom_file {
	char *path; /* in the image, without the leading slash */
	size_t package;
	char sha1[SHA1_HEX_LEN + 1];
	char sha256[SHA256_HEX_LEN + 1];
};

struct sbom {
	char *name;    /* of the image */
	char *version; /* its tag */
	char digest[OCI_DIGEST_LEN + 1];
	char *base_name; /* NULL: from nothing */
	char base_digest[OCI_DIGEST_LEN + 1];
	char *distro_id; /* "debian", of the build machine; NULL: not known */
	char *distro;    /* "debian-12" */
	int64_t created;
	struct sbom_package *packages; /* [0] is the project */
	size_t package_count;
	struct sbom_file *files; /* sorted by path */
	size_t file_count;
};

void sbom_release(struct sbom *s);

void sbom_write_spdx(const struct sbom *s, struct buf *out);
void sbom_write_cyclonedx(const struct sbom *s, struct buf *out);
