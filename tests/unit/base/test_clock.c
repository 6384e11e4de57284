#include "base/clock.h"
#include "base/compiler.h"

#include <criterion/criterion.h>

Test(clock, rfc3339_both_ways)
{
	static const struct {
		const char *text;
		int64_t wall_s;
	} rows[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2026-11-23T20:47:00Z", 1795466820},
		{"2026-11-23T20:47:00.123456Z", 1795466820},
		{"2026-11-23T21:47:00+01:00", 1795466820},
		{"2026-11-23T15:17:00-05:30", 1795466820},
	};
	static const char *const bad[] = {"", "2026-11-23", "2026-11-23T20:47:00",
									  "2026-11-23T20:47:00+1"};
	char out[32];
	int64_t s = 7;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(clock_parse_rfc3339(rows[i].text, &s), 0, "%s", rows[i].text);
		cr_expect_eq(s, rows[i].wall_s, "%s", rows[i].text);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect_eq(clock_parse_rfc3339(bad[i], &s), -1, "%s", bad[i]);
	cr_expect_str_eq(clock_rfc3339(1795466820, out), "2026-11-23T20:47:00Z");
}
