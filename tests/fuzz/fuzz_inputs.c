/* Two lists of what something was made from, as the cache keeps them -> why it is made anew. */
#include "base/auto.h"
#include "base/utf8.h"
#include "build/inputs.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t half = size ? data[0] * size / 256 : 0;
	AUTO(buf) struct buf before = {0};
	AUTO(buf) struct buf now = {0};
	AUTO_FREE char *why = NULL;

	buf_add(&before, data, half);
	buf_add(&now, data + half, size - half);
	why = inputs_reason(&before, &now);
	FUZZ_CHECK(why[0] && utf8_is_valid(why, strlen(why)));
	return 0;
}
