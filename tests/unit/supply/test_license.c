#include "supply/license.h"

#include "base/auto.h"

#include <criterion/criterion.h>
#include <string.h>

Test(license, debian_names_become_spdx_expressions)
{
	static const struct {
		const char *debian;
		const char *spdx; /* NULL: has none */
	} cases[] = {
		{"Expat", "MIT"},
		{"zlib", "Zlib"},
		{"BSD-3-clause", "BSD-3-Clause"},
		{"GPL-2", "GPL-2.0-only"},
		{"GPL-2+", "GPL-2.0-or-later"},
		{"GPL-2.0+", "GPL-2.0-or-later"},
		{"LGPL-2.1", "LGPL-2.1-only"},
		{"AGPL-3+", "AGPL-3.0-or-later"},
		{"GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"},
		{"GPL-1+ or Artistic", "GPL-1.0-or-later OR Artistic-1.0-Perl"},
		{"GPL-2 and Expat", "GPL-2.0-only AND MIT"},
		{"GPL-2+ or MIT, and ISC", "(GPL-2.0-or-later OR MIT) AND ISC"},
		{"GPL-3+ with Bison exception", "GPL-3.0-or-later WITH Bison-exception-2.2"},
		{"GPL-2+ with Libtool exception and Expat",
		 "GPL-2.0-or-later WITH Libtool-exception AND MIT"},
		{"GPL-3+ with Autoconf exception", "GPL-3.0-or-later WITH Autoconf-exception-3.0"},
		{"MIT or GPL-2 with Autoconf-data exception",
		 "MIT OR GPL-2.0-only WITH Autoconf-exception-2.0"},
		{"LGPL-2.1+ with Autoconf exception", NULL},
		{"MIT with Autoconf exception", NULL},
		{"all-permissive", "FSFAP"},
		{"public-domain", NULL},
		{"GPL", NULL},
		{"GPL-", NULL},
		{"GPL-2.1", NULL},
		{"GPL-2++", NULL},
		{"LGPL-9", NULL},
		{"GPL-2+ with OpenSSL exception", NULL},
		{"GPL-2+ with Bison", NULL},
		{"GPL-2 or", NULL},
		{"GPL-2 MIT", NULL},
		{"or", NULL},
		{"MIT,", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(buf) struct buf out = {0};
		bool maps = license_to_spdx(span_of(cases[i].debian), &out);

		cr_expect_eq(maps, cases[i].spdx != NULL, "%s", cases[i].debian);
		cr_expect_str_eq(buf_str(&out), maps ? cases[i].spdx : "", "%s", cases[i].debian);
	}
}

#define FORMAT "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"

Test(license, a_package_has_all_licences_of_its_files_but_those_of_the_packaging)
{
	static const struct {
		const char *text;
		const char *names;
		const char *spdx;
		const char *refers;
	} cases[] = {
		{FORMAT
		 "Files: *\nCopyright: x\nLicense: zlib\n text\n\nFiles: debian/*\nLicense: GPL-2+\n",
		 "zlib", "Zlib", NULL},
		{FORMAT "Files: *\nLicense: GPL-2+ or MIT\n\nFiles: a\n b\nLicense: ISC\n\nFiles: c\n"
				"License: ISC\n\nLicense: ISC\n text\n",
		 "GPL-2+ or MIT; ISC", "(GPL-2.0-or-later OR MIT) AND ISC", NULL},
		{FORMAT "Files: *\nLicense: GPL-2+ or MIT\n", "GPL-2+ or MIT", "GPL-2.0-or-later OR MIT",
		 NULL},
		{FORMAT "Files: *\nLicense: MIT\n\nFiles: x\nLicense: public-domain\n",
		 "MIT; public-domain", NULL, NULL},
		{FORMAT "License: MIT\n", NULL, NULL, NULL},
		{"Files: *\nLicense: MIT\n", NULL, NULL, NULL},
		{"This is zlib, under the zlib licence.\n", NULL, NULL, NULL},
		{"See /usr/share/common-licenses/GPL-2, and for the rest\n"
		 "`/usr/share/common-licenses/LGPL-2.1'; /usr/share/common-licenses/GPL-2.\n",
		 NULL, NULL, "GPL-2; LGPL-2.1"},
		{"At /usr/share/common-licenses/ are all; /usr/share/common-licenses/GPL", NULL, NULL,
		 "GPL"},
		{FORMAT "License: GPL-2\n /usr/share/common-licenses/GPL-2.\n", NULL, NULL, "GPL-2"},
		{"", NULL, NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(license) struct license l = {0};

		license_read(span_of(cases[i].text), &l);
		cr_expect_eq(l.names == NULL, cases[i].names == NULL, "%zu", i);
		cr_expect_eq(l.spdx == NULL, cases[i].spdx == NULL, "%zu", i);
		cr_expect_eq(l.refers == NULL, cases[i].refers == NULL, "%zu", i);
		if (l.refers && cases[i].refers)
			cr_expect_str_eq(l.refers, cases[i].refers);
		if (l.names && cases[i].names)
			cr_expect_str_eq(l.names, cases[i].names);
		if (l.spdx && cases[i].spdx)
			cr_expect_str_eq(l.spdx, cases[i].spdx);
	}
}

Test(license, an_expression_is_told_by_its_form)
{
	static const struct {
		const char *text;
		const char *message; /* NULL: it is one */
		const char *hint;
	} cases[] = {
		{"MIT", NULL, NULL},
		{"mit", NULL, NULL},
		{"GPL-2.0-or-later", NULL, NULL},
		{"GPL-2.0+", NULL, NULL},
		{"LGPL-2.1", NULL, NULL},
		{"Some-New-1.0", NULL, NULL},
		{" (MIT OR Apache-2.0)AND ISC ", NULL, NULL},
		{"GPL-3.0-or-later WITH Bison-exception-2.2 OR MIT", NULL, NULL},
		{"LicenseRef-ours AND DocumentRef-x:LicenseRef-theirs", NULL, NULL},
		{"GPL-2+", "'GPL-2+' is no SPDX name", "write GPL-2.0-or-later"},
		{"GPL-2", "'GPL-2' is no SPDX name", "write GPL-2.0-only"},
		{"Expat", "'Expat' is no SPDX name", "write MIT"},
		{"Artistic", "'Artistic' is no SPDX name", "write Artistic-1.0-Perl"},
		{"", "a name is missing at its end", "write it like"},
		{"Apache 2.0", "there is no AND, OR or WITH before '2.0'", "write it like"},
		{"MIT or ISC", "there is no AND, OR or WITH before 'or'", "write it like"},
		{"MIT OR", "a name is missing at its end", "write it like"},
		{"MIT OR )", "a name is missing before )", "write it like"},
		{"OR MIT", "a name is missing before OR", "write it like"},
		{"(MIT", "a ) is missing", "write it like"},
		{"MIT)", "there is no AND, OR or WITH before ')'", "write it like"},
		{"MIT+ISC", "'MIT+ISC' is no SPDX name", "write it like"},
		{"DocumentRef-a_b:LicenseRef-x", "is no SPDX name", "write it like"},
		{"DocumentRef-a:MIT", "is no SPDX name", "write it like"},
		{"M\303\244", "is no SPDX name", "write it like"},
		{"((((((((((((((((((((((((((((((((((MIT", "nested deeper than 32", "write it like"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = {0};
		int rc = license_check(cases[i].text, &err);

		cr_expect_eq(rc, cases[i].message ? -1 : 0, "%s: %s", cases[i].text, err.msg);
		if (!cases[i].message)
			continue;
		cr_expect(strstr(err.msg, cases[i].message), "%s: %s", cases[i].text, err.msg);
		cr_expect(strncmp(err.hint, cases[i].hint, strlen(cases[i].hint)) == 0, "%s: %s",
				  cases[i].text, err.hint);
		cr_expect_eq(err.code, ERR_INPUT);
	}
}
