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

struct cached {
	const char *soname, *path;
	uint64_t hwcap;
};

/* root's ld.so.cache, in glibc's new format. */
static void put_cache(const char *root, const struct cached *entries, size_t count)
{
	AUTO(buf) struct buf b = {0};
	AUTO(buf) struct buf text = {0};
	uint32_t start = (uint32_t)(48 + 24 * count);
	uint32_t header[12] = {0};

	memcpy(header, "glibc-ld.so.cache1.1", 20);
	header[5] = (uint32_t)count;
	header[7] = 2; /* little endian */
	buf_add(&b, header, sizeof(header));
	for (size_t i = 0; i < count; i++) {
		uint32_t entry[4] = {0x0303, start + (uint32_t)text.len};

		buf_add(&text, entries[i].soname, strlen(entries[i].soname) + 1);
		entry[2] = start + (uint32_t)text.len;
		buf_add(&text, entries[i].path, strlen(entries[i].path) + 1);
		buf_add(&b, entry, sizeof(entry));
		buf_add(&b, &entries[i].hwcap, sizeof(entries[i].hwcap));
	}
	buf_add(&b, text.data, text.len);
	put_file(root, "etc/ld.so.cache", b.data, b.len);
}

Test(elf_closure, the_cache_is_believed_as_the_loader_does)
{
	static const struct cached entries[] = {
		{"liba.so", "/opt/fast/liba.so", 1}, /* for certain processors */
		{"liba.so", "/opt/arm/liba.so", 0},  /* for another machine */
		{"liba.so", "/opt/gone/liba.so", 0}, /* from before it was removed */
		{"liba.so", "/opt/liba.so", 0},      {"libb.so", "/opt/gone/libb.so", 0},
	};
	char *root = new_root();
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *nodeflib = NULL;

	put_elf(root, "opt/fast/liba.so", &(struct made){0});
	put_elf(root, "opt/arm/liba.so", &(struct made){.machine = EM_AARCH64});
	put_elf(root, "opt/liba.so", &(struct made){0});
	put_elf(root, "lib/liba.so", &(struct made){0});
	put_elf(root, "lib/libb.so", &(struct made){0});
	put_file(root, "etc/ld.so.conf", "/not/read\n", 10);
	put_cache(root, entries, ARRAY_LEN(entries));
	put_elf(root, "bin/p", &(struct made){.interpreter = LD, .needed = {"liba.so", "libb.so"}});
	put_elf(root, "bin/q",
			&(struct made){.interpreter = LD, .needed = {"liba.so"}, .flags_1 = DF_1_NODEFLIB});
	text = found(root, "/bin/p");
	nodeflib = found(root, "/bin/q");
	cr_expect_str_eq(text, "liba.so=cache:/opt/liba.so libb.so=default:/lib/libb.so");
	cr_expect_str_eq(nodeflib, "liba.so=cache:/opt/liba.so");
	drop_root(root);
}

/* ---- what is opened while a program runs */

/* "NAME=ASKED:PATH ..." of what no header of a file needs, then "-NAME" of what is not there */
static char *opened(const char *root, const char *program)
{
	AUTO(elf_closure) struct elf_closure c = {0};
	AUTO(buf) struct buf b = {0};
	struct error err = {0};

	cr_assert_eq(find(root, program, NULL, &c, &err), 0, "%s", err.msg);
	for (size_t i = 0; i < c.count; i++)
		if (c.items[i].asked != ELF_ASKED_START)
			buf_addf(&b, "%s=%s:%s ", c.items[i].name, elf_asked_by_name(c.items[i].asked),
					 c.items[i].opened);
	for (size_t i = 0; i < c.absent_count; i++)
		buf_addf(&b, "-%s ", c.absent[i].name);
	return buf_take(&b);
}

#define NOTE(soname, priority) "[{\"soname\": [" soname "], \"priority\": \"" priority "\"}]"

