#include "chassis/framing.h"

#include "tests/check.h"

struct field {
	const char *name, *value;
};

static const char *judge(const struct field *fields, bool http_1_1)
{
	struct framing framing = {0};

	for (; fields->name; fields++)
		framing_add(
			&framing, fields->name, strlen(fields->name), fields->value, strlen(fields->value));
	framing_finish(&framing, http_1_1);
	return framing.refusal;
}

TEST(framing_accepts_ordinary_requests)
{
	CHECK(!judge((const struct field[]){{"Host", "a"}, {"Accept", "*/*"}, {0}}, true));
	CHECK(!judge((const struct field[]){{"host", "a"}, {"content-length", "12"}, {0}}, true));
	CHECK(
		!judge((const struct field[]){{"Host", "a"}, {"Transfer-Encoding", "chunked"}, {0}}, true));
	CHECK(!judge((const struct field[]){{"X-Text", "tab\tand gr\xc3\xbc\xc3\x9f"}, {0}}, false));
}

TEST(framing_refuses_what_is_ambiguous)
{
	static const struct field cases[][4] = {
		{{"Host", "a"}, {"HOST", "b"}},
		{{"Accept", "*/*"}},
		{{"Host", "a"}, {"Content-Length", "3"}, {"Transfer-Encoding", "chunked"}},
		{{"Host", "a"}, {"Content-Length", "3"}, {"Content-Length", "3"}},
		{{"Host", "a"}, {"Content-Length", "+3"}},
		{{"Host", "a"}, {"Content-Length", ""}},
		{{"Host", "a"}, {"Transfer-Encoding", "gzip, chunked"}},
		{{"Host", "a"}, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}},
		{{"Host", "a"}, {"Content-Length ", "3"}},
		{{"Host", "a"}, {"X A", "3"}},
		{{"Host", "a"}, {"", "3"}},
		{{"Host", "a"}, {"X-A", "x\ry"}},
		{{"Host", "a"}, {"X-A", "x\x01y"}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK(judge(cases[i], true) != NULL);
	CHECK(judge((const struct field[]){{"Host", "a"}, {"Transfer-Encoding", "chunked"}, {0}},
			  false) != NULL);
}
