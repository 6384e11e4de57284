#include "oci/digest.h"

#include "base/mem.h"

#include <string.h>

#define PREFIX "sha256:"
#define PREFIX_LEN (sizeof(PREFIX) - 1)

bool oci_is_digest(const char *text)
{
	size_t len = strlen(text);

	return len == OCI_DIGEST_LEN && memcmp(text, PREFIX, PREFIX_LEN) == 0 &&
		   strspn(text + PREFIX_LEN, "0123456789abcdef") == SHA256_HEX_LEN;
}

const char *oci_digest_from(const uint8_t sum[SHA256_BYTES], char out[OCI_DIGEST_LEN + 1])
{
	memcpy(out, PREFIX, PREFIX_LEN);
	sha256_hex(sum, out + PREFIX_LEN);
	return out;
}

const char *oci_digest_of(const void *data, size_t len, char out[OCI_DIGEST_LEN + 1])
{
	uint8_t sum[SHA256_BYTES];

	sha256_of(data, len, sum);
	return oci_digest_from(sum, out);
}

const char *oci_digest_hex(const char *digest)
{
	return digest + PREFIX_LEN;
}
