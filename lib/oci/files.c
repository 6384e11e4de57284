#include "oci/files.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "oci/file_tree.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"
#define READ_BYTES (128u * 1024)

struct read_layer {
	struct oci_file_tree *tree;
	struct tar_reader *reader;
	struct oci_file_layer *stats;
	const struct cancel *cancel;
	size_t index;
	int fd;
	struct sha256 *hash;    /* of the blob */
	struct sha256 *content; /* of a file */
	char *buffer;           /* READ_BYTES */
};

/* The folder that an entry lies in; *name: its last component, borrowed from path. */
static int find_folder(struct read_layer *l, const char *path, bool make, struct file_node **dir,
					   const char **name, struct error *err)
{
	const struct file_walk w = {.last = true, .make_layer = make ? l->index + 1 : 0};
	AUTO_FREE char *above = NULL;

	*name = fs_basename(path);
	above = xstrndup(path, (size_t)(*name - path));
	if (file_tree_walk(l->tree, above, &w, dir, err) < 0)
		return -1;
	if (make && (*dir)->file.type != TAR_DIR)
		return err_set(err, ERR_INPUT, "'%s' lies in a file", path);
	return 0;
}

static void apply_whiteout(struct read_layer *l, const char *path)
{
	struct file_node *dir, *hidden;
	const char *name;
	struct error ignored;

	l->stats->whiteouts++;
	/* nothing there to hide */
	if (find_folder(l, path, false, &dir, &name, &ignored) < 0 || !dir)
		return;
	if (strcmp(name, OPAQUE) == 0) {
		file_tree_remove(l->tree, dir, l->index, true);
		return;
	}
	name += strlen(WHITEOUT);
	hidden = file_tree_child(l->tree, dir, name, strlen(name));
	if (hidden)
		file_tree_remove(l->tree, hidden, l->index, false);
}

static int hash_content(struct read_layer *l, struct oci_file *f, struct error *err)
{
	uint8_t sum[SHA256_BYTES];
	ssize_t n;

	while ((n = tar_reader_data(l->reader, l->buffer, READ_BYTES, err)) > 0)
		sha256_add(l->content, l->buffer, (size_t)n);
	sha256_end(l->content, sum);
	if (n == 0)
		oci_digest_from(sum, f->digest);
	return (int)n;
}

/* A hard link is another name of a file that is there already. */
static int copy_linked(struct read_layer *l, struct oci_file *f, struct error *err)
{
	const struct file_walk w = {0};
	const struct oci_file *to;
	struct file_node *n;

	if (file_tree_walk(l->tree, f->target, &w, &n, err) < 0)
		return -1;
	if (!n || n->file.type == TAR_DIR)
		return err_set(err, ERR_INPUT, "'%s' is a hard link to '%s', which is no file here",
					   f->path, f->target);
	to = &n->file;
	f->mode = to->mode;
	f->uid = to->uid;
	f->gid = to->gid;
	f->mtime_s = to->mtime_s;
	f->size = to->size;
	f->capability = to->capability;
	memcpy(f->digest, to->digest, sizeof(f->digest));
	return 0;
}

/* f->path is borrowed here, for messages. */
static int read_file(struct read_layer *l, const struct tar_entry *e, struct oci_file *f,
					 struct error *err)
{
	if (e->type == TAR_FILE)
		return hash_content(l, f, err);
	if (e->type == TAR_HARDLINK)
		return copy_linked(l, f, err);
	if (e->type == TAR_CHAR && e->dev_major == 0 && e->dev_minor == 0)
		return err_set(err, ERR_INPUT, "'%s' is an overlayfs whiteout, not a layer's", e->path);
	return 0;
}

static bool is_same_folder(const struct oci_file *old, const struct oci_file *new)
{
	return old->type == TAR_DIR && new->type == TAR_DIR && old->mode == new->mode &&
		   old->uid == new->uid && old->gid == new->gid;
}

