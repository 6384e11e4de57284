#include "base/auto.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/utf8.h"

#include <criterion/criterion.h>
#include <string.h>

Test(text, numbers)
{
	int64_t n = 5;

	cr_expect(text_to_int("0", 0, 9, &n) && n == 0);
	cr_expect(text_to_int("-9223372036854775808", INT64_MIN, INT64_MAX, &n) && n == INT64_MIN);
	cr_expect(text_to_int("9223372036854775807", INT64_MIN, INT64_MAX, &n) && n == INT64_MAX);
	n = 5;
	cr_expect(!text_to_int("9223372036854775808", INT64_MIN, INT64_MAX, &n));
	cr_expect(!text_to_int("", 0, 9, &n));
	cr_expect(!text_to_int("-", -9, 9, &n));
	cr_expect(!text_to_int("1 ", 0, 9, &n));
	cr_expect(!text_to_int("+1", 0, 9, &n));
	cr_expect(!text_to_int("10", 0, 9, &n));
	cr_expect_eq(n, 5, "a failure leaves the output alone");
}

Test(text, nearest)
{
	const char *const names[] = {"push", "pull", "deploy", NULL};

	cr_expect_str_eq(text_nearest("psh", names), "push");
	cr_expect_str_eq(text_nearest("depoly", names), "deploy");
	cr_expect_null(text_nearest("zzzzzz", names));
	cr_expect_null(text_nearest("", names));
}

Test(text, sizes_and_durations)
{
	char out[16];
	struct error err = {0};
	int64_t ms = -1;
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {{"30", 30000}, {"500ms", 500}, {"30s", 30000}, {"5m", 300000}, {"1h30m", 5400000}};
	static const char *const bad[] = {"", "s", "5x", "-1s", "1h30", "1.5s", "5 m"};

	cr_expect_str_eq(text_size(0, out), "0 B");
	cr_expect_str_eq(text_size(999, out), "999 B");
	cr_expect_str_eq(text_size(4100000, out), "4.1 MB");
	cr_expect_str_eq(text_size(212345, out), "212 kB");
	cr_expect_str_eq(text_size(UINT64_MAX, out), "18446744 TB");
	cr_expect_str_eq(text_duration(850, out), "850ms");
	cr_expect_str_eq(text_duration(2100, out), "2.1s");
	cr_expect_str_eq(text_duration(185000, out), "3m05s");
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		cr_expect_eq(text_parse_duration(good[i].text, &ms, &err), 0, "%s", good[i].text);
		cr_expect_eq(ms, good[i].ms, "%s", good[i].text);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect_eq(text_parse_duration(bad[i], &ms, &err), -1, "'%s'", bad[i]);
}

Test(text, a_duration_that_goes_on_for_ever)
{
	AUTO(buf) struct buf text = {0};
	struct error err = {0};
	int64_t ms = 7;

	while (text.len < 300000)
		buf_adds(&text, "99999999h");
	cr_expect_eq(text_parse_duration(buf_str(&text), &ms, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect_eq(ms, 7);
}

Test(text, glob)
{
	cr_expect(text_glob("*.yaml", "a.yaml"));
	cr_expect(text_glob("a?c*", "abcdef"));
	cr_expect(!text_glob("*.yaml", "a.yml"));
	cr_expect(text_glob("*", ""));
	cr_expect(!text_glob("", "a"));
	/* a pattern that makes backtracking matchers take exponential time */
	cr_expect(!text_glob("*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

Test(utf8, validity)
{
	static const char *const good[] = {"", "abc", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
	static const char *const bad[] = {
		"\x80", "\xc0\xaf",     "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
		"\xc3", "\xf0\x9f\x98", "\xff"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		cr_expect(utf8_is_valid(good[i], strlen(good[i])), "row %zu", i);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect(!utf8_is_valid(bad[i], strlen(bad[i])), "row %zu", i);
}
