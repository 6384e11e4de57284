#include "crypto/base64.h"

#include "base/auto.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *data, size_t len, struct buf *out)
{
	const uint8_t *p = data;

	for (; len > 0; p += 3) {
		size_t n = len < 3 ? len : 3;
		uint32_t v = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);

		for (size_t i = 0; i < 4; i++) {
			if (i <= n)
				buf_addc(out, letters[v >> (18 - 6 * i) & 63]);
			else
				buf_addc(out, '=');
		}
		len -= n;
	}
}

static int value_of(char c)
{
	const char *at = c ? strchr(letters, c) : NULL;

	return at ? (int)(at - letters) : -1;
}

int base64_decode(const char *text, size_t len, struct buf *out, struct error *err)
{
	AUTO(buf) struct buf b = {0};
	uint32_t bits = 0;
	unsigned count = 0; /* of letters in the current group */
	unsigned pads = 0;
	size_t i = 0;

	for (; i < len && text[i] != '='; i++) {
		int v = value_of(text[i]);

		if (isspace((unsigned char)text[i]))
			continue;
		if (v < 0)
			return err_set(err, ERR_INPUT, "invalid base64 at byte %zu", i);
		bits = bits << 6 | (uint32_t)v;
		if (++count == 4) {
			buf_add(&b, (char[]){(char)(bits >> 16), (char)(bits >> 8), (char)bits}, 3);
			bits = count = 0;
		}
	}
	for (; i < len; i++) {
		if (isspace((unsigned char)text[i]))
			continue;
		pads++;
		if (text[i] != '=')
			return err_set(err, ERR_INPUT, "invalid base64 at byte %zu", i);
	}
	/* the bits that stand behind the last whole byte must be zero, or two texts decode to one value
	 */
	if (count == 1 || (pads > 0 && count + pads != 4) || (count == 2 && bits & 15) ||
		(count == 3 && bits & 3))
		return err_set(err, ERR_INPUT, "base64 text is cut off");
	if (count == 2)
		buf_addc(&b, (char)(bits >> 4));
	if (count == 3)
		buf_add(&b, (char[]){(char)(bits >> 10), (char)(bits >> 2)}, 2);
	buf_add(&b, "", 0);
	*out = MOVE(b);
	return 0;
}
