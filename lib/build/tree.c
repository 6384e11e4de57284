#include "build/tree.h"

#include "base/auto.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINKS 40

static void node_free(struct tree_node *n)
{
	if (!n)
		return;
	free(n->target);
	free(n->file);
	free(n->data);
	free(n);
}

void tree_release(struct tree *t)
{
	for (size_t i = 0; i < t->nodes.count; i++)
		node_free(t->nodes.entries[i].value);
	map_release(&t->nodes);
	free(t->sorted);
	*t = (struct tree){0};
}

static void go_up(struct buf *path)
{
	size_t len = path->len;

	while (len > 0 && path->data[len - 1] != '/')
		len--;
	if (path->len > 0)
		buf_cut(path, len > 0 ? len - 1 : 0);
}

static void append(struct buf *path, const char *name, size_t len)
{
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		go_up(path);
	} else if (len != 0 && (len != 1 || name[0] != '.')) {
		if (path->len > 0)
			buf_addc(path, '/');
		buf_add(path, name, len);
	}
}

/* at is a link: its target goes in front of what is still to go. */
static void follow(const struct tree_node *link, struct buf *at, struct buf *rest)
{
	AUTO(buf) struct buf longer = {0};

	buf_addf(&longer, "%s/%s", link->target, buf_str(rest));
	if (link->target[0] == '/')
		buf_cut(at, 0);
	else
		go_up(at);
	buf_release(rest);
	*rest = MOVE(longer);
}

int tree_resolve(const struct tree *t, const char *path, bool last, char **out, struct error *err)
{
	AUTO(buf) struct buf at = {0};
	AUTO(buf) struct buf rest = {0};
	unsigned links = 0;

	buf_add(&at, "", 0);
	buf_adds(&rest, path);
	while (rest.len > 0) {
		AUTO_FREE char *todo = buf_take(&rest);
		const char *name = todo + strspn(todo, "/");
		size_t len = strcspn(name, "/");
		const char *left = name + len + strspn(name + len, "/");
		const struct tree_node *n;

		buf_adds(&rest, left);
		append(&at, name, len);
		n = map_get(&t->nodes, buf_str(&at));
		if (n && n->type == TREE_LINK && (*left || last)) {
			if (++links > MAX_LINKS)
				return err_set(err, ERR_INPUT, "links lead in a circle at /%s in the image",
							   buf_str(&at));
			follow(n, &at, &rest);
		} else if (n && n->type == TREE_FILE && *left) {
			return err_set(err, ERR_INPUT, "/%s is a file in the image, not a folder",
						   buf_str(&at));
		}
	}
	*out = buf_take(&at);
	return 0;
}

const struct tree_node *tree_find(const struct tree *t, const char *path)
{
	AUTO_FREE char *at = NULL;
	struct error ignored = {0};

	if (tree_resolve(t, path, true, &at, &ignored) < 0)
		return NULL;
	return map_get(&t->nodes, at);
}

static bool may_replace(const struct tree_node *old, const struct tree_node *new)
{
	return old->layer < new->layer && !(old->type == TREE_DIR && new->type != TREE_DIR);
}

static bool is_same(const struct tree_node *old, const struct tree_node *new)
{
	if (old->type != new->type)
		return false;
	return old->type == TREE_DIR ||
		   (old->type == TREE_LINK && strcmp(old->target, new->target) == 0) ||
		   (old->type == TREE_FILE && old->file && new->file &&strcmp(old->file, new->file) == 0);
}

/* Folders above a place that is free of links. */
static void add_parents(struct tree *t, const char *path, const struct tree_node *node)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		AUTO_FREE char *parent = xstrndup(path, (size_t)(slash - path));
		struct tree_node *n;

		if (map_get(&t->nodes, parent))
			continue;
		n = xcalloc(1, sizeof(*n));
		*n = (struct tree_node){
			.type = TREE_DIR, .layer = node->layer, .base_layer = node->base_layer, .mode = 0755};
		map_put(&t->nodes, parent, n);
	}
}

static int by_path(const void *a, const void *b, void *entries)
{
	const struct map_entry *all = entries;

	return strcmp(all[*(const uint32_t *)a].key, all[*(const uint32_t *)b].key);
}

/* Whiteouts may be as many as files: once looking at all has cost as much, they are sorted. */
static void sort_if_due(struct tree *t)
{
	t->looked_at += t->nodes.count - t->sorted_count;
	if (t->looked_at <= 4 * t->nodes.count)
		return;
	t->sorted = xrealloc(t->sorted, t->nodes.count, sizeof(t->sorted[0]));
	for (size_t i = t->sorted_count; i < t->nodes.count; i++)
		t->sorted[i] = (uint32_t)i;
	qsort_r(t->sorted, t->nodes.count, sizeof(t->sorted[0]), by_path, t->nodes.entries);
	t->sorted_count = t->nodes.count;
	t->looked_at = 0;
}

