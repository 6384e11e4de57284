/* WWW-Authenticate; after a newline the Retry-After value. */
#include "base/auto.h"
#include "base/mem.h"
#include "http/challenge.h"
#include "http/client.h"
#include "http/retry.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = xstrndup((const char *)data, size);
	char *after = strchr(text, '\n');
	AUTO(challenges) struct challenges all = {0};
	struct error err = {0};

	if (after) {
		*after++ = '\0';
		int64_t ms = retry_after_ms(after, 784111777);

		FUZZ_CHECK(ms >= -1 && ms <= HTTP_MAX_RETRY_AFTER_MS);
	}
	if (challenges_parse(text, &all, &err) < 0) {
		FUZZ_CHECK(all.count == 0 && err.code == ERR_INPUT);
		return 0;
	}
	for (size_t i = 0; i < all.count; i++) {
		FUZZ_CHECK(*all.items[i].scheme && !strpbrk(all.items[i].scheme, " \t,\"="));
		for (size_t j = 0; j < all.items[i].param_count; j++)
			FUZZ_CHECK(challenge_param(&all.items[i], all.items[i].params[j].name));
	}
	return 0;
}
