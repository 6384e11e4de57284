#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "elf/closure.h"
#include "make.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static char *new_root(void)
{
	char *root = NULL;
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "elf-", &root, &err), 0);
	put_elf(root, "lib64/ld.so", &(struct made){.soname = "ld.so"});
	return root;
}

static void drop_root(char *root)
{
	struct error err = {0};

	cr_expect_eq(fs_remove_tree(root, &err), 0, "%s", err.msg);
	free(root);
}

#define LD "/lib64/ld.so"

static int find(const char *root, const char *program, char *missing, struct elf_closure *c,
				struct error *err)
{
	struct elf_view view = {.root = root};
	AUTO(strv) struct strv programs = {0};

	strv_add(&programs, program);
	return elf_closure_find(&(struct elf_closure_request){.view = &view, .programs = &programs},
							missing, c, err);
}

/* "NAME=HOW:PATH ..." of everything but the program and the loader */
static char *found(const char *root, const char *program)
{
	AUTO(elf_closure) struct elf_closure c = {0};
	AUTO(buf) struct buf b = {0};
	struct error err = {0};

	cr_assert_eq(find(root, program, NULL, &c, &err), 0, "%s", err.msg);
	for (size_t i = 2; i < c.count; i++)
		buf_addf(&b, "%s%s=%s:%s", i > 2 ? " " : "", c.items[i].name,
				 elf_found_by_name(c.items[i].how), c.items[i].opened);
	return buf_take(&b);
}

Test(elf_closure, rpath_is_inherited_and_runpath_is_not)
{
	char *root = new_root();
	AUTO_FREE char *by_rpath = NULL;
	AUTO_FREE char *by_runpath = NULL;

	put_elf(root, "opt/x/liba.so", &(struct made){.needed = {"libb.so"}});
	put_elf(root, "opt/x/libb.so", &(struct made){.soname = "libb.so"});
	put_elf(root, "usr/lib/libb.so", &(struct made){.soname = "libb.so"});
	put_elf(root, "bin/p",
			&(struct made){.interpreter = LD, .needed = {"liba.so"}, .rpath = "/opt/x"});
	put_elf(root, "bin/q",
			&(struct made){.interpreter = LD, .needed = {"liba.so"}, .runpath = "/opt/x"});
	by_rpath = found(root, "/bin/p");
	by_runpath = found(root, "/bin/q");
	cr_expect_str_eq(by_rpath, "liba.so=rpath:/opt/x/liba.so libb.so=rpath:/opt/x/libb.so");
	cr_expect_str_eq(by_runpath, "liba.so=runpath:/opt/x/liba.so libb.so=default:/usr/lib/libb.so");
	drop_root(root);
}

Test(elf_closure, a_runpath_of_the_asking_library_hides_inherited_rpaths)
{
	char *root = new_root();
	AUTO_FREE char *text = NULL;

	put_elf(root, "opt/x/liba.so", &(struct made){.needed = {"libb.so"}, .runpath = "/nowhere"});
	put_elf(root, "opt/x/libb.so", &(struct made){0});
	put_elf(root, "lib/libb.so", &(struct made){0});
	put_elf(root, "bin/p",
			&(struct made){.interpreter = LD, .needed = {"liba.so"}, .rpath = "/opt/x"});
	text = found(root, "/bin/p");
	cr_expect_str_eq(text, "liba.so=rpath:/opt/x/liba.so libb.so=default:/lib/libb.so");
	drop_root(root);
}

Test(elf_closure, breadth_first_and_known_by_soname)
{
	char *root = new_root();
	AUTO_FREE char *text = NULL;

	/* liba asks for libz by its soname when the program has already loaded it by another name */
	put_elf(root, "lib/liba.so", &(struct made){.needed = {"libz.so.1"}});
	put_elf(root, "lib/libz.so", &(struct made){.soname = "libz.so.1"});
	put_elf(root, "lib/libz.so.1", &(struct made){.soname = "libz.so.1"});
	put_elf(root, "bin/p", &(struct made){.interpreter = LD, .needed = {"liba.so", "libz.so"}});
	text = found(root, "/bin/p");
	cr_expect_str_eq(text, "liba.so=default:/lib/liba.so libz.so=default:/lib/libz.so");
	drop_root(root);
}

