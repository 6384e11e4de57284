#include "oci/file_tree.h"

#include "base/mem.h"

#include <string.h>

#define MAX_LINKS 40
#define MAX_DEPTH 256
#define KEY_BYTES (TAR_MAX_COMPONENT + 20)

static const char *make_key(const struct file_node *dir, const char *name, size_t len,
							char key[KEY_BYTES])
{
	size_t at = KEY_BYTES - 1 - len;

	key[KEY_BYTES - 1] = '\0';
	memcpy(&key[at], name, len);
	key[--at] = '/';
	for (uint64_t id = dir->id; id > 0; id >>= 4)
		key[--at] = "0123456789abcdef"[id & 15];
	return &key[at];
}

struct file_node *file_tree_child(const struct oci_file_tree *t, const struct file_node *dir,
								  const char *name, size_t len)
{
	char key[KEY_BYTES];

	return len > TAR_MAX_COMPONENT ? NULL : map_get(&t->nodes, make_key(dir, name, len, key));
}

static void unlink_node(struct oci_file_tree *t, struct file_node *n)
{
	char key[KEY_BYTES];

	map_put(&t->nodes, make_key(n->parent, n->name, strlen(n->name), key), NULL);
	*n->link = n->next;
	if (n->next)
		n->next->link = n->link;
	t->count--;
	free(n->file.path);
	free(n->file.target);
	free(n->name);
	free(n);
}

/* Depth is bounded by MAX_DEPTH. */
void file_tree_remove(struct oci_file_tree *t, struct file_node *n, size_t before, bool keep)
{
	struct file_node *next;

	if (n->cleared_by != before)
		for (struct file_node *c = n->child; c; c = next) {
			next = c->next;
			file_tree_remove(t, c, before, false);
		}
	n->cleared_by = before;
	if (!keep && !n->child && n->brought_by < before)
		unlink_node(t, n);
}

int file_tree_add(struct oci_file_tree *t, struct file_node *dir, const char *name, size_t len,
				  struct file_node **out, struct error *err)
{
	struct file_node *n;
	char key[KEY_BYTES];

	if (t->count >= OCI_FILES_MAX)
		return err_set(err, ERR_INPUT, "the image has more than %d files", OCI_FILES_MAX);
	if (len > TAR_MAX_COMPONENT || dir->depth >= MAX_DEPTH)
		return err_set(err, ERR_INPUT, "'%.*s' is nested too deeply or has too long a name",
					   (int)len, name);
	n = xcalloc(1, sizeof(*n));
	n->name = xstrndup(name, len);
	n->parent = dir;
	n->depth = dir->depth + 1;
	n->id = ++t->last_id;
	n->link = &dir->child;
	n->next = dir->child;
	if (n->next)
		n->next->link = &n->next;
	dir->child = n;
	map_put(&t->nodes, make_key(dir, name, len, key), n);
	t->count++;
	*out = n;
	return 0;
}

/* rest: what is still to go after a link, in front of what was to go before. */
static void go_by_link(const struct file_node *link, char **rest)
{
	char *longer = xasprintf("%s/%s", link->file.target, *rest);

	free(*rest);
	*rest = longer;
}

static int step_missing(struct oci_file_tree *t, struct file_node *at, struct span name,
						const struct file_walk *w, struct file_node **out, struct error *err)
{
	*out = NULL;
	if (!w->make_layer)
		return 0;
	if (file_tree_add(t, at, name.data, name.len, out, err) < 0)
		return -1;
	(*out)->file.type = TAR_DIR;
	(*out)->file.mode = 0755;
	(*out)->file.layer = (*out)->brought_by = w->make_layer - 1;
	return 0;
}

static bool is_dots(struct span name)
{
	return span_is(name, "") || span_is(name, ".") || span_is(name, "..");
}

int file_tree_walk(struct oci_file_tree *t, const char *path, const struct file_walk *w,
				   struct file_node **out, struct error *err)
{
	AUTO_FREE char *rest = xstrdup(path);
	struct file_node *at = &t->root;
	const char *p = rest;
	unsigned links = 0;

	while (at && *p) {
		struct span name = {p, strcspn(p, "/")};
		const char *left = p + name.len + strspn(p + name.len, "/");
		struct file_node *n;

		p = left;
		if (is_dots(name)) {
			at = name.len == 2 && at->parent ? at->parent : at;
			continue;
		}
		if (at->file.type != TAR_DIR)
			return err_set(err, ERR_INPUT, "'%s' leads through a file", path);
		n = file_tree_child(t, at, name.data, name.len);
		if (!n && step_missing(t, at, name, w, &n, err) < 0)
			return -1;
		if (!n || n->file.type != TAR_SYMLINK || (!*left && !w->last)) {
			at = n;
			continue;
		}
		if (++links > MAX_LINKS)
			return err_set(err, ERR_INPUT, "'%s' leads through links in a circle", path);
		memmove(rest, left, strlen(left) + 1);
		go_by_link(n, &rest);
		p = rest;
		at = n->file.target[0] == '/' ? &t->root : at;
	}
	*out = at;
	return 0;
}
