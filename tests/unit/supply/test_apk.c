#include "supply/apk.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <string.h>

static const char database[] = "C:Q1abc=\nP:musl\nV:1.2.4-r2\nA:x86_64\no:musl\n"
							   "m:Timo <timo@example.org>\nL:MIT\n"
							   "F:lib\nR:libc.musl-x86_64.so.1\na:0:0:777\nR:ld-musl-x86_64.so.1\n"
							   "\n"
							   "P:zlib\nV:1.3.1-r0\nF:lib\nR:libz.so.1.3.1\n"
							   "F:\nR:top\n"
							   "\n"
							   "P:nameless\nF:lib\nR:libnone.so\n";

static char *make_root(void)
{
	struct error err = {0};
	char *root = NULL;

	cr_assert_eq(fs_temp_dir("/tmp", "apk", &root, &err), 0, "%s", err.msg);
	AUTO_FREE char *dir = xasprintf("%s/lib/apk/db", root);
	AUTO_FREE char *file = xasprintf("%s/installed", dir);
	cr_assert_eq(fs_mkdirs(dir, 0755, &err), 0, "%s", err.msg);
	cr_assert_eq(fs_write_atomic(file, database, strlen(database), 0644, &err), 0, "%s", err.msg);
	return root;
}

Test(apk, files_have_their_packages)
{
	AUTO_FREE char *root = make_root();
	AUTO(strv) struct strv paths = {0};
	AUTO(dpkg_owners) struct dpkg_owners o = {0};
	AUTO_FREE char *stamp = apk_stamp(root);
	AUTO_FREE char *none = apk_stamp("/nonexistent");
	struct error err = {0};
	static const struct {
		const char *path;
		const char *package; /* NULL: nobody's */
	} cases[] = {
		{"/usr/lib/ld-musl-x86_64.so.1", "musl"},
		{"/lib/libz.so.1.3.1", "zlib"},
		{"/lib/libnone.so", NULL},
		{"/top", "zlib"},
		{"/usr/lib/libz.so.1.3.1", "zlib"},
		{"/lib/ld-musl-x86_64.so", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		strv_add(&paths, cases[i].path);
	cr_assert_eq(apk_find_owners(root, &paths, &o, &err), 0, "%s", err.msg);
	cr_expect_eq(o.package_count, 2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *got = o.owners[i] < o.package_count ? o.packages[o.owners[i]].name : "nobody's";

		cr_expect_str_eq(got, cases[i].package ? cases[i].package : "nobody's", "%s",
						 cases[i].path);
	}
	cr_expect_str_eq(o.packages[0].license_names, "MIT");
	cr_expect_str_eq(o.packages[0].maintainer, "Timo <timo@example.org>");
	cr_expect_str_eq(o.packages[1].arch, "noarch");
	cr_expect_str_eq(o.packages[1].source, "zlib");
	cr_expect_str_neq(stamp, "");
	cr_expect_str_eq(none, "");
	fs_remove_tree(root, &err);
}

Test(apk, a_root_without_it_owns_nothing)
{
	AUTO(strv) struct strv paths = {0};
	AUTO(dpkg_owners) struct dpkg_owners o = {0};
	struct error err = {0};

	strv_add(&paths, "/lib/libz.so.1");
	cr_assert_eq(apk_find_owners("/nonexistent", &paths, &o, &err), 0);
	cr_expect_eq(o.package_count, 0);
	cr_expect_eq(o.owners[0], 0);
}
