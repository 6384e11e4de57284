#include "base/utf8.h"

#include <criterion/criterion.h>
#include <string.h>

Test(utf8, what_a_terminal_obeys_or_hides_is_replaced)
{
	static const struct {
		const char *text, *shown;
	} table[] = {
		{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"a\033[31m\r\n\t\177", "a?[31m????"},
		{"a\xff\xc2", "a??"},
		{"\xc2\x80\xc2\x9f\xc2\xa0", "????\xc2\xa0"},
		{"a\xe2\x80\xae"
		 "b\xe2\x81\xa6"
		 "c\xd8\x9c"
		 "d\xe2\x80\x8f",
		 "a???b???c??d???"},
		{"\xe2\x80\xa8\xe2\x80\x8b\xef\xbb\xbf", "?????????"},
		{"\xe2\x80\x93\xe2\x80\xaf\xe2\x81\xa5", "\xe2\x80\x93\xe2\x80\xaf\xe2\x81\xa5"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char text[64] = "";

		memcpy(text, table[i].text, strlen(table[i].text));
		utf8_sanitize(text);
		cr_expect_str_eq(text, table[i].shown, "row %zu", i);
	}
}
