/* What a build system installed: which of it goes into the image, and what is started. */
#include "build/gather.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "build/sources.h"
#include "elf/file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LISTED 20 /* programs in a message */

/* Folders that a running service never reads: for compilers, for readers, for a desktop, for an
 * init that a container does not have. msctl.yaml(5) lists them. */
static const char *const left_out_folders[] = {
	"include",
	"share/aclocal",
	"share/applications",
	"share/bash-completion",
	"share/cmake",
	"share/devhelp",
	"share/doc",
	"share/fish",
	"share/gir-1.0",
	"share/gtk-doc",
	"share/help",
	"share/icons",
	"share/info",
	"share/locale",
	"share/man",
	"share/metainfo",
	"share/pkgconfig",
	"share/vala",
	"share/zsh",
	"man",
	"doc",
	"lib/systemd",
	"lib/sysusers.d",
	"lib/tmpfiles.d",
	"lib/udev",
};

static const char *const left_out_prefixes[] = {"usr/local/", "usr/", ""};

/* In any folder of libraries. */
static const char *const left_out_lib_folders[] = {"/pkgconfig", "/cmake"};
static const char *const left_out_endings[] = {".a", ".la"};

static const char *const bin_folders[] = {"/usr/bin/", "/usr/sbin/",       "/usr/local/bin/",
										  "/bin/",     "/usr/local/sbin/", "/sbin/"};

static bool is_at_or_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static bool is_lib_path(const char *path)
{
	return is_at_or_below(path, "usr/lib") || is_at_or_below(path, "usr/lib64") ||
		   is_at_or_below(path, "usr/local/lib") || is_at_or_below(path, "lib");
}

bool build_is_left_out(const char *path)
{
	if (is_at_or_below(path, "etc/init.d") || is_at_or_below(path, "etc/bash_completion.d"))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(left_out_prefixes); i++) {
		size_t len = strlen(left_out_prefixes[i]);

		if (strncmp(path, left_out_prefixes[i], len) != 0)
			continue;
		for (size_t k = 0; k < ARRAY_LEN(left_out_folders); k++)
			if (is_at_or_below(path + len, left_out_folders[k]))
				return true;
	}
	if (!is_lib_path(path))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(left_out_lib_folders); i++) {
		const char *at = strstr(path, left_out_lib_folders[i]);
		size_t len = strlen(left_out_lib_folders[i]);

		if (at && (at[len] == '/' || at[len] == '\0'))
			return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(left_out_endings); i++)
		if (text_ends(path, left_out_endings[i]))
			return true;
	return false;
}

struct visit {
	struct build *b;
	size_t left_out;
	struct map sources; /* of a copied tree: what was not made there */
};

static bool is_empty(const char *dir)
{
	AUTO(strv) struct strv names = {0};
	struct error ignored = {0};

	return fs_list(dir, &names, &ignored) == 0 && names.count == 0;
}

static int take_installed(void *user, const struct fs_entry *e, struct error *err)
{
	struct visit *v = user;
	AUTO_FREE char *path = xasprintf("/%s", e->path);

	if (build_is_left_out(e->path)) {
		v->left_out++;
		log_line(v->b->request->log, 1, "left out of the image: %s", path);
		return 1;
	}
	/* the folders above files come by themselves; those above nothing that is taken need not */
	if (S_ISDIR(e->st.st_mode) && !is_empty(e->full_path))
		return 0;
	return build_take(v->b, path, e->full_path, &e->st, err);
}

/* A program that make made, where no install says which of them are meant to be used. */
static int take_made(void *user, const struct fs_entry *e, struct error *err)
{
	struct visit *v = user;
	AUTO(elf_file) struct elf_file elf = {0};
	AUTO_FREE char *path = xasprintf("/usr/bin/%s", fs_basename(e->path));
	struct error ignored = {0};

	if (!S_ISREG(e->st.st_mode) || !(e->st.st_mode & S_IXUSR) || map_has(&v->sources, e->path) ||
		!elf_is_elf(e->full_path) || elf_file_read(e->full_path, &elf, &ignored) < 0)
		return 0;
	if (elf.type != ELF_EXECUTABLE && !elf.is_pie)
		return 0;
	if (map_has(&v->b->over, path))
		return 0;
	return build_take(v->b, path, e->full_path, &e->st, err);
}

static bool has_files(const struct build *b)
{
	for (size_t i = 0; i < b->taken_count; i++)
		if (!S_ISDIR(b->taken[i].st.st_mode))
			return true;
	return false;
}

int build_take_installed(struct build *b, struct error *err)
{
	const struct build_plan *p = &b->plan;
	AUTO_FREE char *list = fs_join(p->folder, "sources");
	struct visit v = {.b = b};
	int rc;

	if (!fs_is_dir(p->installed)) {
		err_set(err, ERR_MISSING, "nothing was built for %s/%s yet", b->platform.os,
				b->platform.arch);
		return err_hint(err, "build it without --no-steps");
	}
	if (fs_walk(p->installed, take_installed, &v, err) < 0)
		return -1;
	if (v.left_out)
		log_line(b->request->log, 1, "%zu files and folders are left out of the image", v.left_out);
	if (has_files(b) || p->kind != BUILD_MAKE)
		return 0;
	sources_load(list, &v.sources);
	rc = fs_walk(p->work, take_made, &v, err);
	map_release(&v.sources);
	return rc;
}