Test(elf_closure, tokens_and_slashes)
{
	char *root = new_root();
	AUTO_FREE char *text = NULL;

	put_elf(root, "app/bin/p",
			&(struct made){.interpreter = LD,
						   .needed = {"liba.so", "libb.so", "libc.so", "/app/libd.so"},
						   .runpath =
							   "relative:$ORIGIN/../lib:/app/${LIB}:/app/$PLATFORM:/app/$NOTHING"});
	put_elf(root, "app/lib/liba.so", &(struct made){0});
	put_elf(root, "app/lib64/libb.so", &(struct made){0});
	put_elf(root, "app/x86_64/libc.so", &(struct made){0});
	put_elf(root, "app/libd.so", &(struct made){0});
	text = found(root, "/app/bin/p");
	cr_expect_str_eq(text, "liba.so=runpath:/app/lib/liba.so libb.so=runpath:/app/lib64/libb.so "
						   "libc.so=runpath:/app/x86_64/libc.so /app/libd.so=path:/app/libd.so");
	drop_root(root);
}

Test(elf_closure, links_are_told_and_stay_in_the_root)
{
	char *root = new_root();
	AUTO(elf_closure) struct elf_closure c = {0};
	AUTO_FREE char *lib = fs_join(root, "lib");
	AUTO_FREE char *so = fs_join(root, "usr/lib/liba.so.1");
	AUTO_FREE char *out = fs_join(root, "usr/lib/out");
	struct error err = {0};
	const struct elf_place *place;

	put_elf(root, "usr/lib/liba.so.1.2", &(struct made){.soname = "liba.so.1"});
	put_elf(root, "bin/p", &(struct made){.interpreter = LD, .needed = {"liba.so.1"}});
	cr_assert_eq(symlink("usr/lib", lib), 0);
	cr_assert_eq(symlink("../../../../../../../usr/lib/out/liba.so.1.2", so), 0);
	cr_assert_eq(symlink("/usr/lib", out), 0);
	cr_assert_eq(find(root, "/bin/p", NULL, &c, &err), 0, "%s", err.msg);
	cr_assert_eq(c.count, 3);
	place = &c.items[2].place;
	cr_expect_str_eq(c.items[2].opened, "/lib/liba.so.1");
	cr_expect_str_eq(place->path, "/usr/lib/liba.so.1.2");
	cr_expect(text_starts(place->file, root));
	cr_assert_eq(place->links.count, 6);
	cr_expect_str_eq(place->links.items[0], "/lib");
	cr_expect_str_eq(place->links.items[2], "/usr/lib/liba.so.1");
	cr_expect_str_eq(place->links.items[4], "/usr/lib/out");
	cr_expect_str_eq(place->links.items[5], "/usr/lib");
	drop_root(root);
}

