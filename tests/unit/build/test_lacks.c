#include "base/auto.h"
#include "base/mem.h"
#include "build/lacks.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(lacks, what_was_not_found)
{
	static const struct {
		const char *line, *file, *program;
	} cases[] = {
		{"hello.c:3:10: fatal error: event2/event.h: No such file or directory", "event2/event.h",
		 NULL},
		{"x.c:1:10: fatal error: 'zlib.h' file not found", "zlib.h", NULL},
		{"/usr/bin/ld: cannot find -lpcre2-8: No such file or directory", "libpcre2-8.so", NULL},
		{"/usr/bin/ld: cannot find -lz", "libz.so", NULL},
		{"Package libmicrohttpd was not found in the pkg-config search path.", "libmicrohttpd.pc",
		 NULL},
		{"Package 'libssl', required by 'virtual:world', not found", "libssl.pc", NULL},
		{"No package 'jansson' found", "jansson.pc", NULL},
		{"meson.build:2:4: ERROR: Dependency \"libevent\" not found, tried pkgconfig",
		 "libevent.pc", NULL},
		{"meson.build:3:0: ERROR: Program 'xsltproc' not found or not executable", NULL,
		 "xsltproc"},
		{"sh: 1: flex: not found", NULL, "flex"},
		{"/bin/sh: line 1: bison: command not found", NULL, "bison"},
		{"make: gcc-7: No such file or directory", NULL, "gcc-7"},
		{"checking for zlib.h... no", NULL, NULL},
		{"error: file: not found here", NULL, NULL},
		{"fatal error: : No such file", NULL, NULL},
		{"cannot find -l", NULL, NULL},
		{"", NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(lacks) struct lacks l = {0};

		lacks_line(&l, cases[i].line);
		cr_expect_str_eq(l.file ? l.file : "(none)", cases[i].file ? cases[i].file : "(none)", "%s",
						 cases[i].line);
		cr_expect_str_eq(l.program ? l.program : "(none)",
						 cases[i].program ? cases[i].program : "(none)", "%s", cases[i].line);
	}
}

Test(lacks, the_first_counts_and_packages_are_kept_once)
{
	AUTO(lacks) struct lacks l = {0};

	lacks_line(&l, "a.c:1: fatal error: a.h: No such file or directory");
	lacks_line(&l, "b.c:1: fatal error: b.h: No such file or directory");
	lacks_line(&l, "apt-get install libz-dev liby1.2-dev, -dev /x-dev libz-dev --no-dev");
	for (int i = 0; i < 50; i++) {
		AUTO_FREE char *line = xasprintf("lib%d-dev", i);

		lacks_line(&l, line);
	}
	cr_expect_str_eq(l.file, "a.h");
	cr_assert_eq(l.packages.count, LACKS_MAX_PACKAGES);
	cr_expect_str_eq(l.packages.items[0], "libz-dev");
	cr_expect_str_eq(l.packages.items[1], "liby1.2-dev");
}

Test(lacks, hints)
{
	static const struct build_target arm64 = {.debian = "arm64"};
	AUTO(lacks) struct lacks none = {0};
	AUTO(lacks) struct lacks named = {0};
	AUTO(lacks) struct lacks odd = {0};
	struct error err = {0};

	err_set(&err, ERR_SYS, "x");
	cr_expect_not(lacks_hint(&none, &arm64, &err));
	cr_expect_str_eq(err.hint, "");
	lacks_line(&named, "install libz-dev");
	cr_expect(lacks_hint(&named, NULL, &err));
	cr_expect(strstr(err.hint, "apt install libz-dev"), "%s", err.hint);
	cr_expect_not(strstr(err.hint, "--add-architecture"), "%s", err.hint);
	cr_expect(lacks_hint(&named, &arm64, &err));
	cr_expect(strstr(err.hint, "dpkg --add-architecture arm64"), "%s", err.hint);
	cr_expect(strstr(err.hint, "apt install libz-dev:arm64"), "%s", err.hint);
	lacks_line(&odd, "x.c:1:1: fatal error: no-such-file-anywhere.h: No such file");
	cr_expect(lacks_hint(&odd, NULL, &err));
	cr_expect(strstr(err.hint, "apt-file search no-such-file-anywhere.h"), "%s", err.hint);
}
