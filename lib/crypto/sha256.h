/* sha256.h - SHA-256 (FIPS 180-4), streaming, by OpenSSL's EVP. */
#pragma once

#include "base/auto.h"

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32
#define SHA256_HEX_LEN 64

struct sha256; /* heap */

struct sha256 *sha256_new(void);
void sha256_free(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *data, size_t len);
/* Finish and start anew: the struct can be used again. */
void sha256_end(struct sha256 *h, uint8_t out[SHA256_BYTES]);
/* What the end would give now; goes on as if nothing had been asked. */
void sha256_peek(const struct sha256 *h, uint8_t out[SHA256_BYTES]);

DEFINE_AUTO_PTR(sha256)

/* In one go. */
void sha256_of(const void *data, size_t len, uint8_t out[SHA256_BYTES]);

/* 64 lower-case hex digits and NUL. Returns out. */
const char *sha256_hex(const uint8_t sum[SHA256_BYTES], char out[SHA256_HEX_LEN + 1]);
