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

/* What a terminal obeys or shows as nothing: C1 controls, and the marks that turn the direction of
 * text around or hide in it (U+061C, U+200B..U+200F, U+2028..U+202E, U+2066..U+2069, U+FEFF), by
 * which a name can be made to look like another. */
static bool is_hidden(const unsigned char *s, size_t len)
{
	if (len == 2)
		return (s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xd8 && s[1] == 0x9c);
	if (len != 3)
		return false;
	if (s[0] == 0xe2 && s[1] == 0x80)
		return (s[2] >= 0x8b && s[2] <= 0x8f) || (s[2] >= 0xa8 && s[2] <= 0xae);
	return (s[0] == 0xe2 && s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9) ||
		   (s[0] == 0xef && s[1] == 0xbb && s[2] == 0xbf);
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
		if (is_hidden((const unsigned char *)text + i, n))
			memset(text + i, '?', n);
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
