/* build.capabilities: text -> security.capability. */
#include "base/auto.h"
#include "base/mem.h"
#include "build/capability.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = xstrndup((const char *)data, size);
	uint8_t out[CAPABILITY_BYTES] = {0};
	struct error err = {0};

	if (capability_parse(text, out, &err) < 0) {
		FUZZ_CHECK(err.code == ERR_INPUT && err.msg[0] && err.hint[0] && out[3] == 0);
		return 0;
	}
	FUZZ_CHECK(out[3] == 2 && out[0] <= 1 && out[1] == 0 && out[2] == 0);
	/* no bit above the last capability, and some bit at all */
	FUZZ_CHECK((out[13] | out[17]) <= 1 && (out[14] | out[15] | out[18] | out[19]) == 0);
	for (size_t i = 4; i < CAPABILITY_BYTES; i++)
		if (out[i])
			return 0;
	FUZZ_CHECK(!"a capability without bits");
	return 0;
}
