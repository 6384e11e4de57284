#include "elf/search.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

void elf_tables_release(struct elf_tables *t)
{
	elf_cache_release(&t->cache);
	strv_release(&t->conf_dirs);
	*t = (struct elf_tables){0};
}

int elf_tables_read(const struct elf_view *view, struct elf_tables *out, struct error *err)
{
	AUTO(elf_tables) struct elf_tables t = {0};
	AUTO(elf_place) struct elf_place place = {0};
	int found = elf_view_find_in(view, 0, "/etc/ld.so.cache", &place, err);

	if (found < 0)
		return -1;
	t.has_cache = found == 1;
	if (found == 1 ? elf_cache_read(place.file, &t.cache, err) < 0
				   : elf_conf_read(view->root, &t.conf_dirs, err) < 0)
		return -1;
	*out = MOVE(t);
	return 0;
}

/* "lib/x86_64-linux-gnu" on Debian and its kin, "lib64" or "lib" elsewhere. Caller frees. */
static char *lib_dir(const struct elf_view *view, const struct elf_file *f)
{
	const char *triplet = elf_triplet(f);

	if (triplet) {
		AUTO_FREE char *full = xasprintf("%s/usr/lib/%s", view->root, triplet);
		AUTO_FREE char *old = xasprintf("%s/lib/%s", view->root, triplet);

		/* Debian's cross libraries are built to look there, too */
		if (view->fallback || fs_is_dir(full) || fs_is_dir(old))
			return xasprintf("lib/%s", triplet);
	}
	return xstrdup(f->is_64 ? "lib64" : "lib");
}

void elf_default_dirs(const struct elf_view *view, const struct elf_file *f, struct strv *out)
{
	AUTO_FREE char *dir = lib_dir(view, f);

	strv_addf(out, "/%s", dir);
	strv_addf(out, "/usr/%s", dir);
	if (strcmp(dir, "lib") != 0) {
		strv_add(out, "/lib");
		strv_add(out, "/usr/lib");
	}
}

/* musl reads one file of folders, by line or colon, named after its machine (musl,
 * ldso/dynlink.c). */
static int musl_dirs(struct elf_search *s, const char *loader, struct error *err)
{
	AUTO_FREE char *stem = xstrndup(loader, strcspn(loader, "."));
	AUTO_FREE char *path = xasprintf("%s/etc/%s.path", s->view->root, stem);
	AUTO(buf) struct buf text = {0};

	if (!fs_exists(path)) {
		strv_add(&s->default_dirs, "/lib");
		strv_add(&s->default_dirs, "/usr/local/lib");
		strv_add(&s->default_dirs, "/usr/lib");
		return 0;
	}
	if (fs_read(path, ELF_CONF_MAX_BYTES, &text, err) < 0)
		return -1;
	for (const char *p = buf_str(&text); *(p += strspn(p, ":\n")); p += strcspn(p, ":\n"))
		strv_take(&s->default_dirs, xstrndup(p, strcspn(p, ":\n")));
	return 0;
}

int elf_search_start(struct elf_search *s, const struct elf_object *program, struct error *err)
{
	const char *loader = program->elf.interpreter ? program->elf.interpreter : "";

	s->program = program;
	s->is_musl = text_starts(fs_basename(loader), "ld-musl-");
	if (s->is_musl)
		return musl_dirs(s, fs_basename(loader), err);
	elf_default_dirs(s->view, &program->elf, &s->default_dirs);
	return 0;
}

void elf_search_end(struct elf_search *s)
{
	strv_release(&s->default_dirs);
	free(s->foreign);
	s->foreign = NULL;
}

bool elf_search_is_builtin(const struct elf_search *s, const char *name)
{
	static const char *const names[] = {"libc.",  "libpthread.", "librt.",  "libm.",
										"libdl.", "libutil.",    "libxnet."};

	for (size_t i = 0; s->is_musl && i < ARRAY_LEN(names); i++)
		if (text_starts(name, names[i]))
			return true;
	return false;
}

static void pass_over(struct elf_search *s, struct elf_place *place, const struct elf_file *elf)
{
	if (s->foreign)
		return;
	s->foreign = TAKE(place->file);
	s->foreign_arch = elf_arch(elf);
}

static int open_in(struct elf_search *s, unsigned nth, const char *path, struct elf_object *out,
				   struct error *err)
{
	AUTO(elf_place) struct elf_place place = {0};
	AUTO(elf_file) struct elf_file elf = {0};
	int found = elf_view_find_in(s->view, nth, path, &place, err);

	if (found <= 0)
		return found;
	if (elf_file_read(place.file, &elf, err) < 0)
		return -1;
	if (!elf_is_compatible(&s->program->elf, &elf)) {
		pass_over(s, &place, &elf);
		return 0;
	}
	if (elf.type != ELF_SHARED)
		return 0;
	out->place = MOVE(place);
	out->elf = MOVE(elf);
	return 1;
}

int elf_search_open(struct elf_search *s, const char *path, enum elf_found_by how,
					struct elf_object *out, struct error *err)
{
	int rc = 0;

	for (unsigned nth = 0; rc == 0 && nth < ELF_VIEW_ROOTS; nth++)
		rc = open_in(s, nth, path, out, err);
	if (rc == 1) {
		out->opened = elf_clean_path(path);
		out->how = how;
	}
	return rc;
}

/* Length of the token that text, which starts with '$', begins with: "$LIB" or "${LIB}"; 0 if it
 * is another one. */
