/* Which build system a folder has, and what it calls the project. */
#include "build/plan.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define MAX_SYSTEM_FILE (4u << 20)

static const struct {
	const char *file;
	enum build_system kind;
} marks[] = {
	{"meson.build", BUILD_MESON},      {"CMakeLists.txt", BUILD_CMAKE},
	{"configure", BUILD_AUTOTOOLS},    {"configure.ac", BUILD_AUTOTOOLS},
	{"configure.in", BUILD_AUTOTOOLS}, {"GNUmakefile", BUILD_MAKE},
	{"makefile", BUILD_MAKE},          {"Makefile", BUILD_MAKE},
};

const char *build_system_name(enum build_system kind)
{
	static const char *const names[] = {
		[BUILD_WRITTEN] = "steps",       [BUILD_MESON] = "meson", [BUILD_CMAKE] = "cmake",
		[BUILD_AUTOTOOLS] = "autotools", [BUILD_MAKE] = "make",
	};

	return names[kind];
}

static bool has_file(const char *dir, const char *name)
{
	AUTO_FREE char *path = fs_join(dir, name);
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

enum build_system build_find_system(const char *dir)
{
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (has_file(dir, marks[i].file))
			return marks[i].kind;
	return BUILD_WRITTEN;
}

/* The name behind a call's bracket, in quotes, in [] or bare; NULL if it is no plain word. */
static char *read_name(const char *at)
{
	size_t len;

	at += strspn(at, " \t\r\n[('\"");
	len = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-");
	if (len == 0 || at[len] == '$' || at[len] == '{')
		return NULL;
	return xstrndup(at, len);
}

/* The first call of a function that is no comment: `word` at the start of a line, then '('. */
static char *name_in_call(const char *text, const char *word, bool ignore_case)
{
	size_t len = strlen(word);

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *at = line + strspn(line, " \t");
		int differs = ignore_case ? strncasecmp(at, word, len) : strncmp(at, word, len);

		if (differs)
			continue;
		at += len;
		at += strspn(at, " \t");
		if (*at == '(')
			return read_name(at + 1);
	}
	return NULL;
}

/* PACKAGE_TARNAME='name' of a configure that autoconf made */
static char *name_in_configure(const char *text)
{
	const char *at = strstr(text, "\nPACKAGE_TARNAME=");

	return at ? read_name(at + strlen("\nPACKAGE_TARNAME=")) : NULL;
}

char *build_project_in(enum build_system kind, const char *text)
{
	char *name = NULL;

	switch (kind) {
	case BUILD_MESON:
		return name_in_call(text, "project", false);
	case BUILD_CMAKE:
		return name_in_call(text, "project", true);
	case BUILD_AUTOTOOLS:
		name = name_in_call(text, "AC_INIT", false);
		return name ? name : name_in_configure(text);
	case BUILD_MAKE:
	case BUILD_WRITTEN:
		break;
	}
	return NULL;
}

char *build_system_project(enum build_system kind, const char *dir)
{
	static const struct {
		enum build_system kind;
		const char *file;
	} files[] = {
		{BUILD_MESON, "meson.build"},      {BUILD_CMAKE, "CMakeLists.txt"},
		{BUILD_AUTOTOOLS, "configure.ac"}, {BUILD_AUTOTOOLS, "configure.in"},
		{BUILD_AUTOTOOLS, "configure"},
	};
	char *name = NULL;

	for (size_t i = 0; i < ARRAY_LEN(files) && !name; i++) {
		AUTO_FREE char *path = fs_join(dir, files[i].file);
		AUTO(buf) struct buf text = {0};
		struct error ignored = {0};

		if (files[i].kind == kind && fs_read_settled(path, MAX_SYSTEM_FILE, &text, &ignored) == 0)
			name = build_project_in(kind, buf_str(&text));
	}
	return name;
}
