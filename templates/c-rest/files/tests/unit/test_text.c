#include "chassis/text.h"
#include "chassis/trace.h"
#include "tests/check.h"

TEST(text_json_escapes_what_json_forbids)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"plain", "\"plain\""}, {"a\"b\\c", "\"a\\\"b\\\\c\""},
		{"line\nend\x1b\x7f", "\"line\\u000aend\\u001b\\u007f\""},
		{"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\""},
		{"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* overlong */
		{"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* a surrogate */
		{"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* cut short */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text text = {0};

		text_add_json(&text, cases[i].in);
		CHECK_STRING(text.data, cases[i].out);
		text_release(&text);
	}
}

TEST(text_grows)
{
	struct text text = {0};

	CHECK_STRING(text_string(&text), "");
	for (int i = 0; i < 1000; i++)
		text_addf(&text, "%d,", i % 10);
	CHECK_INT((long long)text.size, 2000);
	CHECK_INT((long long)strlen(text.data), 2000);
	text_release(&text);
}

TEST(trace_id_of_a_valid_traceparent)
{
	char id[33];

	trace_id_parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", id);
	CHECK_STRING(id, "4bf92f3577b34da6a3ce929d0e0e4736");
	trace_id_parse("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", id);
	CHECK_STRING(id, "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST(trace_id_refuses_the_rest)
{
	static const char *const cases[] = {
		"",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
		"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	};
	char id[33];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		trace_id_parse(cases[i], id);
		CHECK_STRING(id, "");
	}
	trace_id_parse(NULL, id);
	CHECK_STRING(id, "");
}

TEST(request_ids_are_plain_and_short)
{
	char long_id[66];

	memset(long_id, 'a', 65);
	long_id[65] = '\0';
	CHECK(request_id_is_valid("aZ0._-"));
	CHECK(request_id_is_valid(long_id + 1));
	CHECK(!request_id_is_valid(long_id));
	CHECK(!request_id_is_valid(""));
	CHECK(!request_id_is_valid(NULL));
	CHECK(!request_id_is_valid("a b"));
	CHECK(!request_id_is_valid("a\"b"));
}
