#include "build/collect.h"

#include "base/fs.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/text.h"
#include "build/keep.h"
#include "oci/graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEMP ".tmp."
#define TEMP_MAX_S 3600 /* then whoever wrote it is dead */
#define TREES "toolchains"
#define GONE ".gone"
#define NAMED 3 /* of the largest images, in the hint */

/* Something that is removed as a whole. */
struct unit {
	char *path;
	struct timespec used;
	struct build_weight weight;
	bool is_tree; /* a folder with PATH.lock beside it, which its users hold */
};

struct units {
	LIST(struct unit) all;
	struct build_weight weight;
};

static void units_release(struct units *u)
{
	for (size_t i = 0; i < u->all.count; i++)
		free(u->all.items[i].path);
	list_release(&u->all);
}

static void add(struct build_weight *to, const struct build_weight *w)
{
	to->bytes += w->bytes;
	to->files += w->files;
}

static void take(struct build_weight *from, const struct build_weight *w)
{
	from->bytes -= w->bytes < from->bytes ? w->bytes : from->bytes;
	from->files -= w->files < from->files ? w->files : from->files;
}

static bool exceeds(const struct build_weight *a, const struct build_weight *b,
					const struct build_collect *what)
{
	return a->bytes + b->bytes > what->max_bytes || a->files + b->files > what->max_files;
}

/* --- what there is --- */

static int weigh_entry(void *user, const struct fs_entry *e, struct error *err)
{
	struct build_weight *w = user;

	(void)err;
	w->files++;
	if (S_ISREG(e->st.st_mode))
		w->bytes += (uint64_t)e->st.st_size;
	return 0;
}

/* Half-written files of others are left alone while they are young; old ones go before all. */
static int find_file(void *user, const struct fs_entry *e, struct error *err)
{
	struct units *u = user;
	struct unit unit = {.used = e->st.st_mtim,
						.weight = {.bytes = (uint64_t)e->st.st_size, .files = 1}};

	(void)err;
	if (S_ISDIR(e->st.st_mode))
		return 0;
	add(&u->weight, &unit.weight);
	if (text_starts(fs_basename(e->path), TEMP)) {
		if (e->st.st_mtim.tv_sec > time(NULL) - TEMP_MAX_S)
			return 0;
		unit.used = (struct timespec){0};
	}
	unit.path = xstrdup(e->full_path);
	list_push(&u->all, unit);
	return 0;
}

static int find_files(const char *cache, struct units *u, struct error *err)
{
	static const char *const folders[] = {"layers", "members", "bases", "groups", "projects"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		AUTO_FREE char *dir = fs_join(cache, folders[i]);

		/* a file that is gone meanwhile ends the walk of its folder: so be it */
		if (fs_is_dir(dir) && fs_walk(dir, find_file, u, err) < 0 && err->code != ERR_MISSING)
			return -1;
	}
	return 0;
}

