#include "build/private.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "build/missing.h"
#include "build/reasons.h"

#include <stdlib.h>
#include <string.h>

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
static char *base_dir(const struct build *b, const struct elf_file *f)
{
	AUTO(strv) struct strv dirs = {0};

	if (!b->base.bytes)
		return NULL;
	elf_default_dirs(&b->view, f, &dirs);
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

/* What a loader of the base finds by itself for an object: NULL where only our path leads to it.
 * Caller frees. */
static char *base_path(const struct build *b, const struct elf_object *o)
{
	AUTO_FREE char *dir = NULL;

	if (o->how != ELF_FOUND_CACHE && o->how != ELF_FOUND_DEFAULT)
		return NULL;
	dir = base_dir(b, &o->elf);
	return dir ? fs_join(dir, o->name) : NULL;
}

char *build_library_path(const struct build *b, const struct elf_object *o)
{
	AUTO_FREE char *own = base_path(b, o);

	if (o->how == ELF_FOUND_GIVEN || map_has(&b->over, o->place.path))
		return NULL;
	return own && !tree_find(&b->tree, o->opened) ? TAKE(own) : xstrdup(o->opened);
}

static int add_object(struct build *b, const struct elf_object *o, struct error *err)
{
	AUTO_FREE char *own = base_path(b, o);
	struct stat st;

	if (o->how == ELF_FOUND_GIVEN || o->how == ELF_FOUND_IMAGE || map_has(&b->over, o->place.path))
		return 0;
	/* the base brings its own */
	if (b->base.bytes && (tree_find(&b->tree, o->opened) || (own && tree_find(&b->tree, own))))
		return 0;
	log_line(b->request->log, 1, "library %s: %s, %s of %s", o->opened, elf_asked_by_name(o->asked),
			 elf_found_by_name(o->how), o->needed_by);
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
static int link_found_by_cache(struct build *b, const struct elf_object *o, struct error *err)
{
	AUTO(strv) struct strv dirs = {0};
	AUTO_FREE char *dir = fs_dirname(o->opened);
	AUTO_FREE char *path = NULL;

	if (o->how != ELF_FOUND_CACHE)
		return 0;
	elf_default_dirs(&b->view, &o->elf, &dirs);
	path = fs_join(dirs.items[1], o->name);
	return strv_has(&dirs, dir) ? 0 : ensure_link(b, path, o->opened, err);
}

static void note_absent(const struct build *b, const struct elf_absent *a)
{
	const char *open = a->feature ? " (" : "", *feature = a->feature ? a->feature : "",
			   *close = a->feature ? ")" : "";

	if (a->priority == ELF_SUGGESTED)
		build_note(b, "%s can use %s%s%s%s: not in the image unless build.copy brings it", a->by,
				   a->name, open, feature, close);
	else
		build_note(b, "%s uses %s%s%s%s, which is not here: the image is without it", a->by,
				   a->name, open, feature, close);
}

/* The first that calls one of these functions; NULL: nobody. What libstdc++ has for encodings no
 * program uses that does not name iconv itself. */
static const struct elf_object *first_user(const struct elf_closure *c, unsigned uses,
										   bool only_given)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct elf_object *o = &c->items[i];

		if ((o->elf.uses & uses) && (!only_given || o->how == ELF_FOUND_GIVEN) &&
			!elf_answers_to(o, "libstdc++.so.6"))
			return o;
	}
	return NULL;
}

/* Does build.copy bring anything below this folder? */
static bool has_below(const struct build *b, const char *folder)
{
	size_t len = strlen(folder);

	for (size_t i = 0; i < b->taken_count; i++)
		if (text_starts(b->taken[i].path, folder) && b->taken[i].path[len] == '/')
			return true;
	return false;
}

/* The folder of the C library. Caller frees. */
static char *libc_dir(const struct elf_closure *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (elf_answers_to(&c->items[i], "libc.so.6"))
			return fs_dirname(c->items[i].place.path);
	return NULL;
}