static size_t match_token(const char *text, const char *name)
{
	size_t len = strlen(name);
	bool braced = text[1] == '{';
	const char *start = text + 1 + braced;

	if (strncmp(start, name, len) != 0)
		return 0;
	if (braced)
		return start[len] == '}' ? len + 3 : 0;
	return len + 1;
}

/* Replace $ORIGIN, $LIB and $PLATFORM (ld.so(8), "Dynamic string tokens"). */
static void expand(const struct elf_search *s, const struct elf_object *by, struct span text,
				   struct buf *out)
{
	const char *platform = elf_platform(&s->program->elf);
	AUTO_FREE char *copy = xstrndup(text.data, text.len);
	const char *p = copy;
	size_t len;

	while (*p) {
		if (*p != '$') {
			buf_addc(out, *p++);
		} else if ((len = match_token(p, "ORIGIN"))) {
			/* of a program the kernel tells the path without links */
			AUTO_FREE char *dir =
				fs_dirname(by->how == ELF_FOUND_GIVEN ? by->place.path : by->opened);

			buf_adds(out, dir);
			p += len;
		} else if ((len = match_token(p, "LIB"))) {
			AUTO_FREE char *dir = lib_dir(s->view, &s->program->elf);

			buf_adds(out, dir);
			p += len;
		} else if (platform && (len = match_token(p, "PLATFORM"))) {
			buf_adds(out, platform);
			p += len;
		} else {
			buf_addc(out, *p++);
		}
	}
}

/* Try each folder of a run path. One that is relative depends on the folder a program is started
 * in: passed over. */
static int try_run_path(struct elf_search *s, const struct elf_object *by, const char *list,
						const char *name, struct elf_object *out, struct error *err)
{
	enum elf_found_by how = list == by->elf.rpath ? ELF_FOUND_RPATH : ELF_FOUND_RUNPATH;

	for (const char *p = list; *p; p += strspn(p, ":")) {
		AUTO(buf) struct buf path = {0};
		int rc;

		expand(s, by, (struct span){p, strcspn(p, ":")}, &path);
		p += strcspn(p, ":");
		if (buf_str(&path)[0] != '/')
			continue;
		buf_addf(&path, "/%s", name);
		rc = elf_search_open(s, buf_str(&path), how, out, err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int try_dirs(struct elf_search *s, const struct strv *dirs, const char *name,
					enum elf_found_by how, struct elf_object *out, struct error *err)
{
	for (size_t i = 0; i < dirs->count; i++) {
		AUTO_FREE char *path = fs_join(dirs->items[i], name);
		int rc = elf_search_open(s, path, how, out, err);

		if (rc != 0)
			return rc;
	}
	return 0;
}

static bool is_in_dirs(const char *path, const struct strv *dirs)
{
	AUTO_FREE char *dir = fs_dirname(path);

	return strv_has(dirs, dir);
}

static int try_cache(struct elf_search *s, const struct elf_object *by, const char *name,
					 struct elf_object *out, struct error *err)
{
	const struct elf_cache *cache = &s->tables->cache;

	for (size_t i = 0; i < cache->count; i++) {
		struct elf_cache_entry e;
		int rc;

		elf_cache_entry(cache, i, &e);
		if (e.hwcap != 0 || strcmp(e.soname, name) != 0)
			continue;
		if (by->elf.no_default_lib && is_in_dirs(e.path, &s->default_dirs))
			continue;
		rc = elf_search_open(s, e.path, ELF_FOUND_CACHE, out, err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int try_named_path(struct elf_search *s, const struct elf_object *by, const char *name,
						  struct elf_object *out, struct error *err)
{
	AUTO(buf) struct buf path = {0};

	expand(s, by, span_of(name), &path);
	if (buf_str(&path)[0] != '/')
		return 0;
	return elf_search_open(s, buf_str(&path), ELF_FOUND_PATH, out, err);
}

/* Run paths that are there before the system's own folders. musl inherits both kinds. */
static int try_run_paths(struct elf_search *s, const struct elf_object *const *chain,
						 const char *name, struct elf_object *out, struct error *err)
{
	const char *own = chain[0]->elf.runpath;
	int rc = 0;

	if (own && !s->is_musl)
		return try_run_path(s, chain[0], own, name, out, err);
	for (size_t i = 0; rc == 0 && chain[i]; i++) {
		const char *list = chain[i]->elf.rpath;

		if (!list && s->is_musl)
			list = chain[i]->elf.runpath;
		if (list)
			rc = try_run_path(s, chain[i], list, name, out, err);
	}
	return rc;
}

int elf_search_find(struct elf_search *s, const struct elf_object *const *chain, const char *name,
					struct elf_object *out, struct error *err)
{
	int rc;

	free(s->foreign);
	s->foreign = NULL;
	if (strchr(name, '/'))
		return try_named_path(s, chain[0], name, out, err);
	rc = try_run_paths(s, chain, name, out, err);
	if (rc == 0 && !s->is_musl)
		rc = try_cache(s, chain[0], name, out, err);
	if (rc == 0 && !s->is_musl)
		rc = try_dirs(s, &s->tables->conf_dirs, name, ELF_FOUND_CACHE, out, err);
	if (rc == 0 && !chain[0]->elf.no_default_lib)
		rc = try_dirs(s, &s->default_dirs, name, ELF_FOUND_DEFAULT, out, err);
	return rc;
}