Test(elf_closure, a_dlopen_note_is_followed_as_dlopen_would)
{
	char *root = new_root();
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *all = NULL;

	/* by the runpath of who opens it, then what that needs and opens */
	put_elf(root, "opt/liba.so.2", &(struct made){.needed = {"libn.so"}});
	put_elf(root, "lib/libn.so",
			&(struct made){.soname = "libn.so", .dlopens = {NOTE("\"libd.so\"", "required")}});
	put_elf(root, "lib/libd.so", &(struct made){.soname = "libd.so"});
	put_elf(root, "bin/p",
			&(struct made){.interpreter = LD,
						   .runpath = "/opt",
						   .needed = {"libn.so"},
						   .dlopens = {NOTE("\"liba.so.3\", \"liba.so.2\"", "recommended"),
									   NOTE("\"libgone.so\"", "recommended"),
									   NOTE("\"libd.so\"", "suggested"),
									   NOTE("\"libs.so\"", "suggested")}});
	put_elf(root, "lib/libs.so", &(struct made){0});
	text = opened(root, "/bin/p");
	all = found(root, "/bin/p");
	cr_expect_str_eq(text, "liba.so.2=dlopen note:/opt/liba.so.2 libd.so=dlopen note:/lib/libd.so "
						   "-libgone.so -libs.so ");
	cr_expect_str_eq(all, "libn.so=default:/lib/libn.so liba.so.2=runpath:/opt/liba.so.2 "
						  "libd.so=default:/lib/libd.so");
	drop_root(root);
}