/* What no header of a file tells. A base brings its own; an image from nothing has none of it. */
static void note_run_time_files(const struct build *b, const char *libc)
{
	static const struct {
		unsigned uses;
		bool only_given;
		const char *does, *has, *folder; /* relative: to that of the C library */
	} notes[] = {
		{ELF_USES_HOSTS | ELF_USES_USERS, false, "looks up users or hosts",
		 "files of /etc and DNS answer, no libnss_* is in the image", NULL},
		{ELF_USES_ICONV, false, "converts text with iconv", "UTF-8, UCS and ASCII are known",
		 "gconv"},
		{ELF_USES_LOCALE, true, "sets a locale", "C and C.UTF-8 are known", "/usr/lib/locale"},
		{ELF_USES_DLOPEN, true, "opens libraries by name (dlopen)",
		 "only those are in the image that its .note.dlopen names, or build.copy", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(notes); i++) {
		const struct elf_object *given = first_user(&b->closure, notes[i].uses, true);
		const struct elf_object *o =
			given || notes[i].only_given ? given : first_user(&b->closure, notes[i].uses, false);
		AUTO_FREE char *folder = notes[i].folder ? fs_join(libc, notes[i].folder) : NULL;

		if (!o || (folder && has_below(b, folder)))
			continue;
		/* what a library might do for others is no news to who built a program with it */
		if (o->how != ELF_FOUND_GIVEN)
			log_line(b->request->log, 1, "%s %s: %s", o->opened, notes[i].does, notes[i].has);
		else if (folder)
			build_note(b,
					   "%s %s: %s; for more let build.steps copy %s into the project and "
					   "build.copy put it there",
					   o->opened, notes[i].does, notes[i].has, folder);
		else
			build_note(b, "%s %s: %s", o->opened, notes[i].does, notes[i].has);
	}
}

static void note_all(const struct build *b)
{
	AUTO_FREE char *libc = libc_dir(&b->closure);

	for (size_t i = 0; i < b->closure.absent_count; i++)
		note_absent(b, &b->closure.absent[i]);
	for (size_t i = 0; i < b->closure.count; i++)
		if (b->closure.items[i].elf.has_bad_note)
			build_note(b, "%s has a .note.dlopen that does not parse: what it names is left out",
					   b->closure.items[i].opened);
	if (!b->base.bytes && libc)
		note_run_time_files(b, libc);
}

/* What was asked for, what the toolchain's image has, this machine. */
static void choose_sysroot(struct build *b)
{
	const char *asked = b->request->sysroot ? b->request->sysroot : b->project->build.sysroot;
	size_t len;

	if (!asked) {
		if (!b->sysroot)
			b->sysroot = xstrdup("");
		return;
	}
	free(b->sysroot);
	b->sysroot = xstrdup(asked);
	for (len = strlen(asked); len > 0 && asked[len - 1] == '/'; len--)
		b->sysroot[len - 1] = '\0';
}

/* Where Debian's cross compilers have the libraries of their machine; NULL: not here. Multiarch
 * packages come first. Caller frees. */
static char *cross_root(const struct build *b)
{
	const char *triplet = elf_arch_triplet(b->platform.arch);
	AUTO_FREE char *dir = NULL;

	if (!b->is_cross || !triplet)
		return NULL;
	dir = xasprintf("%s/usr/%s", b->sysroot, triplet);
	return fs_is_dir(dir) ? TAKE(dir) : NULL;
}

/* Where a base has what this machine lacks, as far as every loader looks there. */
static char *find_in_base(void *user, const char *name)
{
	const struct build *b = user;
	const char *triplet = elf_arch_triplet(b->platform.arch);
	static const char *const dirs[] = {"/lib64", "/usr/lib64", "/lib", "/usr/lib",
									   "/usr/local/lib"};
	AUTO(strv) struct strv paths = {0};

	if (name[0] == '/')
		strv_add(&paths, name);
	if (strchr(name, '/') == NULL && triplet) {
		strv_addf(&paths, "/lib/%s/%s", triplet, name);
		strv_addf(&paths, "/usr/lib/%s/%s", triplet, name);
	}
	for (size_t i = 0; strchr(name, '/') == NULL && i < ARRAY_LEN(dirs); i++)
		strv_addf(&paths, "%s/%s", dirs[i], name);
	for (size_t i = 0; i < paths.count; i++) {
		const struct tree_node *n = tree_find(&b->tree, paths.items[i]);

		if (n && n->layer == TREE_BASE && n->type == TREE_FILE)
			return xstrdup(paths.items[i]);
	}
	return NULL;
}

static int find_closure(struct build *b, struct error *err)
{
	struct elf_closure_request request = {
		.view = &b->view, .programs = &b->programs, .elsewhere = find_in_base, .user = b};
	char missing[ELF_NAME_MAX] = "";

	b->cross_root = cross_root(b);
	b->view = (struct elf_view){b->sysroot, b->cross_root, &b->over};
	if (elf_closure_find(&request, missing, &b->closure, err) == 0)
		return 0;
	return missing[0] ? build_hint_missing(b, missing, err) : -1;
}

int build_libraries(struct build *b, struct error *err)
{
	const struct elf_closure *c = &b->closure;

	choose_sysroot(b);
	if (!b->project->build.libraries)
		return 0;
	if (find_closure(b, err) < 0)
		return -1;
	for (size_t i = 0; i < c->count; i++)
		if (add_object(b, &c->items[i], err) < 0)
			return -1;
	for (size_t i = 0; i < c->count; i++)
		if (link_found_by_cache(b, &c->items[i], err) < 0)
			return -1;
	note_all(b);
	return 0;
}
