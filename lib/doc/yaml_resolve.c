#include "doc/yaml_resolve.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>
#include <float.h>
#include <string.h>

enum word {
	WORD_NONE,
	WORD_NULL,
	WORD_TRUE,
	WORD_FALSE,
	WORD_NOT_A_NUMBER,
};

/* Spelling counts: lower case, capitalised, upper case, and nothing between. */
static enum word find_word(const char *text)
{
	static const struct {
		const char *text;
		enum word word;
	} words[] = {
		{"", WORD_NULL},     {"~", WORD_NULL},      {"null", WORD_NULL},   {"Null", WORD_NULL},
		{"NULL", WORD_NULL}, {"y", WORD_TRUE},      {"Y", WORD_TRUE},      {"yes", WORD_TRUE},
		{"Yes", WORD_TRUE},  {"YES", WORD_TRUE},    {"true", WORD_TRUE},   {"True", WORD_TRUE},
		{"TRUE", WORD_TRUE}, {"on", WORD_TRUE},     {"On", WORD_TRUE},     {"ON", WORD_TRUE},
		{"n", WORD_FALSE},   {"N", WORD_FALSE},     {"no", WORD_FALSE},    {"No", WORD_FALSE},
		{"NO", WORD_FALSE},  {"false", WORD_FALSE}, {"False", WORD_FALSE}, {"FALSE", WORD_FALSE},
		{"off", WORD_FALSE}, {"Off", WORD_FALSE},   {"OFF", WORD_FALSE},
	};
	static const char *const not_numbers[] = {
		".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
		"+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF",
	};

	if (strlen(text) > 5)
		return WORD_NONE;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(text, words[i].text) == 0)
			return words[i].word;
	for (size_t i = 0; i < ARRAY_LEN(not_numbers); i++)
		if (strcmp(text, not_numbers[i]) == 0)
			return WORD_NOT_A_NUMBER;
	return WORD_NONE;
}

static char *without_underscores(const char *text)
{
	char *plain = xmalloc(strlen(text) + 1);
	size_t n = 0;

	for (; *text; text++)
		if (*text != '_')
			plain[n++] = *text;
	plain[n] = '\0';
	return plain;
}

/* Step over 0x, 0o, 0b or the 0 of 0777; returns the base. */
static unsigned take_base(const char **digits)
{
	const char *d = *digits;

	if (d[0] != '0' || !d[1])
		return 10;
	*digits += 2;
	switch (d[1]) {
	case 'x':
	case 'X':
		return 16;
	case 'o':
	case 'O':
		return 8;
	case 'b':
	case 'B':
		return 2;
	default:
		*digits -= 1;
		return 8;
	}
}

static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 99;
}

/* A whole number in any base; NULL if text is none or does not fit into 64 bits. */
static json_t *resolve_int(const char *text)
{
	bool negative = *text == '-';
	uint64_t value = 0;
	unsigned base;

	text += *text == '-' || *text == '+';
	base = take_base(&text);
	if (!*text)
		return NULL;
	for (; *text; text++) {
		unsigned digit = digit_value(*text);

		if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
			__builtin_add_overflow(value, digit, &value))
			return NULL;
	}
	if (negative && value <= (uint64_t)INT64_MAX + 1)
		return json_integer((json_int_t)(0 - value));
	if (value <= INT64_MAX)
		return json_integer((json_int_t)value);
	return negative ? NULL : json_real((double)value);
}

/* [-+]? ( .digits | digits ( . digits? )? ) ( [eE] [-+]? digits )? */
static bool is_float(const char *p)
{
	size_t before, after = 0;

	p += *p == '-' || *p == '+';
	before = strspn(p, "0123456789");
	p += before;
	if (*p == '.') {
		after = strspn(p + 1, "0123456789");
		p += 1 + after;
	}
	if (before == 0 && after == 0)
		return false;
	if (*p == 'e' || *p == 'E') {
		size_t digits;

		p++;
		p += *p == '-' || *p == '+';
		digits = strspn(p, "0123456789");
		if (digits == 0)
			return false;
		p += digits;
	}
	return *p == '\0';
}

static json_t *resolve_float(const char *text)
{
	double value;

	if (!is_float(text))
		return NULL;
	/* the locale is never set, so the decimal point is a point */
	value = strtod(text, NULL);
	if (value > DBL_MAX || value < -DBL_MAX)
		return NULL;
	if (value > -9223372036854775808.0 && value < 9223372036854775808.0 &&
		value == (double)(json_int_t)value)
		return json_integer((json_int_t)value);
	return json_real(value);
}

/* In text that starts with a point, Go takes underscores between digits only. */
static bool underscores_fit(const char *text)
{
	for (const char *c = strchr(text, '_'); c; c = strchr(c + 1, '_'))
		if (!isdigit((unsigned char)c[-1]) || !isdigit((unsigned char)c[1]))
			return false;
	return true;
}

json_t *yaml_resolve(const char *text)
{
	json_t *number = NULL;

	switch (find_word(text)) {
	case WORD_NULL:
		return json_null();
	case WORD_TRUE:
		return json_true();
	case WORD_FALSE:
		return json_false();
	case WORD_NOT_A_NUMBER:
		return NULL;
	default:
		break;
	}
	if (*text == '.' && underscores_fit(text)) {
		AUTO_FREE char *plain = without_underscores(text);

		number = resolve_float(plain);
	} else if (isdigit((unsigned char)*text) || *text == '-' || *text == '+') {
		AUTO_FREE char *plain = without_underscores(text);

		number = resolve_int(plain);
		if (!number)
			number = resolve_float(plain);
	}
	return number ? number : json_string(text);
}
