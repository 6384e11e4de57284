#include "base/auto.h"
#include "build/private.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(build_stamp, versions_become_tags)
{
	static const char *const table[][2] = {
		{"v1.2.3", "v1.2.3"},
		{"1.0+dirty", "1.0-dirty"},
		{"release/7", "release-7"},
		{"-.x", "x"},
		{"", "latest"},
		{"---", "latest"},
		{"a b\tc", "a-b-c"},
		{"ü", "latest"},
		{"v1-3-gabc-dirty", "v1-3-gabc-dirty"},
	};
	char text[400];

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		AUTO_FREE char *tag = build_version_tag(table[i][0]);

		cr_expect_str_eq(tag, table[i][1]);
		cr_expect(oci_is_tag(tag), "%s", tag);
	}
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	AUTO_FREE char *tag = build_version_tag(text);
	cr_expect_eq(strlen(tag), OCI_REF_MAX_TAG);
}

Test(build_stamp, every_way_to_clone_gives_one_source)
{
	static const char *const table[][2] = {
		{"https://example.org/shop/orders.git", "https://example.org/shop/orders"},
		{"http://example.org/shop/orders", "https://example.org/shop/orders"},
		{"git@example.org:shop/orders.git", "https://example.org/shop/orders"},
		{"example.org:shop/orders", "https://example.org/shop/orders"},
		{"ssh://git@example.org/shop/orders.git", "https://example.org/shop/orders"},
		{"ssh://git@example.org:2222/shop/orders", "https://example.org/shop/orders"},
		{"https://example.org:8443/a", "https://example.org:8443/a"},
		{"git://example.org/a", "https://example.org/a"},
		{"https://me:word@example.org/a.git", "https://example.org/a"},
		{"https://me:w@rd@example.org/a", "https://example.org/a"},
		{"https://example.org/a.git?private_token=word", "https://example.org/a"},
		{"https://example.org/a#word", "https://example.org/a"},
		{"https://[::1]:8443/a", "https://[::1]:8443/a"},
		{"https://me:wo/rd@example.org/a", NULL},
		{"ext::sh -c word", NULL},
		{"ext::word", NULL},
		{"https://example.org/a\x1b[31m", NULL},
		{"https://example.org/\xff", NULL},
		{"/srv/git/orders.git", NULL},
		{"../orders", NULL},
		{"orders", NULL},
		{"file:///srv/git/orders", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		AUTO_FREE char *url = build_source_url(table[i][0]);

		if (table[i][1])
			cr_expect_str_eq(url, table[i][1]);
		else
			cr_expect_null(url, "%s gave %s", table[i][0], url);
	}
}
