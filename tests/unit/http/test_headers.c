#include "http/headers.h"

#include <criterion/criterion.h>

Test(http_headers, names_compare_without_case_and_the_first_wins)
{
	struct http_headers h = {0};

	http_headers_add(&h, "Content-Type", "a");
	http_headers_add(&h, "content-type", "b");
	cr_expect_str_eq(http_headers_get(&h, "CONTENT-TYPE"), "a");
	cr_expect_null(http_headers_get(&h, "Content"));
	http_headers_release(&h);
	cr_expect_eq(h.count, 0);
}

Test(http_headers, line_ends_cannot_be_smuggled)
{
	struct http_headers h = {0};

	http_headers_add(&h, "X", "good\r\nAuthorization: evil");
	http_headers_add(&h, "Y\nZ", "v");
	cr_expect_str_eq(http_headers_get(&h, "X"), "good");
	cr_expect_str_eq(http_headers_get(&h, "Y"), "v");
	http_headers_release(&h);
}

Test(http_headers, many)
{
	struct http_headers h = {0};

	for (int i = 0; i < 1000; i++)
		http_headers_add(&h, "N", "v");
	cr_expect_eq(h.count, 1000);
	http_headers_release(&h);
}
