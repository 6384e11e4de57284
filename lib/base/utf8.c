#include "base/utf8.h"

#include <string.h>

static bool is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t utf8_sequence(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t need;

	if (len == 0)
		return 0;
	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	need = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (len < need || !is_tail(s[1]))
		return 0;
	/* overlong forms, surrogates and code points above U+10FFFF show in the second byte */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	for (size_t i = 2; i < need; i++)
		if (!is_tail(s[i]))
			return 0;
	return need;
}

bool utf8_is_valid(const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_sequence(text + i, len - i);
		if (n == 0)
			return false;
	}
	return true;
}

void utf8_sanitize(char *text)
{
	size_t len = strlen(text);
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = utf8_sequence(text + i, len - i);
		if (n == 0 || (unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
			text[i] = '?';
			n = 1;
		}
		/* C1 controls (U+0080..U+009F) drive terminals as well */
		if (n == 2 && (unsigned char)text[i] == 0xc2 && (unsigned char)text[i + 1] < 0xa0)
			memset(text + i, '?', 2);
	}
}

size_t utf8_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		if (!is_tail((unsigned char)*text))
			width++;
	return width;
}
