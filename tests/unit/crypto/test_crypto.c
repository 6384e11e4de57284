#include "base/auto.h"
#include "crypto/base64.h"
#include "crypto/random.h"
#include "crypto/sha256.h"

#include <criterion/criterion.h>
#include <string.h>

Test(sha256, known_answers)
{
	/* FIPS 180-4 examples */
	static const struct {
		const char *text;
		const char *hex;
	} rows[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	};
	uint8_t sum[SHA256_BYTES];
	char hex[SHA256_HEX_LEN + 1];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		sha256_of(rows[i].text, strlen(rows[i].text), sum);
		cr_expect_str_eq(sha256_hex(sum, hex), rows[i].hex);
	}
}

Test(sha256, can_be_looked_at_and_used_again)
{
	AUTO_PTR(sha256) struct sha256 *h = sha256_new();
	uint8_t first[SHA256_BYTES];
	uint8_t second[SHA256_BYTES];

	sha256_add(h, "ab", 2);
	sha256_peek(h, first);
	sha256_of("ab", 2, second);
	cr_expect_arr_eq(first, second, SHA256_BYTES);
	sha256_add(h, "c", 1);
	sha256_end(h, first);
	sha256_add(h, "abc", 3);
	sha256_end(h, second);
	cr_expect_arr_eq(first, second, SHA256_BYTES);
}

Test(base64, both_ways)
{
	static const char *const rows[][2] = {
		{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}};
	struct error err = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(buf) struct buf text = {0};
		AUTO(buf) struct buf back = {0};

		base64_encode(rows[i][0], strlen(rows[i][0]), &text);
		cr_expect_str_eq(buf_str(&text), rows[i][1]);
		cr_assert_eq(base64_decode(rows[i][1], strlen(rows[i][1]), &back, &err), 0);
		cr_expect_str_eq(buf_str(&back), rows[i][0]);
	}
}

Test(base64, refuses_what_is_none)
{
	static const char *const bad[] = {"Z", "Zg=x", "Zh==", "Zg===", "Z*==", "Zm9=", "=", "Zm9v="};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(buf) struct buf out = {0};
		struct error err = {0};

		cr_expect_eq(base64_decode(bad[i], strlen(bad[i]), &out, &err), -1, "%s", bad[i]);
		cr_expect_eq(err.code, ERR_INPUT, "%s", bad[i]);
	}
}

Test(base64, white_space_and_missing_padding_pass)
{
	AUTO(buf) struct buf out = {0};
	struct error err = {0};

	cr_assert_eq(base64_decode("Zm9v\nYg", 7, &out, &err), 0);
	cr_expect_str_eq(buf_str(&out), "foob");
}

Test(random, stays_below)
{
	for (int i = 0; i < 1000; i++)
		cr_expect_lt(random_below(7), 7);
	cr_expect_eq(random_below(1), 0);
	cr_expect_eq(random_below(0), 0);
}
