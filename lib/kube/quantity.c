#include "kube/quantity.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool suffix_factor(const char *suffix, long double *factor)
{
	static const struct {
		const char *suffix;
		long double factor;
	} suffixes[] = {
		{"n", 1e-9L},    {"u", 1e-6L},    {"m", 1e-3L},    {"", 1},
		{"k", 1e3L},     {"M", 1e6L},     {"G", 1e9L},     {"T", 1e12L},
		{"P", 1e15L},    {"E", 1e18L},    {"Ki", 0x1p10L}, {"Mi", 0x1p20L},
		{"Gi", 0x1p30L}, {"Ti", 0x1p40L}, {"Pi", 0x1p50L}, {"Ei", 0x1p60L},
	};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strcmp(suffixes[i].suffix, suffix) == 0) {
			*factor = suffixes[i].factor;
			return true;
		}
	return false;
}

static bool read_quantity(const json_t *v, long double *out)
{
	const char *text = json_string_value(v);
	long double factor = 1;
	char *end = NULL;

	if (json_is_integer(v) || json_is_real(v)) {
		*out = json_is_integer(v) ? (long double)json_integer_value(v)
								  : (long double)json_real_value(v);
		return true;
	}
	/* strtold takes more than a quantity may be: inf, nan, hexadecimal */
	if (!text || strspn(text, "+-.0123456789") == 0 || strlen(text) > 40 || strpbrk(text, "xXpN"))
		return false;
	*out = strtold(text, &end);
	if (!end || end == text || !suffix_factor(end, &factor))
		return false;
	*out *= factor;
	return true;
}

bool kube_quantity_equal(const json_t *a, const json_t *b)
{
	long double x = 0;
	long double y = 0;
	long double difference;

	if (!read_quantity(a, &x) || !read_quantity(b, &y))
		return false;
	difference = x > y ? x - y : y - x;
	/* 0.1 and 100m differ in the last bit only */
	return difference <= (x > 0 ? x : -x) * 1e-15L;
}