static int place(struct read_layer *l, const char *path, struct oci_file *f, struct error *err)
{
	struct oci_file_tree *t = l->tree;
	struct file_node *dir, *n;
	const char *name;

	if (find_folder(l, path, true, &dir, &name, err) < 0)
		return -1;
	n = file_tree_child(t, dir, name, strlen(name));
	if (n && (n->file.type != TAR_DIR || f->type != TAR_DIR)) {
		file_tree_remove(t, n, SIZE_MAX, false);
		n = NULL;
	}
	if (!n && file_tree_add(t, dir, name, strlen(name), &n, err) < 0)
		return -1;
	free(n->file.target);
	n->brought_by = l->index;
	/* layers repeat the folders above their files */
	if (is_same_folder(&n->file, f))
		f->layer = n->file.layer;
	n->file = MOVE(*f);
	return 0;
}

static int add_entry(struct read_layer *l, const struct tar_entry *e, struct error *err)
{
	struct oci_file f = {.type = e->type,
						 .mode = e->mode & 07777,
						 .uid = e->uid,
						 .gid = e->gid,
						 .mtime_s = e->mtime_s,
						 .size = e->size,
						 .dev_major = e->dev_major,
						 .dev_minor = e->dev_minor,
						 .capability = e->capability,
						 .layer = l->index};
	AUTO_FREE char *path = xstrdup(e->path);
	bool is_link = e->type == TAR_SYMLINK || e->type == TAR_HARDLINK;
	int rc;

	if (path[0] == '\0')
		return 0;
	if (text_starts(fs_basename(path), WHITEOUT)) {
		apply_whiteout(l, path);
		return 0;
	}
	*(e->type == TAR_DIR ? &l->stats->folders : &l->stats->files) += 1;
	f.path = path;
	f.target = is_link ? xstrdup(e->target) : NULL;
	rc = read_file(l, e, &f, err);
	f.path = NULL;
	if (rc == 0)
		rc = place(l, path, &f, err);
	free(f.target);
	return rc;
}

static ssize_t read_blob(void *user, void *data, size_t len, struct error *err)
{
	const struct read_layer *l = user;
	ssize_t n;

	if (cancel_check(l->cancel, err) < 0)
		return -1;
	do
		n = read(l->fd, data, len);
	while (n < 0 && errno == EINTR && !cancel_requested(l->cancel));
	if (n < 0)
		return err_errno(err, "cannot read a layer");
	sha256_add(l->hash, data, (size_t)n);
	return n;
}

static int read_entries(struct read_layer *l, const char *name, const char *diff_id,
						struct error *err)
{
	const struct tar_source source = {read_blob, l};
	AUTO_PTR(tar_reader) struct tar_reader *reader = NULL;
	char digest[OCI_DIGEST_LEN + 1];
	uint8_t sum[SHA256_BYTES];
	struct tar_entry e;
	int rc;

	if (tar_reader_new(&source, name, OCI_FILES_MAX_BYTES, &reader, err) < 0)
		return -1;
	l->reader = reader;
	while ((rc = tar_reader_next(reader, &e, err)) > 0)
		if (add_entry(l, &e, err) < 0)
			return err->code == ERR_INPUT ? err_wrap(err, "%s", name) : -1;
	if (rc < 0)
		return -1;
	l->stats->tar_bytes = tar_reader_bytes(reader);
	tar_reader_sum(reader, sum);
	if (strcmp(oci_digest_from(sum, digest), diff_id) != 0)
		return err_set(err, ERR_INPUT, "%s: its content has the digest %s, the image says %s", name,
					   digest, diff_id);
	return 0;
}

/* A layer that cannot be read may be one that the disk has spoilt: its digest tells. */
static bool is_spoilt(struct read_layer *l, const char *want)
{
	char chunk[16384];
	char digest[OCI_DIGEST_LEN + 1];
	uint8_t sum[SHA256_BYTES];
	struct error ignored;
	ssize_t n;

	do
		n = read_blob(l, chunk, sizeof(chunk), &ignored);
	while (n > 0);
	sha256_end(l->hash, sum);
	return n == 0 && strcmp(oci_digest_from(sum, digest), want) != 0;
}

