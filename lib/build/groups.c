/* Libraries change when their packages do, so those of one large source package make a layer of
 * their own: it stays in registries and on nodes while others move, and other images share it.
 * glibc lies at the bottom, the largest follow, what remains comes last. */
#include "build/private.h"

#include "base/list.h"
#include "base/mem.h"
#include "build/keep.h"
#include "build/origin.h"
#include "crypto/sha256.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_MIN_BYTES (512u << 10) /* less goes to the rest, but for glibc */
#define BOTTOM "glibc"

struct library {
	const char *path; /* in the image */
	struct tree_node *node;
	char *source; /* package; "" none */
};

struct group {
	const char *source;
	uint64_t bytes;
};

struct work {
	LIST(struct library) libraries; /* by path */
	LIST(struct group) groups;      /* from the bottom */
};

static void work_release(struct work *w)
{
	for (size_t i = 0; i < w->libraries.count; i++)
		free(w->libraries.items[i].source);
	list_release(&w->libraries);
	list_release(&w->groups);
}

static int by_path(const void *a, const void *b)
{
	const struct library *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static void collect(const struct build *b, struct work *w)
{
	for (size_t i = 0; i < b->tree.nodes.count; i++) {
		struct library l = {b->tree.nodes.entries[i].key, b->tree.nodes.entries[i].value, NULL};

		if (l.node && l.node->layer == TREE_LIBRARIES && l.node->type == TREE_FILE && l.node->file)
			list_push(&w->libraries, l);
	}
	if (w->libraries.count > 0)
		qsort(w->libraries.items, w->libraries.count, sizeof(w->libraries.items[0]), by_path);
}

/* Where the answer is remembered, by the packages' state and the files' names; NULL: nowhere. */
static char *memory_file(const struct build *b, const struct work *w, const struct origins *o)
{
	AUTO_PTR(sha256) struct sha256 *h = sha256_new();
	AUTO_FREE char *stamp = origins_stamp(o);
	uint8_t sum[SHA256_BYTES];
	char hex[SHA256_HEX_LEN + 1];

	if (!b->request->cache)
		return NULL;
	sha256_add(h, stamp, strlen(stamp) + 1);
	for (size_t i = 0; i < w->libraries.count; i++)
		sha256_add(h, w->libraries.items[i].node->file,
				   strlen(w->libraries.items[i].node->file) + 1);
	sha256_end(h, sum);
	return xasprintf("%s/groups/%s", b->request->cache, sha256_hex(sum, hex));
}

/* A line a library. */
static bool recall(struct work *w, const char *file)
{
	AUTO(buf) struct buf text = {0};
	AUTO(strv) struct strv lines = {0};
	char *rest = NULL;

	if (!file || !keep_load(file, &text) || text.len == 0)
		return false;
	for (char *line = strtok_r(text.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		strv_add(&lines, strcmp(line, "-") == 0 ? "" : line);
	if (lines.count != w->libraries.count)
		return false;
	for (size_t i = 0; i < lines.count; i++)
		w->libraries.items[i].source = xstrdup(lines.items[i]);
	return true;
}

/* A memory that cannot be written makes builds slower and nothing else. */
static void remember(const struct work *w, const char *file)
{
	AUTO(buf) struct buf text = {0};
	struct error ignored = {0};

	if (!file)
		return;
	for (size_t i = 0; i < w->libraries.count; i++) {
		const char *source = w->libraries.items[i].source;

		buf_addf(&text, "%s\n", *source ? source : "-");
	}
	keep_save(file, text.data, text.len, &ignored);
}

static int find_sources(const struct build *b, struct work *w, struct error *err)
{
	AUTO(origins) struct origins o = {0};
	AUTO_FREE struct origin_file *files = xcalloc(w->libraries.count, sizeof(files[0]));
	AUTO_FREE char *file = NULL;

	origins_init(b, &o);
	file = memory_file(b, w, &o);
	if (!b->request->no_cache && recall(w, file))
		return 0;
	for (size_t i = 0; i < w->libraries.count; i++)
		files[i] = origins_add(&o, w->libraries.items[i].node->file);
	if (origins_find(b, &o, err) < 0)
		return -1;
	for (size_t i = 0; i < w->libraries.count; i++) {
		const struct dpkg_package *p = origins_owner(&o, files[i]);

		w->libraries.items[i].source = xstrdup(p && p->source ? p->source : "");
	}
	remember(w, file);
	return 0;
}

/* The bottom first, then the larger, then by name. */
static int by_weight(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	bool x_is_bottom = strcmp(x->source, BOTTOM) == 0, y_is_bottom = strcmp(y->source, BOTTOM) == 0;

	if (x_is_bottom != y_is_bottom)
		return x_is_bottom ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return strcmp(x->source, y->source);
}

static void make_groups(struct work *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->libraries.count; i++) {
		const struct library *l = &w->libraries.items[i];
		struct group *g = NULL;

		for (size_t k = 0; k < w->groups.count && !g; k++)
			if (strcmp(w->groups.items[k].source, l->source) == 0)
				g = &w->groups.items[k];
		if (!g) {
			list_push(&w->groups, ((struct group){l->source, 0}));
			g = &w->groups.items[w->groups.count - 1];
		}
		g->bytes += l->node->size;
	}
	if (w->groups.count > 0)
		qsort(w->groups.items, w->groups.count, sizeof(w->groups.items[0]), by_weight);
	for (size_t i = 0; i < w->groups.count; i++) {
		const struct group g = w->groups.items[i];

		if (*g.source && kept < BUILD_LIBRARY_LAYERS - 1 &&
			(g.bytes >= GROUP_MIN_BYTES || strcmp(g.source, BOTTOM) == 0))
			w->groups.items[kept++] = g;
	}
	w->groups.count = kept;
}

static enum tree_layer layer_of(const struct work *w, const char *source)
{
	size_t i = 0;

	while (i < w->groups.count && strcmp(w->groups.items[i].source, source) != 0)
		i++;
	return TREE_LIBRARIES + (enum tree_layer)i;
}

/* A link goes where what it leads to goes; links between folders lie at the bottom. */
static void move_links(struct build *b)
{
	for (size_t i = 0; i < b->tree.nodes.count; i++) {
		struct map_entry *e = &b->tree.nodes.entries[i];
		struct tree_node *n = e->value;
		const struct tree_node *to;

		if (!n || n->layer != TREE_LIBRARIES || n->type != TREE_LINK)
			continue;
		to = tree_find(&b->tree, e->key);
		if (to && to->type == TREE_FILE && to->layer > TREE_LIBRARIES &&
			to->layer <= TREE_LIBRARIES_LAST)
			n->layer = to->layer;
	}
}

int build_group_libraries(struct build *b, struct error *err)
{
	AUTO(work) struct work w = {0};
	bool is_one = true;

	collect(b, &w);
	if (w.libraries.count == 0)
		return 0;
	if (find_sources(b, &w, err) < 0)
		return err_wrap(err, "cannot tell whose libraries they are");
	make_groups(&w);
	for (size_t i = 0; i < w.libraries.count; i++) {
		struct library *l = &w.libraries.items[i];

		l->node->layer = layer_of(&w, l->source);
		is_one &= l->node->layer == w.libraries.items[0].node->layer;
	}
	for (size_t i = 0; !is_one && i < w.groups.count; i++)
		b->library_groups[i] = xstrdup(w.groups.items[i].source);
	move_links(b);
	return 0;
}

const char *build_layer_name(const struct build *b, enum tree_layer layer,
							 char out[BUILD_LAYER_NAME])
{
	static const char *const names[TREE_LAYERS] = {
		[TREE_SYSTEM] = "system", [TREE_FILES] = "files", [TREE_APP] = "app"};
	const char *group;

	if (layer < TREE_LIBRARIES || layer > TREE_LIBRARIES_LAST) {
		snprintf(out, BUILD_LAYER_NAME, "%s", names[layer]);
		return out;
	}
	group = b->library_groups[layer - TREE_LIBRARIES];
	snprintf(out, BUILD_LAYER_NAME, "libraries%s%s", group ? " " : "", group ? group : "");
	return out;
}
