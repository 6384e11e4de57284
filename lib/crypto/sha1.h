/* sha1.h - SHA-1 (FIPS 180-4), for formats that ask for it beside a better one. It proves nothing:
 * never compare content by it. */
#pragma once

#include "base/auto.h"

#include <stddef.h>
#include <stdint.h>

#define SHA1_BYTES 20
#define SHA1_HEX_LEN 40

struct sha1; /* heap */

struct sha1 *sha1_new(void);
void sha1_free(struct sha1 *h);
void sha1_add(struct sha1 *h, const void *data, size_t len);
/* Finish as 40 lower-case hex digits and NUL, and start anew. Returns out. */
const char *sha1_end_hex(struct sha1 *h, char out[SHA1_HEX_LEN + 1]);

DEFINE_AUTO_PTR(sha1)
