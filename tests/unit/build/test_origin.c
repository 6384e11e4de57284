#include "build/origin.h"

#include "base/fs.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <string.h>
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

TestSuite(origin, .init = setup, .fini = teardown);

static void put(const char *path, const char *text)
{
	AUTO_FREE char *full = xasprintf("%s%s", root, path);
	AUTO_FREE char *dir = fs_dirname(full);
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(dir, 0755, &err), 0);
	cr_assert_eq(fs_write_atomic(full, text, strlen(text), 0644, &err), 0, "%s", err.msg);
}

static void put_dpkg(void)
{
	put("/var/lib/dpkg/status",
		"Package: libq1\nStatus: install ok installed\nArchitecture: arm64\nSource: q (1.0-1)\n"
		"Version: 1.0-1+b2\nMaintainer: A Person <a@example.com>\n");
	put("/var/lib/dpkg/info/libq1:arm64.list", "/.\n/usr/lib/libq.so.1\n");
	put("/etc/os-release", "NAME=x\nID=\"other\"\nVERSION_ID='7'\n");
}

static void put_apk(void)
{
	put("/lib/apk/db/installed",
		"P:libq\nV:1.0-r0\nA:aarch64\no:q\nL:MIT AND (BSD-2-Clause OR Zlib)\n"
		"F:usr/lib\nR:libq.so.1\n\nP:odd\nV:2\nL:custom or so\nF:usr/lib\nR:libodd.so\n");
	put("/usr/lib/os-release", "ID=alpine\nVERSION_ID=3.19.1\n");
}

/* Ask a build whose sysroot is the folder about a file of it, and one of this machine. */
static void ask(const char *path, struct origins *o, struct origin_file *in_root)
{
	struct build_request request = {0};
	struct build b = {.request = &request, .sysroot = root};
	AUTO_FREE char *file = xasprintf("%s%s", root, path);
	AUTO_FREE char *near = xasprintf("%sx%s", root, path);
	struct error err = {0};

	origins_init(&b, o);
	*in_root = origins_add(o, file);
	/* the name of another folder may begin like it */
	cr_expect_eq(origins_add(o, near).root, 0);
	cr_expect_eq(origins_add(o, "/usr/lib/libq.so.1").root, 0);
	cr_assert_eq(origins_find(&b, o, &err), 0, "%s", err.msg);
}

Test(origin, a_sysroot_with_packages_answers_for_its_files)
{
	AUTO(origins) struct origins o = {0};
	AUTO_FREE char *url = NULL;
	struct origin_file f;
	const struct dpkg_package *p;
	struct sbom_package row;

	put_dpkg();
	ask("/lib/libq.so.1", &o, &f);
	cr_expect_eq(f.root, 1);
	p = origins_owner(&o, f);
	cr_assert_not_null(p);
	cr_expect_str_eq(p->source, "q");
	row = origins_row(&o.roots[1], p);
	url = sbom_package_url(&row);
	cr_expect_str_eq(url, "pkg:deb/other/libq1@1.0-1%2Bb2?arch=arm64&distro=other-7");
	cr_expect_eq(row.kind, SBOM_DEBIAN);
	sbom_package_release(&row);
}

Test(origin, an_alpine_root_has_apk)
{
	static const struct {
		const char *path, *url, *license;
	} cases[] = {
		{"/usr/lib/libq.so.1", "pkg:apk/alpine/libq@1.0-r0?arch=aarch64&distro=alpine-3.19.1",
		 "MIT AND (BSD-2-Clause OR Zlib)"},
		{"/usr/lib/libodd.so", "pkg:apk/alpine/odd@2?arch=noarch&distro=alpine-3.19.1", NULL},
	};

	put_apk();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(origins) struct origins o = {0};
		AUTO_FREE char *url = NULL;
		struct origin_file f;
		const struct dpkg_package *p;
		struct sbom_package row;

		ask(cases[i].path, &o, &f);
		p = origins_owner(&o, f);
		cr_assert_not_null(p, "%s", cases[i].path);
		row = origins_row(&o.roots[f.root], p);
		url = sbom_package_url(&row);
		cr_expect_str_eq(url, cases[i].url);
		cr_expect_eq(row.license == NULL, cases[i].license == NULL);
		cr_expect(!row.license || strcmp(row.license, cases[i].license) == 0, "%s", row.license);
		sbom_package_release(&row);
	}
}

Test(origin, a_folder_without_packages_is_this_machine_s)
{
	AUTO(origins) struct origins o = {0};
	struct origin_file f;

	put("/lib/libq.so.1", "x");
	ask("/lib/libq.so.1", &o, &f);
	cr_expect_eq(o.count, 1);
	cr_expect_eq(f.root, 0);
	cr_expect_null(origins_owner(&o, f));
	cr_expect_str_eq(o.roots[0].paths.items[0] + strlen(root), "/lib/libq.so.1");
}

Test(origin, the_stamp_follows_each_root_s_packages)
{
	struct build_request request = {0};
	struct build b = {.request = &request, .sysroot = root};
	AUTO(origins) struct origins o = {0};
	AUTO_FREE char *before = NULL;
	AUTO_FREE char *after = NULL;

	put_dpkg();
	origins_init(&b, &o);
	before = origins_stamp(&o);
	put("/var/lib/dpkg/status", "Package: more\n");
	after = origins_stamp(&o);
	cr_expect_str_neq(before, after);
}

Test(origin, a_link_out_of_a_root_is_not_its_os_release)
{
	AUTO(origins) struct origins o = {0};
	AUTO_FREE char *etc = xasprintf("%s/etc", root);
	AUTO_FREE char *file = xasprintf("%s/etc/os-release", root);
	struct error err = {0};
	struct origin_file f;

	put_dpkg();
	cr_assert_eq(fs_remove_tree(etc, &err), 0);
	cr_assert_eq(fs_mkdirs(etc, 0755, &err), 0);
	cr_assert_eq(symlink("/etc/os-release", file), 0);
	ask("/usr/lib/libq.so.1", &o, &f);
	cr_expect_null(o.roots[1].distro_id);
}
