#include "supply/dpkg.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "supply/deb822.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

static char *root;

static void setup(void)
{
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "msctl-unit-", &root, &err), 0, "%s", err.msg);
}

static void teardown(void)
{
	struct error err = {0};

	fs_remove_tree(root, &err);
	free(root);
}

TestSuite(dpkg, .init = setup, .fini = teardown);

static void put(const char *path, const char *text)
{
	AUTO_FREE char *full = xasprintf("%s%s", root, path);
	AUTO_FREE char *dir = fs_dirname(full);
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(dir, 0755, &err), 0);
	cr_assert_eq(fs_write_atomic(full, text, strlen(text), 0644, &err), 0, "%s", err.msg);
}

/* A machine with merged /usr, whose packages were made before and after. */
static void make_world(void)
{
	AUTO_FREE char *lib = xasprintf("%s/lib", root);
	AUTO_FREE char *soname = xasprintf("%s/usr/lib/x/libold.so.1", root);

	put("/var/lib/dpkg/status",
		"Package: libold1\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\n"
		"Source: old (1.0-1)\nVersion: 1.0-1+b2\nMaintainer: A Person <a@example.com>\n"
		"Description: old\n long text\n .\n Package: none\n\n"
		"Package: libold1\nStatus: install ok installed\nArchitecture: arm64\nVersion: 9\n\n"
		"Package: new\nStatus: install ok installed\nArchitecture: all\nVersion: 1:2~rc1\n\n"
		"Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 3\n");
	put("/var/lib/dpkg/info/libold1:amd64.list",
		"/.\n/lib\n/lib/x\n/lib/x/libold.so.1\n/lib/x/libold.so.1.0\n");
	put("/var/lib/dpkg/info/libold1:arm64.list", "/.\n/lib/y/libold.so.1\n");
	put("/var/lib/dpkg/info/new.list", "/.\n/usr/sbin/new\n/usr/lib/new.so");
	put("/var/lib/dpkg/info/gone.list", "/etc/gone\n");
	put("/usr/lib/x/libold.so.1.0", "x");
	put("/usr/sbin/new", "x");
	put("/usr/share/doc/libold1/copyright",
		"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
		"Files: *\nLicense: GPL-2+\n");
	cr_assert_eq(symlink("usr/lib", lib), 0);
	cr_assert_eq(symlink("libold.so.1.0", soname), 0);
}

static const struct dpkg_package *owner(const struct dpkg_owners *o, size_t i)
{
	return o->owners[i] < o->package_count ? &o->packages[o->owners[i]] : NULL;
}

Test(dpkg, a_file_is_found_under_each_of_its_names)
{
	static const struct {
		const char *path;
		const char *package; /* NULL: nobody's */
		const char *arch;
	} cases[] = {
		{"/lib/x/libold.so.1", "libold1", "amd64"},
		{"/usr/lib/x/libold.so.1", "libold1", "amd64"},
		{"/usr/lib/x/libold.so.1.0", "libold1", "amd64"},
		{"/usr/lib/y/libold.so.1", "libold1", "arm64"},
		{"/sbin/new", "new", "all"},
		{"/lib/new.so", "new", "all"},
		{"/etc/gone", NULL, NULL},
		{"/usr/local/lib/x.so", NULL, NULL},
		{"/libold.so.1", NULL, NULL},
	};
	const size_t count = sizeof(cases) / sizeof(cases[0]);
	AUTO(strv) struct strv paths = {0};
	AUTO_FREE char *memory = NULL;

	make_world();
	memory = xasprintf("%s/cache/dpkg", root);
	for (size_t i = 0; i < count; i++)
		strv_add(&paths, cases[i].path);
	/* the second time where the first found something is looked at first */
	for (int round = 0; round < 2; round++) {
		AUTO(dpkg_owners) struct dpkg_owners o = {0};
		struct error err = {0};

		cr_assert_eq(dpkg_find_owners(root, memory, &paths, &o, &err), 0, "%s", err.msg);
		cr_assert_eq(o.path_count, count);
		for (size_t i = 0; i < count; i++) {
			const struct dpkg_package *p = owner(&o, i);

			cr_expect_eq(p == NULL, cases[i].package == NULL, "%s", cases[i].path);
			if (p && cases[i].package)
				cr_expect(strcmp(p->name, cases[i].package) == 0 &&
							  strcmp(p->arch, cases[i].arch) == 0,
						  "%s: %s:%s", cases[i].path, p->name, p->arch);
		}
		cr_expect(fs_exists(memory));
	}
}

Test(dpkg, a_package_says_where_it_is_from)
{
	AUTO(strv) struct strv paths = {0};
	AUTO(dpkg_owners) struct dpkg_owners o = {0};
	struct error err = {0};

	make_world();
	strv_add(&paths, "/lib/x/libold.so.1");
	strv_add(&paths, "/usr/sbin/new");
	cr_assert_eq(dpkg_find_owners(root, NULL, &paths, &o, &err), 0, "%s", err.msg);
	cr_assert_eq(o.package_count, 2);
	cr_expect_str_eq(owner(&o, 0)->version, "1.0-1+b2");
	cr_expect_str_eq(owner(&o, 0)->source, "old");
	cr_expect_str_eq(owner(&o, 0)->maintainer, "A Person <a@example.com>");
	cr_expect_str_eq(owner(&o, 0)->license, "GPL-2.0-or-later");
	cr_expect_str_eq(owner(&o, 0)->license_names, "GPL-2+");
	cr_expect_str_eq(owner(&o, 1)->version, "1:2~rc1");
	cr_expect_str_eq(owner(&o, 1)->source, "new");
	cr_expect_null(owner(&o, 1)->license);
	cr_expect_null(owner(&o, 1)->maintainer);
}

Test(dpkg, without_a_database_nobody_owns_anything)
{
	AUTO(strv) struct strv paths = {0};
	AUTO(dpkg_owners) struct dpkg_owners o = {0};
	AUTO_FREE char *stamp = dpkg_stamp(root);
	struct error err = {0};

	strv_add(&paths, "/usr/lib/a");
	cr_assert_eq(dpkg_find_owners(root, NULL, &paths, &o, &err), 0, "%s", err.msg);
	cr_expect_null(owner(&o, 0));
	cr_expect_str_empty(stamp);
}

Test(dpkg, paragraphs_and_fields)
{
	struct span rest = span_of("\n \nA: 1\nLong: first\n second\n\tthird\nEnd:\n\n\nB: 2");
	struct span p = {0};

	cr_assert(deb822_next(&rest, &p));
	cr_expect(span_is(deb822_get(p, "a"), "1"));
	cr_expect(span_is(deb822_get(p, "Long"), "first\n second\n\tthird"));
	cr_expect(span_is(deb822_first_line(deb822_get(p, "Long")), "first"));
	cr_expect_eq(deb822_get(p, "End").len, 0);
	cr_expect_not_null(deb822_get(p, "End").data);
	cr_expect_null(deb822_get(p, "second").data);
	cr_expect_null(deb822_get(p, "B").data);
	cr_assert(deb822_next(&rest, &p));
	cr_expect(span_is(deb822_get(p, "B"), "2"));
	cr_expect_not(deb822_next(&rest, &p));
}