static size_t first_sorted(const struct tree *t, const char *path)
{
	size_t low = 0, high = t->sorted_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(t->nodes.entries[t->sorted[middle]].key, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void remove_entry(struct map_entry *e, unsigned before)
{
	struct tree_node *n = e->value;

	if (!n || n->base_layer >= before)
		return;
	node_free(n);
	e->value = NULL;
}

void tree_remove(struct tree *t, const char *path, bool keep_itself, unsigned before)
{
	const struct tree_node *top = map_get(&t->nodes, path);
	bool has_more = *path == '\0' || (top && top->type == TREE_DIR);
	AUTO_FREE char *below = xasprintf("%s%s", path, *path ? "/" : "");
	struct map_entry *all = t->nodes.entries;

	if (top && !keep_itself && top->base_layer < before) {
		node_free(map_get(&t->nodes, path));
		map_put(&t->nodes, path, NULL);
	}
	if (!has_more)
		return;
	sort_if_due(t);
	for (size_t i = first_sorted(t, below); i < t->sorted_count; i++) {
		if (!text_starts(all[t->sorted[i]].key, below))
			break;
		remove_entry(&all[t->sorted[i]], before);
	}
	for (size_t i = t->sorted_count; i < t->nodes.count; i++)
		if (text_starts(all[i].key, below))
			remove_entry(&all[i], before);
}

int tree_put(struct tree *t, const char *at, struct tree_node *node, struct error *err)
{
	const struct tree_node *old = map_get(&t->nodes, at);
	struct tree_node *copy;

	if (!old && t->nodes.count >= TREE_MAX_NODES)
		return err_set(err, ERR_INPUT, "the image has more than %d files", TREE_MAX_NODES);
	if (old && old->type == TREE_DIR && node->type != TREE_DIR)
		tree_remove(t, at, true, UINT_MAX);
	add_parents(t, at, node);
	copy = xcalloc(1, sizeof(*copy));
	*copy = MOVE(*node);
	node_free(map_get(&t->nodes, at));
	map_put(&t->nodes, at, copy);
	return 0;
}

int tree_add(struct tree *t, const char *path, struct tree_node *node, struct error *err)
{
	AUTO_FREE char *at = NULL;
	const struct tree_node *old;

	if (tree_resolve(t, path, node->type == TREE_DIR, &at, err) < 0)
		return -1;
	if (!fs_is_clean_relative(at))
		return err_set(err, ERR_INPUT, "'%s' is no path within an image", path);
	old = map_get(&t->nodes, at);
	if (old && is_same(old, node))
		return 0;
	if (old && !may_replace(old, node))
		return err_set(err, ERR_INPUT, "/%s would be in the image twice", at);
	return tree_put(t, at, node, err);
}

static void node_release(struct tree_node *n)
{
	free(n->target);
	free(n->file);
	free(n->data);
}

#define AUTO_NODE __attribute__((cleanup(node_release)))

int tree_add_link(struct tree *t, enum tree_layer layer, const char *path, const char *target,
				  struct error *err)
{
	AUTO_NODE struct tree_node n = {
		.type = TREE_LINK, .layer = layer, .mode = 0777, .target = xstrdup(target)};

	return tree_add(t, path, &n, err);
}

int tree_add_data(struct tree *t, enum tree_layer layer, const char *path, const char *data,
				  struct error *err)
{
	AUTO_NODE struct tree_node n = {.type = TREE_FILE,
									.layer = layer,
									.mode = 0644,
									.data = xstrdup(data),
									.size = strlen(data)};

	return tree_add(t, path, &n, err);
}

int tree_add_file(struct tree *t, enum tree_layer layer, const char *path, const char *file,
				  const struct stat *seen, struct error *err)
{
	AUTO_NODE struct tree_node n = {.type = TREE_FILE,
									.layer = layer,
									.mode = seen->st_mode & S_IXUSR ? 0755 : 0644,
									.file = xstrdup(file),
									.size = (uint64_t)seen->st_size,
									.seen = *seen};

	return tree_add(t, path, &n, err);
}

int tree_add_dir(struct tree *t, enum tree_layer layer, const char *path, mode_t mode,
				 struct error *err)
{
	struct tree_node n = {.type = TREE_DIR, .layer = layer, .mode = mode};

	return tree_add(t, path, &n, err);
}

void tree_layer_paths(const struct tree *t, enum tree_layer layer, struct strv *out, size_t *own)
{
	struct map seen = {0};

	*own = 0;
	for (size_t i = 0; i < t->nodes.count; i++) {
		const struct map_entry *e = &t->nodes.entries[i];
		const struct tree_node *n = e->value;

		if (!n || n->layer != layer)
			continue;
		for (const char *s = strchr(e->key, '/'); s; s = strchr(s + 1, '/')) {
			AUTO_FREE char *parent = xstrndup(e->key, (size_t)(s - e->key));

			map_put(&seen, parent, NULL);
		}
		map_put(&seen, e->key, NULL);
		*own += n->type != TREE_DIR;
	}
	for (size_t i = 0; i < seen.count; i++)
		strv_add(out, seen.entries[i].key);
	strv_sort(out);
	map_release(&seen);
}
