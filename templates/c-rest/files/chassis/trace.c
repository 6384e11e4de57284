#include "chassis/trace.h"

#include <string.h>

#define HEX "0123456789abcdef"

static bool is_hex(const char *text, size_t size)
{
	return strspn(text, HEX) >= size;
}

static bool is_zero(const char *text, size_t size)
{
	return strspn(text, "0") >= size;
}

void trace_id_parse(const char *traceparent, char out[33])
{
	const char *t = traceparent;

	out[0] = '\0';
	/* W3C Trace Context, section 3.2.2: version 00 is exactly 55 long, later ones may add to it */
	if (!t || strlen(t) < 55 || !is_hex(t, 2) || memcmp(t, "ff", 2) == 0 || t[2] != '-' ||
		!is_hex(t + 3, 32) || is_zero(t + 3, 32) || t[35] != '-' || !is_hex(t + 36, 16) ||
		is_zero(t + 36, 16) || t[52] != '-' || !is_hex(t + 53, 2))
		return;
	if (t[55] && (memcmp(t, "00", 2) == 0 || t[55] != '-'))
		return;
	memcpy(out, t + 3, 32);
	out[32] = '\0';
}

bool request_id_is_valid(const char *id)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t size = id ? strlen(id) : 0;

	return size > 0 && size <= 64 && strspn(id, letters) == size;
}