Test(elf_closure, links_in_a_circle_are_refused)
{
	char *root = new_root();
	AUTO_FREE char *lib = fs_join(root, "usr/lib/liba.so");
	struct elf_closure c = {0};
	struct error err = {0};

	put_elf(root, "usr/lib/other.so", &(struct made){0});
	put_elf(root, "bin/p", &(struct made){.interpreter = LD, .needed = {"liba.so"}});
	cr_assert_eq(symlink("liba.so", lib), 0);
	cr_expect_eq(find(root, "/bin/p", NULL, &c, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	drop_root(root);
}

Test(elf_closure, missing_library_is_named)
{
	char *root = new_root();
	struct elf_closure c = {0};
	struct error err = {0};
	char missing[ELF_NAME_MAX] = "";

	put_elf(root, "lib/liba.so", &(struct made){.needed = {"libgone.so.9"}});
	put_elf(root, "bin/p", &(struct made){.interpreter = LD, .needed = {"liba.so"}});
	cr_expect_eq(find(root, "/bin/p", missing, &c, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	cr_expect_str_eq(err.msg, "/lib/liba.so needs libgone.so.9, which is not here");
	cr_expect_str_eq(missing, "libgone.so.9");
	drop_root(root);
}

Test(elf_closure, another_machines_library_is_passed_over)
{
	char *root = new_root();
	AUTO_FREE char *text = NULL;

	put_elf(root, "opt/liba.so", &(struct made){.machine = EM_AARCH64});
	put_elf(root, "lib/liba.so", &(struct made){0});
	put_elf(root, "bin/p",
			&(struct made){.interpreter = LD, .needed = {"liba.so"}, .runpath = "/opt"});
	text = found(root, "/bin/p");
	cr_expect_str_eq(text, "liba.so=default:/lib/liba.so");
	drop_root(root);
}

Test(elf_closure, libraries_that_need_each_other_end)
{
	char *root = new_root();
	AUTO_FREE char *text = NULL;

	put_elf(root, "lib/liba.so", &(struct made){.needed = {"libb.so"}});
	put_elf(root, "lib/libb.so", &(struct made){.needed = {"liba.so"}});
	put_elf(root, "bin/p", &(struct made){.interpreter = LD, .needed = {"liba.so"}});
	text = found(root, "/bin/p");
	cr_expect_str_eq(text, "liba.so=default:/lib/liba.so libb.so=default:/lib/libb.so");
	drop_root(root);
}

Test(elf_closure, files_laid_over_the_root_are_found)
{
	char *root = new_root();
	AUTO_FREE char *program = fs_join(root, "build/p");
	AUTO_FREE char *library = fs_join(root, "build/liba.so");
	AUTO(elf_closure) struct elf_closure c = {0};
	AUTO(strv) struct strv programs = {0};
	struct map over = {0};
	struct elf_view view = {.root = root, .over = &over};
	struct error err = {0};

	put_elf(
		root, "build/p",
		&(struct made){.interpreter = LD, .needed = {"liba.so"}, .runpath = "$ORIGIN/../lib/p"});
	put_elf(root, "build/liba.so", &(struct made){0});
	map_put(&over, "/usr/bin/p", program);
	map_put(&over, "/usr/lib/p/liba.so", library);
	strv_add(&programs, "/usr/bin/p");
	cr_assert_eq(
		elf_closure_find(&(struct elf_closure_request){.view = &view, .programs = &programs}, NULL,
						 &c, &err),
		0, "%s", err.msg);
	cr_assert_eq(c.count, 3);
	cr_expect_str_eq(c.items[2].opened, "/usr/lib/p/liba.so");
	cr_expect_str_eq(c.items[2].place.file, library);
	map_release(&over);
	drop_root(root);
}

Test(elf_closure, musl_has_its_own_rules)
{
	char *root = new_root();
	AUTO_FREE char *text = NULL;
	static const char path_file[] = "/lib/x:/usr/lib/musl\n";

	put_elf(root, "lib/ld-musl-x86_64.so.1", &(struct made){0});
	put_file(root, "etc/ld-musl-x86_64.path", path_file, sizeof(path_file) - 1);
	put_elf(root, "usr/lib/musl/liba.so", &(struct made){.needed = {"libm.so.6"}});
	put_elf(root, "bin/p",
			&(struct made){.interpreter = "/lib/ld-musl-x86_64.so.1",
						   .needed = {"liba.so", "libc.so"}});
	text = found(root, "/bin/p");
	cr_expect_str_eq(text, "liba.so=default:/usr/lib/musl/liba.so");
	drop_root(root);
}