/* "lighttpd-1.4.69" -> "lighttpd", as folders of sources are called. Caller frees. */
static char *without_version(const char *name)
{
	for (const char *at = strchr(name, '-'); at; at = strchr(at + 1, '-'))
		if (isdigit((unsigned char)at[1]) || (at[1] == 'v' && isdigit((unsigned char)at[2])))
			return xstrndup(name, (size_t)(at - name));
	return xstrdup(name);
}

static bool is_service(const struct build *b, const char *path)
{
	const struct taken *t = NULL;
	AUTO(elf_file) struct elf_file elf = {0};
	struct error ignored = {0};
	bool is_in_bin = false;

	for (size_t i = 0; i < ARRAY_LEN(bin_folders); i++) {
		size_t len = strlen(bin_folders[i]);

		is_in_bin |= strncmp(path, bin_folders[i], len) == 0 && !strchr(path + len, '/');
	}
	for (size_t i = 0; i < b->taken_count && is_in_bin; i++)
		if (strcmp(b->taken[i].path, path) == 0)
			t = &b->taken[i];
	return t && t->st.st_mode & S_IXUSR && elf_file_read(t->file, &elf, &ignored) == 0 &&
		   (elf.type == ELF_EXECUTABLE || elf.is_pie);
}

/* A project mini-httpd may well install mini_httpd. */
static bool is_same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(strchr("-_", *a) && strchr("-_", *b)))
			return false;
	return *a == *b;
}

static const char *find_named(const struct strv *programs, const char *name)
{
	for (size_t i = 0; *name && i < programs->count; i++)
		if (is_same_name(fs_basename(programs->items[i]), name))
			return programs->items[i];
	return NULL;
}

/* As build.binary says it: a path or its last part. */
static const char *find_asked(const struct strv *programs, const char *name)
{
	const char *bare = name + (name[0] == '/');

	for (size_t i = 0; *bare && i < programs->count; i++)
		if (strcmp(strchr(bare, '/') ? programs->items[i] + 1 : fs_basename(programs->items[i]),
				   bare) == 0)
			return programs->items[i];
	return NULL;
}

/* A service lies in sbin more often than its tools do. */
static const char *only_in_sbin(const struct strv *programs)
{
	const char *found = NULL;

	for (size_t i = 0; i < programs->count; i++) {
		if (!strstr(programs->items[i], "/sbin/"))
			continue;
		if (found)
			return NULL;
		found = programs->items[i];
	}
	return found;
}

static int fail_to_choose(const struct build *b, const struct strv *programs, struct error *err)
{
	const struct project *p = b->project;
	AUTO(buf) struct buf list = {0};

	for (size_t i = 0; i < programs->count && i < MAX_LISTED; i++)
		buf_addf(&list, "%s%s", i ? ", " : "", programs->items[i] + 1);
	if (programs->count > MAX_LISTED)
		buf_adds(&list, ", ...");
	err_set(err, ERR_INPUT, "which program is the service? there are %s", buf_str(&list));
	if (!p->is_written)
		return err_hint(err, "write an msctl.yaml of two lines, name: %s and build: {binary: %s}",
						p->name, programs->items[0] + 1);
	return err_hint(err, "write it into msctl.yaml, as in build: {binary: %s}",
					programs->items[0] + 1);
}

static const char *choose(const struct build *b, const struct strv *programs)
{
	AUTO_FREE char *dir = realpath(b->project->dir, NULL);
	AUTO_FREE char *folder = without_version(dir ? fs_basename(dir) : "");
	AUTO_FREE char *own = build_system_project(b->plan.kind, b->project->dir);
	const char *const names[] = {b->project->name, own ? own : "", folder};

	if (programs->count == 1)
		return programs->items[0];
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *found = find_named(programs, names[i]);

		if (found)
			return found;
	}
	return only_in_sbin(programs);
}

int build_choose_binary(const struct build *b, char **out, struct error *err)
{
	const char *asked = b->project->build.binary;
	AUTO(strv) struct strv programs = {0};
	const char *chosen;

	for (size_t i = 0; i < b->programs.count; i++)
		if (is_service(b, b->programs.items[i]))
			strv_add(&programs, b->programs.items[i]);
	if (programs.count == 0) {
		err_set(err, ERR_INPUT, "%s made no program for bin or sbin",
				build_system_name(b->plan.kind));
		return err_hint(err, "let it install one, or write name, build.steps and build.copy into "
							 "msctl.yaml");
	}
	chosen = asked ? find_asked(&programs, asked) : choose(b, &programs);
	if (!chosen && !asked)
		return fail_to_choose(b, &programs, err);
	if (!chosen) {
		fail_to_choose(b, &programs, err);
		return err_wrap(err, "%s: build.binary: there is no %s", b->project->file, asked);
	}
	*out = xstrdup(chosen);
	return 0;
}
