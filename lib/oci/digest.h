/* digest.h - content digests (image-spec v1.1, descriptor.md). Only sha256 is made and
 * accepted: every other algorithm is optional for readers. */
#pragma once

#include "base/buf.h"
#include "crypto/sha256.h"

#include <stdbool.h>

#define OCI_DIGEST_LEN 71 /* "sha256:" and 64 hex digits */

/* "sha256:" + 64 lower-case hex digits, exactly. */
bool oci_is_digest(const char *text);
/* Digest of bytes, into out. Returns out. */
const char *oci_digest_of(const void *data, size_t len, char out[OCI_DIGEST_LEN + 1]);
const char *oci_digest_from(const uint8_t sum[SHA256_BYTES], char out[OCI_DIGEST_LEN + 1]);
/* The hex part. Borrowed. */
const char *oci_digest_hex(const char *digest);
