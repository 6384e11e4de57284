#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool text_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
	size_t n = strlen(text);
	size_t m = strlen(suffix);

	return n >= m && memcmp(text + n - m, suffix, m) == 0;
}

bool text_to_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
	bool negative = *text == '-';
	int64_t value = 0;

	text += negative;
	if (!isdigit((unsigned char)*text))
		return false;
	for (; isdigit((unsigned char)*text); text++) {
		int digit = *text - '0';

		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, negative ? -digit : digit, &value))
			return false;
	}
	if (*text || value < min || value > max)
		return false;
	*out = value;
	return true;
}

#define NEAREST_MAX 64

/* Levenshtein distance; words longer than NEAREST_MAX are never near. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NEAREST_MAX + 1];
	size_t n = strlen(a);
	size_t m = strlen(b);

	if (n > NEAREST_MAX || m > NEAREST_MAX)
		return NEAREST_MAX;
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[m];
}

const char *text_nearest(const char *word, const char *const *candidates)
{
	const char *best = NULL;
	size_t best_distance = strlen(word) / 3 + 2;

	for (; *candidates; candidates++) {
		size_t d = distance(word, *candidates);

		if (d < best_distance && d < strlen(*candidates)) {
			best = *candidates;
			best_distance = d;
		}
	}
	return best;
}

const char *text_size(uint64_t bytes, char out[16])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1000;
		unit++;
	}
	snprintf(out, 16, unit && value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return out;
}

const char *text_duration(int64_t ms, char out[16])
{
	if (ms < 1000)
		snprintf(out, 16, "%" PRId64 "ms", ms < 0 ? 0 : ms);
	else if (ms < 60000)
		snprintf(out, 16, "%.1fs", (double)ms / 1000);
	else
		snprintf(out, 16, "%" PRId64 "m%02ds", ms / 60000 % 1000000, (int)(ms / 1000 % 60));
	return out;
}

static int64_t unit_ms(const char **text)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text_starts(*text, units[i].name)) {
			*text += strlen(units[i].name);
			return units[i].ms;
		}
	return 0;
}

int text_parse_duration(const char *text, int64_t *out_ms, struct error *err)
{
	const char *p = text;
	int64_t total = 0;

	while (isdigit((unsigned char)*p)) {
		int64_t n = 0;
		int64_t unit;

		for (; isdigit((unsigned char)*p) && n < 100000000; p++)
			n = n * 10 + (*p - '0');
		unit = *p == '\0' && total == 0 ? 1000 : unit_ms(&p);
		/* n and unit are bounded, how often they come is not */
		if (unit == 0 || __builtin_add_overflow(total, n * unit, &total))
			break;
		if (*p == '\0') {
			*out_ms = total;
			return 0;
		}
	}
	err_set(err, ERR_INPUT, "'%s' is not a duration", text);
	return err_hint(err, "write it like 30s, 5m or 1h30m");
}

bool text_glob(const char *pattern, const char *name)
{
	const char *star = NULL;
	const char *resume = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = pattern++;
			resume = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star + 1;
			name = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
