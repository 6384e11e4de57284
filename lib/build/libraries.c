#include "build/private.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "build/reasons.h"
#include "elf/closure.h"

#include <stdlib.h>
#include <string.h>

#define DPKG_INFO "/var/lib/dpkg/info"
#define DPKG_MAX_LIST (16u << 20)

/* "libfoo1:amd64.list" has a line that ends in "/NAME": its path, or NULL. Caller frees. */
static char *find_in_list(const char *list, const char *name)
{
	AUTO_FREE char *file = xasprintf(DPKG_INFO "/%s", list);
	AUTO_FREE char *want = xasprintf("/%s\n", name);
	AUTO(buf) struct buf text = {0};
	struct error ignored = {0};
	const char *hit;
	size_t start;

	if (!text_ends(list, ".list") || fs_read(file, DPKG_MAX_LIST, &text, &ignored) < 0)
		return NULL;
	hit = strstr(buf_str(&text), want);
	if (!hit)
		return NULL;
	for (start = (size_t)(hit - text.data); start > 0 && text.data[start - 1] != '\n';)
		start--;
	return xstrndup(text.data + start, (size_t)(hit - text.data) - start);
}

/* Where to get a library that was not found. */
static int hint_missing(const char *name, struct error *err)
{
	AUTO(strv) struct strv lists = {0};
	struct error ignored = {0};

	if (fs_list(DPKG_INFO, &lists, &ignored) < 0)
		lists.count = 0;
	for (size_t i = 0; i < lists.count; i++) {
		AUTO_FREE char *dir = find_in_list(lists.items[i], name);

		if (!dir)
			continue;
		return err_hint(err,
						"package %.*s has it in %s, where the loader does not look: link with "
						"-Wl,-rpath,%s",
						(int)strcspn(lists.items[i], ":."), lists.items[i], dir, dir);
	}
	return err_hint(err, "install the package that has %s, or add it to build.copy", name);
}

/* The links that led to it, as far as the tree has nothing there yet. */
static int add_links(struct build *b, const struct strv *links, struct error *err)
{
	for (size_t i = 0; i + 1 < links->count; i += 2)
		if (!tree_find(&b->tree, links->items[i]) &&
			tree_add_link(&b->tree, TREE_LIBRARIES, links->items[i], links->items[i + 1], err) < 0)
			return -1;
	return 0;
}

/* Where the loader of a base with glibc looks: the folder of its own C library, NULL if it has
 * none. Caller frees. Distributions differ in it, and their loaders do not look into each
 * other's. */
static char *base_dir(const struct build *b, const struct elf_view *view, const struct elf_file *f)
{
	AUTO(strv) struct strv dirs = {0};

	if (!b->base.bytes)
		return NULL;
	elf_default_dirs(view, f, &dirs);
	strv_add(&dirs, "/lib64");
	strv_add(&dirs, "/usr/lib64");
	for (size_t i = 0; i < dirs.count; i++) {
		AUTO_FREE char *libc = fs_join(dirs.items[i], "libc.so.6");

		if (tree_find(&b->tree, libc))
			return xstrdup(dirs.items[i]);
	}
	return NULL;
}

/* Let path lead to what is at target, unless it leads somewhere already. */
static int ensure_link(struct build *b, const char *path, const char *target, struct error *err)
{
	if (tree_find(&b->tree, path))
		return 0;
	return tree_add_link(&b->tree, TREE_LIBRARIES, path, target, err);
}

static int add_object(struct build *b, const struct elf_view *view, const struct elf_object *o,
					  struct error *err)
{
	AUTO_FREE char *dir = base_dir(b, view, &o->elf);
	AUTO_FREE char *own = NULL;
	struct stat st;

	if (o->how == ELF_FOUND_GIVEN || map_has(&b->over, o->place.path))
		return 0;
	if (dir && (o->how == ELF_FOUND_CACHE || o->how == ELF_FOUND_DEFAULT))
		own = fs_join(dir, o->name);
	/* the base brings its own */
	if (b->base.bytes && (tree_find(&b->tree, o->opened) || (own && tree_find(&b->tree, own))))
		return 0;
	log_line(b->request->log, 1, "library %s: %s of %s", o->opened, elf_found_by_name(o->how),
			 o->needed_by);
	if (stat(o->place.file, &st) < 0)
		return err_errno(err, "cannot stat %s", o->place.file);
	if (add_links(b, &o->place.links, err) < 0 ||
		tree_add_file(&b->tree, TREE_LIBRARIES, o->place.path, o->place.file, &st, err) < 0)
		return -1;
	build_note_library(b, o);
	/* a base in which /lib is a folder of its own */
	if (ensure_link(b, o->opened, o->place.path, err) < 0)
		return -1;
	return own ? ensure_link(b, own, o->place.path, err) : 0;
}

/* The image has no loader cache: what only the cache knew is linked from where every loader
 * looks. */
static int link_found_by_cache(struct build *b, const struct elf_view *view,
							   const struct elf_object *o, struct error *err)
{
	AUTO(strv) struct strv dirs = {0};
	AUTO_FREE char *dir = fs_dirname(o->opened);
	AUTO_FREE char *path = NULL;

	if (o->how != ELF_FOUND_CACHE)
		return 0;
	elf_default_dirs(view, &o->elf, &dirs);
	path = fs_join(dirs.items[1], o->name);
	return strv_has(&dirs, dir) ? 0 : ensure_link(b, path, o->opened, err);
}

int build_libraries(struct build *b, struct error *err)
{
	struct elf_view view = {.root = "", .over = &b->over};
	AUTO(elf_closure) struct elf_closure c = {0};
	char missing[ELF_NAME_MAX] = "";

	if (!b->project->build.libraries)
		return 0;
	if (elf_closure_find(&view, &b->programs, missing, &c, err) < 0)
		return missing[0] ? hint_missing(missing, err) : -1;
	for (size_t i = 0; i < c.count; i++)
		if (add_object(b, &view, &c.items[i], err) < 0)
			return -1;
	for (size_t i = 0; i < c.count; i++)
		if (link_found_by_cache(b, &view, &c.items[i], err) < 0)
			return -1;
	return 0;
}
