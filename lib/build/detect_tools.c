/* The programs that the steps of a found system need, on this machine or in the toolchain. */
#include "build/detect.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "elf/view.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *build_tool_of(const struct build_plan *p, const char *variable, const char *fallback)
{
	size_t len = strlen(variable);
	const char *value = getenv(variable);

	for (size_t i = 0; i < p->env.count; i++)
		if (strncmp(p->env.items[i], variable, len) == 0 && p->env.items[i][len] == '=')
			value = p->env.items[i] + len + 1;
	value = value && *value ? value : fallback;
	return xstrndup(value, strcspn(value, " "));
}

static char *find_in_root(const char *root, const char *path)
{
	const struct elf_view view = {.root = root};
	struct elf_place place = {0};
	struct error ignored = {0};
	int found = elf_view_find(&view, path, &place, &ignored);

	elf_place_release(&place);
	return found == 1 ? xstrdup(path) : NULL;
}

char *build_find_tool(const struct build *b, const char *name)
{
	static const char *const dirs[] = {"/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"};
	char *path = NULL;

	if (!b->toolchain && name[0] == '/')
		return access(name, X_OK) == 0 ? xstrdup(name) : NULL;
	if (!b->toolchain)
		return proc_find(name);
	if (name[0] == '/')
		return find_in_root(build_toolchain_root(b), name);
	for (size_t i = 0; i < ARRAY_LEN(dirs) && !path; i++) {
		AUTO_FREE char *full = fs_join(dirs[i], name);

		path = find_in_root(build_toolchain_root(b), full);
	}
	return path;
}

static int check_tool(const struct build *b, const char *tool, const char *package,
					  struct error *err)
{
	AUTO_FREE char *path = build_find_tool(b, tool);

	if (path)
		return 0;
	if (b->toolchain) {
		err_set(err, ERR_MISSING, "the toolchain image has no %s", tool);
		return err_hint(err, "name one that has it; on Debian it is in the package %s", package);
	}
	err_set(err, ERR_MISSING, "%s is not installed", tool);
	return err_hint(err, "run: apt install %s", package);
}

static int check_compiler(const struct build *b, struct error *err)
{
	AUTO_FREE char *cc = build_tool_of(&b->plan, "CC", "cc");
	AUTO_FREE char *package = NULL;
	struct build_target target = {0};

	if (build_target_find(&b->platform, &target, err) < 0)
		return -1;
	package = b->is_cross ? xasprintf("gcc-%s", target.package) : xstrdup("gcc");
	if (check_tool(b, cc, package, err) == 0)
		return 0;
	return err_wrap(err, "cannot compile for %s/%s", b->platform.os, b->platform.arch);
}

int build_check_tools(const struct build *b, struct error *err)
{
	static const struct {
		enum build_system kind;
		const char *said; /* in the first step; NULL: always */
		const char *tool, *package;
	} needs[] = {
		{BUILD_MESON, NULL, "meson", "meson"},
		{BUILD_MESON, NULL, "ninja", "ninja-build"},
		{BUILD_CMAKE, NULL, "cmake", "cmake"},
		{BUILD_CMAKE, "Unix Makefiles", "make", "ninja-build"},
		{BUILD_AUTOTOOLS, "autoreconf", "autoreconf", "autoconf automake libtool"},
		{BUILD_AUTOTOOLS, NULL, "make", "make"},
		{BUILD_MAKE, NULL, "make", "make"},
	};

	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		if (needs[i].kind == b->plan.kind &&
			(!needs[i].said || strstr(b->plan.steps.items[0], needs[i].said)) &&
			check_tool(b, needs[i].tool, needs[i].package, err) < 0)
			return -1;
	return check_compiler(b, err);
}

static int write_wrapper(const struct build *b, const char *dir, const char *name,
						 const char *source, struct error *err)
{
	AUTO_FREE char *compiler = build_find_tool(b, name);
	AUTO_FREE char *file = fs_join(dir, name);
	AUTO_FREE char *text = NULL;

	if (!compiler)
		return 0;
	text = xasprintf("#!/bin/sh\nexec %s -ffile-prefix-map=%s=. -ffile-prefix-map=%s=. \"$@\"\n",
					 compiler, source, b->plan.work);
	return fs_write_atomic(file, text, strlen(text), 0755, err);
}

/* "install -s" calls it by this name. */
static int write_strip(const struct build *b, const char *dir, struct error *err)
{
	AUTO_FREE char *strip = build_tool_of(&b->plan, "STRIP", "strip");
	AUTO_FREE char *path = build_find_tool(b, strip);
	AUTO_FREE char *file = fs_join(dir, "strip");
	AUTO_FREE char *text = path ? xasprintf("#!/bin/sh\nexec %s \"$@\"\n", path) : NULL;

	return text ? fs_write_atomic(file, text, strlen(text), 0755, err) : 0;
}

int build_write_wrappers(const struct build *b, struct error *err)
{
	static const char *const names[] = {"cc", "gcc", "c99", "clang", "c++", "g++", "clang++"};
	AUTO_FREE char *dir = fs_join(b->plan.folder, "bin");
	AUTO_FREE char *source = realpath(b->project->dir, NULL);
	AUTO_FREE char *cc = build_tool_of(&b->plan, "CC", "cc");
	AUTO_FREE char *cxx = build_tool_of(&b->plan, "CXX", "c++");
	const char *const own[] = {cc, cxx};

	if (fs_remove_tree(dir, err) < 0 || fs_mkdirs(dir, 0755, err) < 0)
		return -1;
	if (b->is_cross && write_strip(b, dir, err) < 0)
		return -1;
	if (!source || !build_fits_into_flags(b->plan.folder))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (write_wrapper(b, dir, names[i], source, err) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (!strchr(own[i], '/') && write_wrapper(b, dir, own[i], source, err) < 0)
			return -1;
	return 0;
}
