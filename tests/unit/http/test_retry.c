#include "base/compiler.h"
#include "http/client.h"
#include "http/retry.h"

#include <criterion/criterion.h>

#define NOW 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */

Test(http_retry, retry_after)
{
	static const struct {
		const char *value;
		int64_t want;
	} rows[] = {
		{NULL, -1},
		{"", -1},
		{"0", 0},
		{"5", 5000},
		{"60", 60000},
		{"61", 60000},
		{"1000000000", 60000},
		{"99999999999999999999999999", 60000},
		{"-1", -1},
		{"1.5", -1},
		{"soon", -1},
		{"5 s", -1},
		{"Sun, 06 Nov 1994 08:49:47 GMT", 10000},
		{"Sun, 06 Nov 1994 08:49:37 GMT", 0},
		{"Sat, 05 Nov 1994 08:49:37 GMT", 0},
		{"Mon, 06 Nov 2034 08:49:37 GMT", 60000},
		{"Sun, 06 Xxx 1994 08:49:47 GMT", -1},
		{"Sun, 06 anF 1994 08:49:47 GMT", -1},
		{"Sun, 06 Nov 1994 08:49:47 CET", -1},
		{"Sunday, 06-Nov-94 08:49:37 GMT", -1},
		{"Sun, 0x Nov 1994 08:49:47 GMT", -1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(retry_after_ms(rows[i].value, NOW), rows[i].want, "'%s'",
					 rows[i].value ? rows[i].value : "(none)");
}

Test(http_retry, statuses)
{
	static const int yes[] = {408, 429, 499, 500, 502, 503, 504, 520, 522, 524};
	static const int no[] = {200, 301, 400, 401, 403, 404, 405, 409, 413, 415, 501, 505, 519, 525};

	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		cr_expect(retry_status(yes[i]), "%d", yes[i]);
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		cr_expect(!retry_status(no[i]), "%d", no[i]);
}

Test(http_retry, jitter_is_full_and_bounded)
{
	static const struct {
		int tries;
		int64_t most;
	} rows[] = {{1, 250}, {2, 500}, {3, 1000}, {7, 16000}, {8, 30000}, {1000, 30000}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t low = INT64_MAX;
		int64_t high = 0;

		for (int n = 0; n < 2000; n++) {
			int64_t ms = retry_jitter_ms(rows[i].tries);

			low = ms < low ? ms : low;
			high = ms > high ? ms : high;
		}
		cr_expect(low >= 0 && low < rows[i].most / 4, "%d", rows[i].tries);
		cr_expect(high <= rows[i].most && high > rows[i].most * 3 / 4, "%d", rows[i].tries);
	}
}
