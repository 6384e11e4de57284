#include "build/compare.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "build/compare_file.h"
#include "tar/reader.h"

#include <fcntl.h>
#include <string.h>

#define OURS "msctl build: "
#define MAX_LAYER_BYTES (64ull << 30)

/* One layer of one side, entry by entry. */
struct stream {
	int fd;
	struct tar_reader *reader;
	struct tar_entry e;
};

static void stream_release(struct stream *s)
{
	tar_reader_free(s->reader);
	if (s->fd >= 0)
		close(s->fd);
}

static int stream_open(struct stream *s, struct oci_store *store, const struct oci_descriptor *d,
					   struct error *err)
{
	const struct tar_source source = tar_source_fd(&s->fd);

	if (oci_store_open_blob(store, d, &s->fd, err) < 0)
		return -1;
	return tar_reader_new(&source, d->digest, MAX_LAYER_BYTES, &s->reader, err);
}

/* The content of the entry that the stream is at. */
static int save(struct stream *s, const char *file, struct error *err)
{
	AUTO_CLOSE int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	AUTO_FREE char *block = xmalloc(1u << 17);
	ssize_t n;

	if (fd < 0)
		return err_errno(err, "cannot write %s", file);
	while ((n = tar_reader_data(s->reader, block, 1u << 17, err)) > 0)
		if (fs_write_fd(fd, file, block, (size_t)n, err) < 0)
			return -1;
	return (int)n;
}

struct layers {
	const struct compare_side *a, *b;
	struct stream x, y;
	const char *name; /* "layer app" */
	const char *scratch;
};

static int differ(const struct layers *l, const char *path, const char *how, struct error *err)
{
	err_set(err, ERR_DIFFERENT, "%s: /%s: %s", l->name, path, how);
	return err_hint(err, "look for what changes from run to run: the order of files, a script that "
						 "takes what it finds, the user's settings");
}

/* What a header says, but for the content. */
static int compare_headers(const struct layers *l, struct error *err)
{
	const struct tar_entry *x = &l->x.e, *y = &l->y.e;
	AUTO_FREE char *how = NULL;

	if (x->type != y->type)
		how = xstrdup("it is of another kind the second time");
	else if (x->mode != y->mode)
		how = xasprintf("mode %04o, the second time %04o", x->mode, y->mode);
	else if (x->uid != y->uid || x->gid != y->gid)
		how = xasprintf("owner %u:%u, the second time %u:%u", x->uid, x->gid, y->uid, y->gid);
	else if (x->mtime_s != y->mtime_s)
		how = xasprintf("time %lld, the second time %lld", (long long)x->mtime_s,
						(long long)y->mtime_s);
	else if ((x->type == TAR_SYMLINK || x->type == TAR_HARDLINK) &&
			 strcmp(x->target, y->target) != 0)
		how = xasprintf("it leads to %s, the second time to %s", x->target, y->target);
	return how ? differ(l, x->path, how, err) : 0;
}

static int compare_content(struct layers *l, struct error *err)
{
	AUTO_FREE char *a = fs_join(l->scratch, "first");
	AUTO_FREE char *b = fs_join(l->scratch, "second");
	AUTO_FREE char *what = xasprintf("%s: /%s", l->name, l->x.e.path);
	const struct compare_files files = {what, a, b, l->a->sources, l->b->sources};

	if (save(&l->x, a, err) < 0 || save(&l->y, b, err) < 0)
		return -1;
	return compare_files(&files, err);
}

static int compare_entries(struct layers *l, struct error *err)
{
	for (;;) {
		int n = tar_reader_next(l->x.reader, &l->x.e, err);
		int m = n < 0 ? -1 : tar_reader_next(l->y.reader, &l->y.e, err);
		int order;

		if (n < 0 || m < 0)
			return -1;
		if (n == 0 && m == 0)
			return 0;
		order = n == 0 ? 1 : m == 0 ? -1 : strcmp(l->x.e.path, l->y.e.path);
		if (order != 0)
			return differ(l, order < 0 ? l->x.e.path : l->y.e.path,
						  order < 0 ? "it is not there the second time"
									: "it is there the second time only",
						  err);
		if (compare_headers(l, err) < 0 || (l->x.e.type == TAR_FILE && compare_content(l, err) < 0))
			return -1;
	}
}

