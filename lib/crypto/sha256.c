#include "crypto/sha256.h"

#include "base/mem.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct sha256 {
	EVP_MD_CTX *ctx;
	EVP_MD *md;
};

/* OpenSSL fails here only when it cannot allocate or has no default provider: there is no going on.
 */
static void must(int ok)
{
	if (ok == 1)
		return;
	fputs("msctl: OpenSSL has no SHA-256\n", stderr);
	_exit(1);
}

struct sha256 *sha256_new(void)
{
	struct sha256 *h = xcalloc(1, sizeof(*h));

	/* fetched once: EVP_sha256() would look the provider up at each start */
	h->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	h->ctx = EVP_MD_CTX_new();
	must(h->md && h->ctx);
	must(EVP_DigestInit_ex2(h->ctx, h->md, NULL));
	return h;
}

void sha256_free(struct sha256 *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_free(h->md);
	free(h);
}

void sha256_add(struct sha256 *h, const void *data, size_t len)
{
	must(EVP_DigestUpdate(h->ctx, data, len));
}

void sha256_end(struct sha256 *h, uint8_t out[SHA256_BYTES])
{
	must(EVP_DigestFinal_ex(h->ctx, out, NULL));
	must(EVP_DigestInit_ex2(h->ctx, h->md, NULL));
}

void sha256_peek(const struct sha256 *h, uint8_t out[SHA256_BYTES])
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();

	must(copy && EVP_MD_CTX_copy_ex(copy, h->ctx) == 1 && EVP_DigestFinal_ex(copy, out, NULL) == 1);
	EVP_MD_CTX_free(copy);
}

void sha256_of(const void *data, size_t len, uint8_t out[SHA256_BYTES])
{
	struct sha256 *h = sha256_new();

	sha256_add(h, data, len);
	sha256_end(h, out);
	sha256_free(h);
}

const char *sha256_hex(const uint8_t sum[SHA256_BYTES], char out[SHA256_HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < SHA256_BYTES; i++) {
		out[2 * i] = digits[sum[i] >> 4];
		out[2 * i + 1] = digits[sum[i] & 15];
	}
	out[SHA256_HEX_LEN] = '\0';
	return out;
}