Test(elf_closure, a_required_dlopen_that_is_missing_is_an_error)
{
	char *root = new_root();
	struct elf_closure c = {0};
	struct error err = {0};
	char missing[ELF_NAME_MAX] = "";

	put_elf(root, "bin/p",
			&(struct made){.interpreter = LD, .dlopens = {NOTE("\"libr.so\"", "required")}});
	cr_expect_eq(find(root, "/bin/p", missing, &c, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	cr_expect(text_ends(err.msg, "bin/p needs libr.so, which is not here"), "%s", err.msg);
	cr_expect_str_eq(missing, "libr.so");
	drop_root(root);
}

Test(elf_closure, what_glibc_opens_comes_along)
{
	static const struct {
		const char *import, *version, *says;
	} table[] = {
		{"pthread_exit", "GLIBC_2.36", "libgcc_s.so.1=glibc:/lib/libgcc_s.so.1 "},
		{"pthread_cancel", "GLIBC_2.31", "libgcc_s.so.1=glibc:/lib/libgcc_s.so.1 "},
		{"?pthread_cancel", "GLIBC_2.31", ""},
		{"getpwnam", "GLIBC_2.34", ""},
		{"getpwnam", "GLIBC_2.31", "libnss_files.so.2=glibc:/lib/libnss_files.so.2 "},
		{"getaddrinfo", "GLIBC_2.31",
		 "libnss_files.so.2=glibc:/lib/libnss_files.so.2 -libnss_dns.so.2 "},
		{"puts", "GLIBC_2.31", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char *root = new_root();
		AUTO_FREE char *text = NULL;

		put_elf(
			root, "lib/libc.so.6",
			&(struct made){.soname = "libc.so.6", .versions = {"GLIBC_2.2.5", table[i].version}});
		put_elf(root, "lib/libgcc_s.so.1", &(struct made){.needed = {"libc.so.6"}});
		put_elf(root, "lib/libnss_files.so.2", &(struct made){.needed = {"libc.so.6"}});
		put_elf(root, "bin/p",
				&(struct made){
					.interpreter = LD, .needed = {"libc.so.6"}, .imports = {table[i].import}});
		text = opened(root, "/bin/p");
		cr_expect_str_eq(text, table[i].says, "row %zu", i);
		drop_root(root);
	}
}

/* ---- other machines */

Test(elf_closure, a_second_root_has_what_the_first_lacks)
{
	char *root = new_root();
	AUTO_FREE char *cross = fs_join(root, "usr/cross");
	AUTO(elf_closure) struct elf_closure c = {0};
	AUTO(strv) struct strv programs = {0};
	AUTO(buf) struct buf b = {0};
	struct elf_view view = {.root = root, .fallback = cross};
	struct error err = {0};

	put_elf(root, "usr/cross/lib/ld-a.so", &(struct made){.machine = EM_AARCH64});
	put_elf(root, "usr/cross/lib/libboth.so", &(struct made){.machine = EM_AARCH64});
	put_elf(root, "usr/cross/lib/libhidden.so", &(struct made){.machine = EM_AARCH64});
	put_elf(root, "usr/lib/aarch64-linux-gnu/libboth.so", &(struct made){.machine = EM_AARCH64});
	put_elf(root, "lib/libhidden.so", &(struct made){0});
	put_elf(root, "bin/p",
			&(struct made){.machine = EM_AARCH64,
						   .interpreter = "/lib/ld-a.so",
						   .needed = {"libboth.so", "libhidden.so"}});
	strv_add(&programs, "/bin/p");
	cr_assert_eq(
		elf_closure_find(&(struct elf_closure_request){.view = &view, .programs = &programs}, NULL,
						 &c, &err),
		0, "%s", err.msg);
	for (size_t i = 1; i < c.count; i++)
		buf_addf(&b, "%s=%s ", c.items[i].opened, c.items[i].place.file + strlen(root));
	cr_expect_str_eq(buf_str(&b),
					 "/lib/ld-a.so=/usr/cross/lib/ld-a.so "
					 "/usr/lib/aarch64-linux-gnu/libboth.so=/usr/lib/aarch64-linux-gnu/libboth.so "
					 "/lib/libhidden.so=/usr/cross/lib/libhidden.so ");
	drop_root(root);
}

Test(elf_closure, a_library_that_is_only_there_for_another_machine_is_told)
{
	char *root = new_root();
	AUTO_FREE char *says = xasprintf("bin/p needs liba.so, which is not here; %s/opt/liba.so is "
									 "for arm64",
									 root);
	AUTO_FREE char *loader = xasprintf("bin/q needs the interpreter /lib/ld-b.so, which is not "
									   "here; %s/lib/ld-b.so is for riscv64",
									   root);
	struct elf_closure c = {0};
	struct error err = {0};

	put_elf(root, "opt/liba.so", &(struct made){.machine = EM_AARCH64});
	put_elf(root, "lib/liba.so", &(struct made){.machine = EM_S390});
	put_elf(root, "lib/ld-b.so", &(struct made){.machine = EM_RISCV});
	put_elf(root, "bin/p",
			&(struct made){.interpreter = LD, .needed = {"liba.so"}, .runpath = "/opt"});
	put_elf(root, "bin/q", &(struct made){.interpreter = "/lib/ld-b.so"});
	cr_expect_eq(find(root, "/bin/p", NULL, &c, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	cr_expect(text_ends(err.msg, says), "%s", err.msg);
	cr_expect_eq(find(root, "/bin/q", NULL, &c, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	cr_expect(text_ends(err.msg, loader), "%s", err.msg);
	drop_root(root);
}

static char *in_image(UNUSED void *user, const char *name)
{
	return strcmp(name, "libi.so") == 0 ? xstrdup("/usr/lib/libi.so") : NULL;
}

Test(elf_closure, what_is_only_in_the_image_is_known_by_its_path)
{
	char *root = new_root();
	AUTO(elf_closure) struct elf_closure c = {0};
	AUTO(strv) struct strv programs = {0};
	struct elf_view view = {.root = root};
	struct elf_closure_request request = {
		.view = &view, .programs = &programs, .elsewhere = in_image};
	struct error err = {0};

	put_elf(root, "bin/p",
			&(struct made){
				.interpreter = LD, .needed = {"libi.so"}, .needs = {{"libi.so", "I_1", false}}});
	put_elf(root, "bin/q", &(struct made){.interpreter = LD, .needed = {"libj.so"}});
	strv_add(&programs, "/bin/p");
	cr_assert_eq(elf_closure_find(&request, NULL, &c, &err), 0, "%s", err.msg);
	cr_assert_eq(c.count, 3);
	cr_expect_eq(c.items[2].how, ELF_FOUND_IMAGE);
	cr_expect_str_eq(c.items[2].opened, "/usr/lib/libi.so");
	cr_expect_null(c.items[2].place.file);
	cr_assert_eq(c.edge_count, 1);
	cr_expect_eq(c.edges[0].provider, 2);
	elf_closure_release(&c);
	strv_add(&programs, "/bin/q");
	cr_expect_eq(elf_closure_find(&request, NULL, &c, &err), -1);
	cr_expect(strstr(err.msg, "libj.so"), "%s", err.msg);
	drop_root(root);
}

/* ---- several files at once */

Test(elf_closure, who_asks_for_whom)
{
	char *root = new_root();
	AUTO(elf_closure) struct elf_closure c = {0};
	AUTO(strv) struct strv programs = {0};
	AUTO(buf) struct buf b = {0};
	struct elf_view view = {.root = root};
	struct error err = {0};

	put_elf(root, "lib/liba.so", &(struct made){.needed = {"libc.so"}});
	put_elf(root, "lib/libc.so", &(struct made){.soname = "libc.so"});
	put_elf(root, "bin/p", &(struct made){.interpreter = LD, .needed = {"liba.so", "libc.so"}});
	put_elf(root, "bin/q", &(struct made){.interpreter = LD, .needed = {"liba.so", "ld.so"}});
	strv_add(&programs, "/bin/p");
	strv_add(&programs, "/bin/q");
	cr_assert_eq(
		elf_closure_find(&(struct elf_closure_request){.view = &view, .programs = &programs}, NULL,
						 &c, &err),
		0, "%s", err.msg);
	for (size_t i = 0; i < c.edge_count; i++)
		buf_addf(&b, "%s>%s ", fs_basename(c.items[c.edges[i].user].opened),
				 fs_basename(c.items[c.edges[i].provider].opened));
	cr_expect_str_eq(buf_str(&b), "p>liba.so p>libc.so liba.so>libc.so q>liba.so q>ld.so ");
	drop_root(root);
}

Test(elf_closure, a_library_of_the_project_is_loaded_for_its_program)
{
	char *root = new_root();
	AUTO(elf_closure) struct elf_closure c = {0};
	AUTO(strv) struct strv programs = {0};
	struct elf_view view = {.root = root};
	struct error err = {0};

	/* by itself libown would not find libdeep; the program's rpath is for both */
	put_elf(root, "app/libown.so", &(struct made){.needed = {"libdeep.so"}});
	put_elf(root, "app/libdeep.so", &(struct made){0});
	put_elf(root, "app/p",
			&(struct made){.interpreter = LD, .needed = {"libown.so"}, .rpath = "$ORIGIN"});
	strv_add(&programs, "/app/libown.so");
	strv_add(&programs, "/app/p");
	cr_assert_eq(
		elf_closure_find(&(struct elf_closure_request){.view = &view, .programs = &programs}, NULL,
						 &c, &err),
		0, "%s", err.msg);
	cr_expect_eq(c.count, 4);
	elf_closure_release(&c);
	/* nobody loads this one */
	put_elf(root, "app/libplugin.so", &(struct made){.needed = {"libnone.so"}});
	strv_add(&programs, "/app/libplugin.so");
	cr_expect_eq(
		elf_closure_find(&(struct elf_closure_request){.view = &view, .programs = &programs}, NULL,
						 &c, &err),
		-1);
	cr_expect(strstr(err.msg, "libnone.so"), "%s", err.msg);
	drop_root(root);
}

/* ---- hostile */

Test(elf_closure, a_broken_library_is_named_with_who_needs_it)
{
	char *root = new_root();
	struct elf_closure c = {0};
	struct error err = {0};

	put_file(root, "lib/liba.so", "no library", 10);
	put_elf(root, "bin/p", &(struct made){.interpreter = LD, .needed = {"liba.so"}});
	cr_expect_eq(find(root, "/bin/p", NULL, &c, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect(strstr(err.msg, "bin/p needs liba.so: ") && strstr(err.msg, "is no ELF file"), "%s",
			  err.msg);
	drop_root(root);
}

/* A file of `count` entries DT_NEEDED, all of one name. */
static void put_needy(const char *root, const char *path, size_t count)
{
	AUTO(buf) struct buf b = {0};
	struct made_at at;
	Elf64_Phdr p[2];
	Elf64_Dyn d[4];
	size_t start, left;

	make_elf(&(struct made){.needed = {"liba.so"}}, &b, &at);
	memcpy(d, b.data + at.dynamic, sizeof(d));
	start = b.len;
	for (size_t i = 0; i < count; i++)
		buf_add(&b, &d[0], sizeof(d[0]));
	buf_add(&b, &d[1], 3 * sizeof(d[0]));
	left = b.len - start;
	memcpy(p, b.data + at.program_headers, sizeof(p));
	p[0].p_filesz = p[0].p_memsz = b.len;
	p[1].p_offset = p[1].p_vaddr = start;
	p[1].p_filesz = p[1].p_memsz = left;
	memcpy(b.data + at.program_headers, p, sizeof(p));
	put_file(root, path, b.data, b.len);
}

Test(elf_closure, ten_thousand_needed_libraries_are_refused_and_many_are_not, .timeout = 20)
{
	char *root = new_root();
	struct elf_closure c = {0};
	struct error err = {0};

	put_elf(root, "lib/liba.so", &(struct made){0});
	put_needy(root, "lib/many.so", ELF_MAX_NEEDED);
	put_needy(root, "lib/toomany.so", 10000);
	cr_expect_eq(find(root, "/lib/many.so", NULL, &c, &err), 0, "%s", err.msg);
	cr_expect_eq(c.count, 2);
	elf_closure_release(&c);
	cr_expect_eq(find(root, "/lib/toomany.so", NULL, &c, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect(strstr(err.msg, "toomany.so needs more than 4096 libraries"), "%s", err.msg);
	drop_root(root);
}
