#include "base/mem.h"
#include "http/challenge.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* "scheme name=value name=value|scheme ..." */
static char *shown(const char *value)
{
	struct challenges all = {0};
	struct error err = {0};
	char *text = xstrdup("");

	if (challenges_parse(value, &all, &err) < 0) {
		free(text);
		cr_expect_eq(err.code, ERR_INPUT);
		cr_expect_eq(all.count, 0);
		return xstrdup("refused");
	}
	for (size_t i = 0; i < all.count; i++) {
		char *more = xasprintf("%s%s%s", text, i ? "|" : "", all.items[i].scheme);

		free(text);
		text = more;
		for (size_t j = 0; j < all.items[i].param_count; j++) {
			more = xasprintf("%s %s=%s", text, all.items[i].params[j].name,
							 all.items[i].params[j].value);
			free(text);
			text = more;
		}
	}
	challenges_release(&all);
	return text;
}

Test(http_challenge, table)
{
	static const struct {
		const char *value, *want;
	} rows[] = {
		{"Basic realm=\"x\"", "basic realm=x"},
		{"Bearer realm=\"https://a/token\",service=\"r\",scope=\"repository:a:pull,push\"",
		 "bearer realm=https://a/token service=r scope=repository:a:pull,push"},
		{"BEARER  Realm = \"a\" , Service=b", "bearer realm=a service=b"},
		{"Basic", "basic"},
		{"Negotiate, Basic realm=x", "negotiate|basic realm=x"},
		{"Basic realm=x, Bearer realm=y", "basic realm=x|bearer realm=y"},
		{"Basic realm=\"a\", charset=\"UTF-8\", Bearer realm=b, error=c",
		 "basic realm=a charset=UTF-8|bearer realm=b error=c"},
		{"Negotiate YWJj==, Basic realm=x", "negotiate|basic realm=x"},
		{"Negotiate abc/def+1", "negotiate"},
		{"Newauth realm=\"a, b=\\\"c\\\"\"", "newauth realm=a, b=\"c\""},
		{", ,Basic realm=x,,", "basic realm=x"},
		{"Bearer realm=https://a/token", "bearer realm=https://a/token"},
		{"Basic realm=\"\"", "basic realm="},
		{"", ""},
		{"realm=x", "refused"},
		{"Basic realm=\"x", "refused"},
		{"Basic realm=\"x\\", "refused"},
		{"Basic realm=\"x\" y", "refused"},
		{"Basic realm=x charset=y", "refused"},
		{"Basic realm=\"a\x01\"", "refused"},
		{"Basic realm=\"a\"b", "refused"},
		{"(Basic)", "refused"},
		{"Basic; realm=x", "refused"},
		{"\"x\"", "refused"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *got = shown(rows[i].value);

		cr_expect_str_eq(got, rows[i].want, "%s", rows[i].value);
		free(got);
	}
}

Test(http_challenge, caps)
{
	char text[4096] = "";
	char *got;
	size_t len = 0;

	for (int i = 0; i < CHALLENGE_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "a%d,", i);
	got = shown(text);
	cr_expect_str_neq(got, "refused");
	free(got);
	snprintf(text + len, sizeof(text) - len, "one-more");
	got = shown(text);
	cr_expect_str_eq(got, "refused");
	free(got);
	len = (size_t)snprintf(text, sizeof(text), "x ");
	for (int i = 0; i <= CHALLENGE_MAX_PARAMS; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "a%d=b,", i);
	got = shown(text);
	cr_expect_str_eq(got, "refused");
	free(got);
}

/* 300 KB, the most a head may have, in a moment: linear in length. */
Test(http_challenge, long_values)
{
	size_t len = 300000;
	char *text = xmalloc(len + 1);
	static const char fill[] = ",\"=a ";

	for (size_t i = 0; i < sizeof(fill) - 1; i++) {
		char *got;

		memset(text, fill[i], len);
		memcpy(text, "Basic r=\"", 9);
		text[len] = '\0';
		got = shown(text);
		free(got);
	}
	free(text);
}

Test(http_challenge, several_headers_add_up)
{
	struct challenges all = {0};
	struct error err = {0};

	cr_assert_eq(challenges_parse("Negotiate", &all, &err), 0);
	cr_assert_eq(challenges_parse("Bearer realm=\"r\"", &all, &err), 0);
	cr_expect_eq(all.count, 2);
	cr_expect_str_eq(challenge_param(challenges_find(&all, "bearer"), "realm"), "r");
	cr_expect_null(challenge_param(challenges_find(&all, "bearer"), "scope"));
	cr_expect_null(challenges_find(&all, "basic"));
	cr_expect_eq(challenges_parse("Basic realm=\"", &all, &err), -1);
	cr_expect_eq(all.count, 2, "a failed parse must leave *out alone");
	challenges_release(&all);
}
