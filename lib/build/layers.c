#include "build/cache.h"

#include "base/mem.h"
#include "build/members.h"
#include "tar/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct blob_sink {
	struct oci_blob_writer *blob;
	const struct cancel *cancel;
};

static int write_blob(void *user, const void *data, size_t len, struct error *err)
{
	const struct blob_sink *s = user;

	/* here too: one file may take long */
	if (cancel_check(s->cancel, err) < 0)
		return -1;
	return oci_blob_writer_add(s->blob, data, len, err);
}

/* Libraries and accounts are shared by many builds, so they carry no time of any of them. */
int64_t build_entry_time(const struct build *b, const struct tree_node *n)
{
	if (n->layer == TREE_BASE)
		return n->mtime_s;
	return n->layer <= TREE_LIBRARIES_LAST ? 0 : b->stamp->created;
}

static bool is_unchanged(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
		   a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

int build_check_unchanged(int fd, const struct tree_node *n, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(err, "cannot stat %s", n->file);
	if (is_unchanged(&st, &n->seen))
		return 0;
	err_set(err, ERR_INPUT, "%s changed while the image was built", n->file);
	return err_hint(err, "build again when nothing writes to it");
}

static int write_file(struct layer_writer *w, const struct layer_entry *e,
					  const struct tree_node *n, struct error *err)
{
	AUTO_CLOSE int fd = -1;

	if (!n->file) {
		if (layer_writer_entry(w, e, err) < 0)
			return -1;
		return layer_writer_data(w, n->data, n->size, err);
	}
	/* a copied file may be a link within the project: what it leads to was seen */
	fd = open(n->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_errno(err, "cannot open %s", n->file);
	if (build_check_unchanged(fd, n, err) < 0 || layer_writer_file(w, e, fd, err) < 0)
		return -1;
	return build_check_unchanged(fd, n, err);
}

static int write_node(const struct build *b, struct layer_writer *w, const char *path,
					  struct error *err)
{
	static const enum layer_type types[] = {
		[TREE_DIR] = LAYER_DIR, [TREE_LINK] = LAYER_SYMLINK, [TREE_FILE] = LAYER_FILE};
	const struct tree_node *n = map_get(&b->tree.nodes, path);
	bool is_second = n->type == TREE_FILE && n->target;
	struct layer_xattr capability = {CAPABILITY_XATTR, n->capability, CAPABILITY_BYTES};
	struct layer_entry e = {.type = is_second ? LAYER_HARDLINK : types[n->type],
							.path = path,
							.target = n->target,
							.mode = n->mode,
							.uid = n->uid,
							.gid = n->gid,
							.mtime_s = build_entry_time(b, n),
							.size = is_second ? 0 : n->size,
							.xattrs = &capability,
							.xattr_count = n->has_capability && !is_second};

	if (e.type == LAYER_FILE)
		return write_file(w, &e, n, err);
	return layer_writer_entry(w, &e, err);
}

/* Names of one file on this machine are names of one file in the layer, too: what programs install
 * as hard links would otherwise be there many times. */
static void link_same_files(struct build *b, enum tree_layer layer, const struct strv *paths)
{
	struct map first = {0}; /* "device:inode" -> path, borrowed from paths */

	for (size_t i = 0; i < paths->count; i++) {
		struct tree_node *n = map_get(&b->tree.nodes, paths->items[i]);
		const struct tree_node *other;
		char inode[48];

		if (n->type != TREE_FILE || !n->file || n->layer != layer || n->seen.st_nlink < 2)
			continue;
		snprintf(inode, sizeof(inode), "%llx:%llx", (unsigned long long)n->seen.st_dev,
				 (unsigned long long)n->seen.st_ino);
		other = map_has(&first, inode) ? map_get(&b->tree.nodes, map_get(&first, inode)) : NULL;
		if (!other)
			map_put(&first, inode, paths->items[i]);
		else if (other->mode == n->mode && other->has_capability == n->has_capability &&
				 memcmp(other->capability, n->capability, sizeof(n->capability)) == 0)
			n->target = xstrdup(map_get(&first, inode));
	}
	map_release(&first);
}

static int write_nodes(const struct build *b, const struct strv *paths, struct layer_writer *w,
					   struct error *err)
{
	for (size_t i = 0; i < paths->count; i++)
		if (cancel_check(b->request->cancel, err) < 0 || write_node(b, w, paths->items[i], err) < 0)
			return -1;
	return 0;
}

/* Before hours are spent reading a file that is mostly a hole. */
static int check_size(const struct build *b, const struct strv *paths, struct error *err)
{
	uint64_t left = LAYER_MAX_BYTES;

	for (size_t i = 0; i < paths->count; i++) {
		const struct tree_node *n = map_get(&b->tree.nodes, paths->items[i]);

		if (n->size > left) {
			err_set(err, ERR_INPUT, "with /%s it would be larger than %llu GiB", paths->items[i],
					LAYER_MAX_BYTES >> 30);
			return err_hint(err, "keep such data out of the image, in a volume");
		}
		left -= n->target ? 0 : n->size;
	}
	return 0;
}

static bool is_zstd(const struct build *b)
{
	return strcmp(build_compression(b), "zstd") == 0;
}

/* Write the blob; *made is what became of it. */
static int write_layer(struct build *b, const struct strv *paths, struct build_cached *made,
					   bool *was_there, struct error *err)
{
	AUTO(build_members) struct build_members members = {0};
	AUTO_PTR(oci_blob_writer) struct oci_blob_writer *blob = NULL;
	AUTO_PTR(layer_writer) struct layer_writer *writer = NULL;
	struct blob_sink blob_sink = {.cancel = b->request->cancel};
	struct layer_sink sink = {.write = write_blob, .user = &blob_sink};
	struct layer_cache cache = build_members_cache(&members);
	struct layer_result done;

	if (oci_blob_writer_new(b->store, &blob, err) < 0)
		return -1;
	blob_sink.blob = blob;
	build_members_open(b->request->cache, &members);
	members.is_forgetful = b->request->no_cache;
	layer_writer_new(&sink, &writer);
	layer_writer_set_threads(writer, b->request->threads);
	layer_writer_set_codec(writer, is_zstd(b) ? LAYER_ZSTD : LAYER_GZIP);
	if (b->request->cache)
		layer_writer_set_cache(writer, &cache);
	if (write_nodes(b, paths, writer, err) < 0 || layer_writer_end(writer, &done, err) < 0)
		return -1;
	oci_blob_writer_digest(blob, made->digest);
	oci_digest_from(done.diff_id, made->diff_id);
	made->size = done.bytes;
	*was_there = oci_store_has(b->store, made->digest, made->size);
	return *was_there ? 0 : oci_blob_writer_end(blob, NULL, NULL, err);
}

int build_write_layer(struct build *b, enum tree_layer layer, struct build_layer *out,
					  struct oci_descriptor *descriptor, char diff_id[OCI_DIGEST_LEN + 1],
					  struct error *err)
{
	AUTO(strv) struct strv paths = {0};
	AUTO(build_layer_key) struct build_layer_key key = {0};
	struct build_layer l = {0};
	struct build_cached made = {0};

	build_layer_name(b, layer, l.name);
	tree_layer_paths(&b->tree, layer, &paths, &l.files);
	if (paths.count == 0)
		return 0;
	link_same_files(b, layer, &paths);
	if (check_size(b, &paths, err) < 0 || build_cache_key(b, layer, &paths, &key, err) < 0)
		return err_wrap(err, "layer %s", l.name);
	l.was_there = build_cache_find(b, &key, &made);
	if (!l.was_there) {
		if (write_layer(b, &paths, &made, &l.was_there, err) < 0)
			return err_wrap(err, "layer %s", l.name);
		build_cache_keep(&key, &made);
	}
	l.bytes = descriptor->size = made.size;
	memcpy(l.digest, made.digest, sizeof(l.digest));
	memcpy(descriptor->digest, made.digest, sizeof(descriptor->digest));
	memcpy(diff_id, made.diff_id, sizeof(made.diff_id));
	descriptor->media_type = xstrdup(is_zstd(b) ? OCI_MEDIA_LAYER_ZSTD : OCI_MEDIA_LAYER_GZIP);
	*out = l;
	return 0;
}
