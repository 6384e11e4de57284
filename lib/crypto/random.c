#include "crypto/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *out, size_t len)
{
	char *p = out;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			abort();
		p += n;
		len -= (size_t)n;
	}
}

uint64_t random_below(uint64_t below)
{
	uint64_t limit = below ? UINT64_MAX - UINT64_MAX % below : 0;
	uint64_t value;

	if (below < 2)
		return 0;
	do
		random_bytes(&value, sizeof(value));
	while (value >= limit);
	return value % below;
}
