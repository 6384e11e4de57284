#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "build/gather.h"
#include "build/plan.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder(void)
{
	char *dir = NULL;
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "detect-", &dir, &err), 0);
	return dir;
}

static void leave(char *dir)
{
	struct error err = {0};

	cr_expect_eq(fs_remove_tree(dir, &err), 0, "%s", err.msg);
	free(dir);
}

static void put(const char *dir, const char *name, const char *text)
{
	AUTO_FREE char *path = fs_join(dir, name);
	struct error err = {0};

	cr_assert_eq(fs_write_atomic(path, text, strlen(text), 0644, &err), 0, "%s", err.msg);
}

Test(detect, the_first_system_of_several)
{
	/* each comes before those that are there already */
	static const struct {
		const char *file;
		enum build_system kind;
	} steps[] = {
		{"notes", BUILD_WRITTEN},       {"Makefile", BUILD_MAKE},
		{"GNUmakefile", BUILD_MAKE},    {"configure.ac", BUILD_AUTOTOOLS},
		{"configure", BUILD_AUTOTOOLS}, {"CMakeLists.txt", BUILD_CMAKE},
		{"meson.build", BUILD_MESON},
	};
	char *dir = folder();

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		put(dir, steps[i].file, "");
		cr_expect_eq(build_find_system(dir), steps[i].kind, "%s", steps[i].file);
	}
	leave(dir);
}

Test(detect, a_folder_or_a_pipe_is_no_build_file)
{
	char *dir = folder();
	AUTO_FREE char *sub = fs_join(dir, "meson.build");
	AUTO_FREE char *pipe = fs_join(dir, "Makefile");

	cr_assert_eq(mkdir(sub, 0755), 0);
	cr_assert_eq(mkfifo(pipe, 0644), 0);
	cr_expect_eq(build_find_system(dir), BUILD_WRITTEN);
	cr_expect_eq(build_find_system("/nonexistent"), BUILD_WRITTEN);
	leave(dir);
}

Test(detect, what_a_system_calls_the_project)
{
	static const struct {
		enum build_system kind;
		const char *file, *text, *name;
	} cases[] = {
		{BUILD_MESON, "meson.build", "project('lighttpd', 'c', version: '1')\n", "lighttpd"},
		{BUILD_MESON, "meson.build", "# project('no')\nproject(\n  \"two-words\", 'c')\n",
		 "two-words"},
		{BUILD_MESON, "meson.build", "x = 1\nmy_project('no')\n", NULL},
		{BUILD_MESON, "meson.build", "project()\n", NULL},
		{BUILD_MESON, "meson.build", "project(", NULL},
		{BUILD_MESON, "meson.build", "", NULL},
		{BUILD_CMAKE, "CMakeLists.txt", "cmake_minimum_required(VERSION 3)\nPROJECT( mos_q C )\n",
		 "mos_q"},
		{BUILD_CMAKE, "CMakeLists.txt", "project(${NAME} C)\n", NULL},
		{BUILD_CMAKE, "CMakeLists.txt", "project(a${NAME} C)\n", NULL},
		{BUILD_CMAKE, "CMakeLists.txt", "\tproject (tab)\n", "tab"},
		{BUILD_AUTOTOOLS, "configure.ac", "AC_PREREQ([2.6])\nAC_INIT([memcached],[1.6])\n",
		 "memcached"},
		{BUILD_AUTOTOOLS, "configure.ac", "AC_INIT(m4_esyscmd([x]))\n", "m4_esyscmd"},
		{BUILD_AUTOTOOLS, "configure", "#! /bin/sh\nPACKAGE_TARNAME='tinyproxy'\n", "tinyproxy"},
		{BUILD_MAKE, "Makefile", "project('no')\n", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *dir = folder();
		AUTO_FREE char *name = NULL;

		put(dir, cases[i].file, cases[i].text);
		name = build_system_project(cases[i].kind, dir);
		cr_expect_str_eq(name ? name : "(none)", cases[i].name ? cases[i].name : "(none)", "%s",
						 cases[i].text);
		leave(dir);
	}
}

Test(detect, what_of_an_installation_is_left_out)
{
	static const char *const out[] = {
		"usr/include",
		"usr/include/x/y.h",
		"usr/local/include/x.h",
		"usr/share/man/man8/x.8",
		"usr/man/man1/x.1",
		"usr/share/doc/x/README",
		"usr/share/locale/de/LC_MESSAGES/x.mo",
		"usr/lib/pkgconfig/x.pc",
		"usr/lib/x86_64-linux-gnu/pkgconfig/x.pc",
		"usr/lib/cmake/x/x.cmake",
		"usr/lib/libx.a",
		"usr/lib/x86_64-linux-gnu/libx.la",
		"lib/systemd/system/x.service",
		"usr/lib/systemd/system/x.service",
		"etc/init.d/x",
		"etc/bash_completion.d/x",
		"usr/share/bash-completion/completions/x",
	};
	static const char *const in[] = {
		"usr/bin/x",
		"usr/sbin/x",
		"usr/lib/x/mod_a.so",
		"usr/lib/libx.so",
		"usr/lib/libx.so.1",
		"usr/lib64/libx.so.1",
		"usr/libexec/x/helper",
		"usr/share/x/doc/page.html",
		"usr/share/x/include.conf",
		"usr/share/documents",
		"usr/includes",
		"etc/x.conf",
		"var/lib/x",
		"srv/www/lib.a",
		"usr/share/x/a.la",
		"usr/lib/cmakery/x",
	};

	for (size_t i = 0; i < ARRAY_LEN(out); i++)
		cr_expect(build_is_left_out(out[i]), "%s", out[i]);
	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		cr_expect_not(build_is_left_out(in[i]), "%s", in[i]);
}