/* The names of layers, from the history. Caller frees. */
static char *layer_name(const json_t *config, size_t index)
{
	const json_t *step;
	size_t i, n = 0;

	json_array_foreach(json_object_get(config, "history"), i, step)
	{
		const char *by = doc_text(step, "created_by", "");

		if (doc_bool(step, "empty_layer", false) || n++ != index)
			continue;
		return xasprintf("layer %s", text_starts(by, OURS) ? by + strlen(OURS) : by);
	}
	return xasprintf("layer %zu", index + 1);
}

/* Where two documents part. 0: they are equal. */
static int compare_json(const char *what, json_t *a, json_t *b, struct error *err)
{
	AUTO_JSON json_t *keys = json_copy(a);
	const json_t *ignored;
	const char *key;

	json_object_update(keys, b);
	json_object_foreach(keys, key, ignored)
	{
		json_t *x = json_object_get(a, key), *y = json_object_get(b, key);
		AUTO_FREE char *path = xasprintf("%s.%s", what, key);
		AUTO(buf) struct buf p = {0}, q = {0};

		if (x && y && json_equal(x, y))
			continue;
		if (json_is_object(x) && json_is_object(y))
			return compare_json(path, x, y, err);
		if (x)
			doc_json_write(x, &p);
		if (y)
			doc_json_write(y, &q);
		return err_set(err, ERR_DIFFERENT, "%s is %.200s, the second time %.200s", path,
					   x ? buf_str(&p) : "not there", y ? buf_str(&q) : "not there");
	}
	return 0;
}

static int read_config(struct oci_store *store, const struct oci_manifest *m, json_t **out,
					   struct error *err)
{
	AUTO(buf) struct buf bytes = {0};

	if (oci_store_read(store, &m->config, OCI_MAX_MANIFEST_BYTES, &bytes, err) < 0)
		return -1;
	return doc_json_parse(buf_span(&bytes), "configuration", out, err);
}

static int compare_layer(struct layers *l, const struct oci_descriptor *x,
						 const struct oci_descriptor *y, struct error *err)
{
	if (stream_open(&l->x, l->a->store, x, err) < 0 ||
		stream_open(&l->y, l->b->store, y, err) < 0 || compare_entries(l, err) < 0)
		return -1;
	return err_set(err, ERR_DIFFERENT, "%s: the same files, but other bytes around them", l->name);
}

/* Manifests of one image. */
static int compare_images(const struct compare_side *a, const struct compare_side *b,
						  const char *scratch, struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest m = {0}, n = {0};
	AUTO_JSON json_t *x = NULL;
	AUTO_JSON json_t *y = NULL;

	if (oci_store_manifest(a->store, a->image, &m, err) < 0 ||
		oci_store_manifest(b->store, b->image, &n, err) < 0 ||
		read_config(a->store, &m, &x, err) < 0 || read_config(b->store, &n, &y, err) < 0)
		return -1;
	for (size_t i = 0; i < m.layer_count && i < n.layer_count; i++) {
		AUTO_FREE char *name = layer_name(x, i);
		struct layers l = {
			.a = a, .b = b, .x.fd = -1, .y.fd = -1, .name = name, .scratch = scratch};
		int rc;

		if (strcmp(m.layers[i].digest, n.layers[i].digest) == 0)
			continue;
		rc = compare_layer(&l, &m.layers[i], &n.layers[i], err);
		stream_release(&l.x);
		stream_release(&l.y);
		return rc;
	}
	if (m.layer_count != n.layer_count)
		return err_set(err, ERR_DIFFERENT, "%zu layers, the second time %zu", m.layer_count,
					   n.layer_count);
	if (compare_json("configuration", x, y, err) < 0)
		return -1;
	return compare_json("manifest", m.json, n.json, err);
}

int build_compare(const struct compare_side *a, const struct compare_side *b, const char *scratch,
				  struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest m = {0}, n = {0};

	if (strcmp(a->image->digest, b->image->digest) == 0)
		return 0;
	if (oci_store_manifest(a->store, a->image, &m, err) < 0 ||
		oci_store_manifest(b->store, b->image, &n, err) < 0)
		return -1;
	if (!m.is_index || !n.is_index)
		return compare_images(a, b, scratch, err);
	for (size_t i = 0; i < m.layer_count && i < n.layer_count; i++) {
		const struct compare_side x = {a->store, &m.layers[i], a->sources};
		const struct compare_side y = {b->store, &n.layers[i], b->sources};
		AUTO_FREE char *platform = oci_platform_text(&m.layers[i].platform);

		if (strcmp(x.image->digest, y.image->digest) != 0 &&
			compare_images(&x, &y, scratch, err) < 0)
			return err_wrap(err, "%s", platform);
	}
	return err_set(err, ERR_DIFFERENT, "the index names other images the second time");
}