static int read_layer(struct read_layer *l, struct oci_store *store, const struct oci_descriptor *d,
					  const char *diff_id, struct error *err)
{
	AUTO_PTR(sha256) struct sha256 *hash = sha256_new();
	AUTO_PTR(sha256) struct sha256 *content = sha256_new();
	AUTO_FREE char *buffer = xmalloc(READ_BYTES);
	AUTO_FREE char *name = xasprintf("layer %.19s", d->digest);
	AUTO_CLOSE int fd = -1;

	if (oci_store_open_blob(store, d, &fd, err) < 0)
		return -1;
	l->fd = fd;
	l->hash = hash;
	l->content = content;
	l->buffer = buffer;
	if (read_entries(l, name, diff_id, err) == 0)
		return 0;
	if (err->code != ERR_INPUT || !is_spoilt(l, d->digest))
		return -1;
	oci_store_drop_broken(store, d->digest);
	err_set(err, ERR_INPUT, "%s is damaged and was removed", name);
	return err_hint(err, "pull or build the image again");
}

static int by_path(const void *a, const void *b)
{
	return strcmp((*(struct oci_file *const *)a)->path, (*(struct oci_file *const *)b)->path);
}

/* Paths, and all files in their order. */
static void finish(struct oci_files *f)
{
	const struct oci_file_tree *t = f->tree;
	struct file_node *n = t->root.child;

	f->items = xcalloc(t->count + 1, sizeof(f->items[0]));
	while (n) {
		n->file.path = n->parent->file.path ? xasprintf("%s/%s", n->parent->file.path, n->name)
											: xstrdup(n->name);
		f->items[f->count++] = &n->file;
		if (n->child) {
			n = n->child;
			continue;
		}
		while (n && !n->next)
			n = n->parent;
		n = n ? n->next : NULL;
	}
	qsort(f->items, f->count, sizeof(f->items[0]), by_path);
}

void oci_files_release(struct oci_files *f)
{
	if (f->tree) {
		while (f->tree->root.child)
			file_tree_remove(f->tree, f->tree->root.child, SIZE_MAX, false);
		map_release(&f->tree->nodes);
		free(f->tree);
	}
	free(f->items);
	free(f->layers);
	*f = (struct oci_files){0};
}

int oci_files_read(struct oci_store *store, const struct oci_manifest *m,
				   const struct oci_config *config, const struct cancel *cancel,
				   struct oci_files *out, struct error *err)
{
	AUTO(oci_files) struct oci_files f = {.layer_count = m->layer_count};

	if (m->layer_count != config->diff_ids.count)
		return err_set(err, ERR_INPUT, "the image has %zu layers, but %zu diff_ids", m->layer_count,
					   config->diff_ids.count);
	f.layers = xcalloc(m->layer_count + 1, sizeof(f.layers[0]));
	f.tree = xcalloc(1, sizeof(*f.tree));
	f.tree->root.file.type = TAR_DIR;
	for (size_t i = 0; i < m->layer_count; i++) {
		struct read_layer l = {
			.tree = f.tree, .stats = &f.layers[i], .cancel = cancel, .index = i, .fd = -1};

		if (read_layer(&l, store, &m->layers[i], config->diff_ids.items[i], err) < 0)
			return -1;
	}
	finish(&f);
	*out = MOVE(f);
	return 0;
}

const struct oci_file *oci_files_find(const struct oci_files *f, const char *path)
{
	const struct oci_file key = {.path = (char *)(uintptr_t)path};
	const struct oci_file *want = &key;
	struct oci_file *const *hit =
		f->count ? bsearch(&want, f->items, f->count, sizeof(f->items[0]), by_path) : NULL;

	return hit ? *hit : NULL;
}

const struct oci_file *oci_files_follow(const struct oci_files *f, const char *path)
{
	const struct file_walk w = {.last = true};
	struct error ignored;
	struct file_node *n;

	if (file_tree_walk(f->tree, path, &w, &n, &ignored) < 0 || !n || n == &f->tree->root)
		return NULL;
	return &n->file;
}
