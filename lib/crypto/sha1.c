#include "crypto/sha1.h"

#include "base/mem.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

struct sha1 {
	EVP_MD_CTX *ctx;
	EVP_MD *md;
};

/* OpenSSL fails here only when it cannot allocate or has no default provider. */
static void must(int ok)
{
	if (ok == 1)
		return;
	fputs("msctl: OpenSSL has no SHA-1\n", stderr);
	_exit(1);
}

struct sha1 *sha1_new(void)
{
	struct sha1 *h = xcalloc(1, sizeof(*h));

	h->md = EVP_MD_fetch(NULL, "SHA1", NULL);
	h->ctx = EVP_MD_CTX_new();
	must(h->md && h->ctx);
	must(EVP_DigestInit_ex2(h->ctx, h->md, NULL));
	return h;
}

void sha1_free(struct sha1 *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_free(h->md);
	free(h);
}

void sha1_add(struct sha1 *h, const void *data, size_t len)
{
	must(EVP_DigestUpdate(h->ctx, data, len));
}

const char *sha1_end_hex(struct sha1 *h, char out[SHA1_HEX_LEN + 1])
{
	uint8_t sum[SHA1_BYTES];

	must(EVP_DigestFinal_ex(h->ctx, sum, NULL));
	must(EVP_DigestInit_ex2(h->ctx, h->md, NULL));
	for (size_t i = 0; i < SHA1_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
	return out;
}