static int find_trees(const char *cache, struct units *u, struct error *err)
{
	AUTO_FREE char *dir = fs_join(cache, TREES);
	AUTO(strv) struct strv names = {0};
	struct error ignored = {0};

	if (!fs_is_dir(dir))
		return 0;
	if (fs_list(dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		struct unit unit = {.path = fs_join(dir, names.items[i]), .is_tree = true};
		AUTO_FREE char *lock = xasprintf("%s.lock", unit.path);
		struct stat st;

		if (text_ends(unit.path, ".lock") || !fs_is_dir(unit.path)) {
			free(unit.path);
			continue;
		}
		if (stat(lock, &st) == 0)
			unit.used = st.st_mtim;
		fs_walk(unit.path, weigh_entry, &unit.weight, &ignored);
		add(&u->weight, &unit.weight);
		list_push(&u->all, unit);
	}
	return 0;
}

static int by_use(const void *a, const void *b)
{
	const struct unit *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	if (x->used.tv_nsec != y->used.tv_nsec)
		return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* --- away with it --- */

/* A tree that is half removed must not be taken for a whole one: it goes under another name. */
static int remove_tree(const struct unit *u, bool *is_gone, struct error *err)
{
	AUTO_FREE char *path = xasprintf("%s.lock", u->path);
	AUTO_FREE char *gone = xasprintf("%s" GONE, u->path);
	AUTO_CLOSE int lock = -1;
	struct error busy = {0};

	*is_gone = false;
	if (text_ends(u->path, GONE)) {
		*is_gone = true;
		return fs_remove_tree(u->path, err);
	}
	if (fs_lock(path, true, false, &lock, &busy) < 0)
		return 0;
	if (fs_remove_tree(gone, err) < 0)
		return -1;
	if (rename(u->path, gone) < 0 && errno != ENOENT)
		return err_errno(err, "cannot rename %s", u->path);
	*is_gone = true;
	return fs_remove_tree(gone, err);
}

/* Two would hold it, were it removed while one does. */
static bool remove_lock(const char *path)
{
	AUTO_CLOSE int lock = -1;
	struct error busy = {0};

	if (fs_lock(path, true, false, &lock, &busy) < 0)
		return false;
	unlink(path);
	return true;
}

static int remove_unit(const struct unit *u, bool *is_gone, struct error *err)
{
	if (u->is_tree)
		return remove_tree(u, is_gone, err);
	*is_gone = !text_ends(u->path, ".lock") || remove_lock(u->path);
	if (!*is_gone)
		return 0;
	if (unlink(u->path) < 0 && errno != ENOENT)
		return err_errno(err, "cannot remove %s", u->path);
	/* the last record of a project: its folder is a file, too */
	if (strstr(u->path, "/projects/")) {
		AUTO_FREE char *dir = fs_dirname(u->path);

		rmdir(dir);
	}
	return 0;
}

static int trim_cache(const struct build_collect *what, struct build_collected *out,
					  struct error *err)
{
	AUTO(units) struct units u = {0};

	if (find_files(what->cache, &u, err) < 0 || find_trees(what->cache, &u, err) < 0)
		return -1;
	out->cache = u.weight;
	if (u.all.count > 0)
		qsort(u.all.items, u.all.count, sizeof(u.all.items[0]), by_use);
	for (size_t i = 0; i < u.all.count; i++) {
		const struct unit *unit = &u.all.items[i];
		bool is_gone;

		if (!what->all_cache && unit->used.tv_sec != 0 && !exceeds(&out->store, &out->cache, what))
			break;
		if (remove_unit(unit, &is_gone, err) < 0)
			return -1;
		if (!is_gone)
			continue;
		take(&out->cache, &unit->weight);
		add(&out->freed, &unit->weight);
	}
	return 0;
}

/* These are small, and of use to every build. */
static void remove_indexes(const char *cache)
{
	static const char *const names[] = {"stat.idx", "dpkg", "collected"};
	AUTO_FREE char *lock = fs_join(cache, "stat.idx.lock");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		AUTO_FREE char *file = fs_join(cache, names[i]);

		unlink(file);
	}
	if (fs_exists(lock))
		remove_lock(lock);
}

/* --- named images that are too much --- */

struct heavy {
	const char *ref;
	uint64_t bytes;
};

static int by_weight(const void *a, const void *b)
{
	const struct heavy *x = a, *y = b;

	return x->bytes == y->bytes ? strcmp(x->ref, y->ref) : x->bytes < y->bytes ? 1 : -1;
}

static uint64_t weigh_image(struct oci_store *store, const struct oci_image *image)
{
	AUTO(oci_graph) struct oci_graph g = {0};
	struct error ignored = {0};
	uint64_t bytes = 0;

	oci_graph_add(&g, store, &image->descriptor, &ignored);
	for (size_t i = 0; i < g.blobs.count; i++)
		bytes += g.blobs.items[i].size;
	return bytes;
}

/* "shop:1 (1.2 GB), base:12 (120 MB)" */
static void name_largest(struct oci_store *store, struct buf *out)
{
	AUTO(oci_images) struct oci_images images = {0};
	AUTO_FREE struct heavy *all = NULL;
	struct error ignored = {0};
	char size[16];

	if (oci_store_list(store, &images, &ignored) < 0 || images.count == 0)
		return;
	all = xcalloc(images.count, sizeof(all[0]));
	for (size_t i = 0; i < images.count; i++)
		all[i] = (struct heavy){images.items[i].ref, weigh_image(store, &images.items[i])};
	qsort(all, images.count, sizeof(all[0]), by_weight);
	for (size_t i = 0; i < images.count && i < NAMED; i++)
		buf_addf(out, "%s%s (%s)", i ? ", " : "", all[i].ref, text_size(all[i].bytes, size));
}

static int too_much(struct oci_store *store, const struct build_collected *c, struct error *err)
{
	AUTO(buf) struct buf names = {0};
	char size[16];

	err_set(err, ERR_DENIED, "the named images of %s have %s in %llu files, more than the caps",
			oci_store_path(store), text_size(c->store.bytes, size),
			(unsigned long long)c->store.files);
	name_largest(store, &names);
	return err_hint(err, "remove some with 'msctl image rm'; the largest: %s", buf_str(&names));
}

int build_collect(struct oci_store *store, const struct build_collect *what,
				  struct build_collected *out, struct error *err)
{
	struct build_collected c = {0};
	struct build_weight before = {0};

	*out = c;
	if (oci_store_weigh(store, &before.bytes, &before.files, err) < 0 ||
		oci_store_gc(store, NULL, err) < 0 ||
		oci_store_weigh(store, &c.store.bytes, &c.store.files, err) < 0)
		return -1;
	c.freed = before;
	take(&c.freed, &c.store);
	if (what->cache && trim_cache(what, &c, err) < 0)
		return -1;
	if (what->cache && what->all_cache)
		remove_indexes(what->cache);
	*out = c;
	return exceeds(&c.store, &(struct build_weight){0}, what) ? too_much(store, &c, err) : 0;
}

void build_keep_caps(struct oci_store *store, const char *cache)
{
	AUTO_FREE char *stamp = cache ? fs_join(cache, "collected") : NULL;
	struct build_collect what = {
		.cache = cache, .max_bytes = COLLECT_MAX_BYTES, .max_files = COLLECT_MAX_FILES};
	struct build_collected c = {0};
	struct error ignored = {0};
	struct stat st;

	if (!cache || (stat(stamp, &st) == 0 && st.st_mtim.tv_sec + COLLECT_BUILD_S > time(NULL)))
		return;
	keep_file(stamp, "", 0, &ignored);
	if (oci_store_weigh(store, &c.store.bytes, &c.store.files, &ignored) < 0 || !fs_is_dir(cache))
		return;
	/* as if the store were clean: its garbage is for whoever has it alone */
	trim_cache(&what, &c, &ignored);
}
