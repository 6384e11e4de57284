#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "build/compare_file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *dir;

static void setup(void)
{
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "msctl-unit-", &dir, &err), 0);
}

static void teardown(void)
{
	struct error err = {0};

	fs_remove_tree(dir, &err);
	free(dir);
}

TestSuite(compare, .init = setup, .fini = teardown);

static int compare(const char *one, size_t len, const char *other, size_t other_len,
				   struct error *err)
{
	AUTO_FREE char *a = fs_join(dir, "a");
	AUTO_FREE char *b = fs_join(dir, "b");
	const struct compare_files files = {"x", a, b, "/src/first", "/tmp/second"};
	struct error ignored = {0};

	cr_assert_eq(fs_write_atomic(a, one, len, 0644, &ignored), 0);
	cr_assert_eq(fs_write_atomic(b, other, other_len, 0644, &ignored), 0);
	return compare_files(&files, err);
}

Test(compare, names_the_first_byte_and_guesses_why)
{
	static const struct {
		const char *a, *b, *where, *hint;
	} cases[] = {
		{"same", "same", NULL, NULL},
		{"", "", NULL, NULL},
		{"made in /src/first/x", "made in /tmp/second/x", "byte 9: 'made in /src/first/x', the",
		 "-ffile-prefix-map"},
		{"at 10:11:12 here", "at 10:11:13 here", "byte 10:", "SOURCE_DATE_EPOCH"},
		{"Nov 23 2026", "Nov 24 2026", "byte 5:", "SOURCE_DATE_EPOCH"},
		{"\1\2\3", "\1\2\4", "byte 2: 03, the second time 04", "run to run"},
		{"\1\2", "\1\2\3", "byte 2: the end of the file, the second time 03", "run to run"},
		{"ab", "", "byte 0: 61 62, the second time the end of the file", "run to run"},
		{"random 12ab", "random 34cd", "'random 12ab'", "run to run"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = {0};
		int rc = compare(cases[i].a, strlen(cases[i].a), cases[i].b, strlen(cases[i].b), &err);

		cr_expect_eq(rc, cases[i].where ? -1 : 0, "case %zu", i);
		if (!cases[i].where)
			continue;
		cr_expect_eq(err.code, ERR_DIFFERENT, "case %zu", i);
		cr_expect(strstr(err.msg, cases[i].where), "case %zu: %s", i, err.msg);
		cr_expect(strstr(err.hint, cases[i].hint), "case %zu: %s", i, err.hint);
	}
}

Test(compare, finds_a_byte_far_in)
{
	size_t len = 300000;
	AUTO_FREE char *a = xcalloc(1, len);
	AUTO_FREE char *b = xcalloc(1, len);
	struct error err = {0};

	cr_expect_eq(compare(a, len, b, len, &err), 0);
	b[len - 1] = 1;
	cr_expect_eq(compare(a, len, b, len, &err), -1);
	cr_expect(strstr(err.msg, "byte 299999: 00, the second time 01"), "%s", err.msg);
	b[131072] = 2;
	cr_expect_eq(compare(a, len, b, len, &err), -1);
	cr_expect(strstr(err.msg, "byte 131072:"), "%s", err.msg);
}
