#include "tar/layer.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "tar/gzip_members.h"
#include "tar/ustar.h"

#include <errno.h>
#include <string.h>

struct layer_writer {
	struct layer_sink sink;
	unsigned threads;
	struct gzip_members *members; /* made with the first byte */
	struct sha256 *tar_hash;
	struct sha256 *out_hash;
	uint64_t tar_bytes;
	uint64_t out_bytes;
	size_t filled; /* of the current member */
	uint64_t left; /* of the current file's content */
	bool aligned;  /* the current file's content is in members of its own */
	char *last;    /* path of the last entry; NULL before the first */
};

void layer_writer_new(const struct layer_sink *sink, struct layer_writer **out)
{
	struct layer_writer *w = xcalloc(1, sizeof(*w));

	w->sink = *sink;
	w->tar_hash = sha256_new();
	w->out_hash = sha256_new();
	*out = w;
}

void layer_writer_set_threads(struct layer_writer *w, unsigned threads)
{
	w->threads = threads;
}

void layer_writer_free(struct layer_writer *w)
{
	if (!w)
		return;
	gzip_members_free(w->members);
	sha256_free(w->tar_hash);
	sha256_free(w->out_hash);
	free(w->last);
	free(w);
}

static int deliver(void *user, const void *data, size_t len, struct error *err)
{
	struct layer_writer *w = user;

	sha256_add(w->out_hash, data, len);
	w->out_bytes += len;
	return w->sink.write(w->sink.user, data, len, err);
}

static char *room(struct layer_writer *w)
{
	if (!w->members)
		w->members = gzip_members_new(w->threads, deliver, w);
	return gzip_members_buffer(w->members) + w->filled;
}

/* End the current member, if anything is in it. */
static int cut(struct layer_writer *w, struct error *err)
{
	size_t len = w->filled;

	w->filled = 0;
	return len > 0 ? gzip_members_submit(w->members, len, err) : 0;
}

/* len bytes were put at room(); they fit. */
static int filled(struct layer_writer *w, size_t len, struct error *err)
{
	sha256_add(w->tar_hash, room(w), len);
	w->tar_bytes += len;
	w->filled += len;
	return w->filled == LAYER_MEMBER_BYTES ? cut(w, err) : 0;
}

static int add(struct layer_writer *w, const void *data, size_t len, struct error *err)
{
	const char *p = data;

	while (len > 0) {
		size_t n = LAYER_MEMBER_BYTES - w->filled;

		if (n > len)
			n = len;
		memcpy(room(w), p, n);
		if (filled(w, n, err) < 0)
			return -1;
		p += n;
		len -= n;
	}
	return 0;
}

static int pad(struct layer_writer *w, struct error *err)
{
	static const char zeros[USTAR_BLOCK];

	return add(w, zeros, (USTAR_BLOCK - w->tar_bytes % USTAR_BLOCK) % USTAR_BLOCK, err);
}

static int check_link(const struct layer_entry *e, struct error *err)
{
	bool is_link = e->type == LAYER_SYMLINK || e->type == LAYER_HARDLINK;
	const char *target = e->target ? e->target : "";

	if (is_link != (target[0] != '\0'))
		return err_set(err, ERR_INPUT, "%s: a link needs a target, and only a link has one",
					   e->path);
	if (strlen(target) > LAYER_MAX_PATH)
		return err_set(err, ERR_INPUT, "%s: the link's target is longer than %d bytes", e->path,
					   LAYER_MAX_PATH);
	if (e->type == LAYER_HARDLINK && !fs_is_clean_relative(target))
		return err_set(err, ERR_INPUT, "%s: '%s' is no clean relative path", e->path, target);
	return 0;
}

static int check_entry(const struct layer_writer *w, const struct layer_entry *e, struct error *err)
{
	if (w->left > 0)
		return err_set(err, ERR_INPUT, "%s: %llu bytes of its content are missing", w->last,
					   (unsigned long long)w->left);
	if (strlen(e->path) > LAYER_MAX_PATH)
		return err_set(err, ERR_INPUT, "a path is longer than %d bytes: %s", LAYER_MAX_PATH,
					   e->path);
	if (!fs_is_clean_relative(e->path))
		return err_set(err, ERR_INPUT, "'%s' is no clean relative path", e->path);
	if (text_starts(fs_basename(e->path), ".wh."))
		return err_set(err, ERR_INPUT, "'%s': an image cannot hold a name that starts with .wh.",
					   e->path);
	if (w->last && strcmp(w->last, e->path) >= 0)
		return err_set(err, ERR_INPUT, "%s: is given twice or out of order, after %s", e->path,
					   w->last);
	if (e->type != LAYER_FILE && e->size > 0)
		return err_set(err, ERR_INPUT, "%s: only a file has content", e->path);
	return check_link(e, err);
}

int layer_writer_entry(struct layer_writer *w, const struct layer_entry *entry, struct error *err)
{
	AUTO(buf) struct buf header = {0};

	if (check_entry(w, entry, err) < 0)
		return -1;
	ustar_header(entry, &header);
	if (add(w, header.data, header.len, err) < 0)
		return -1;
	free(w->last);
	w->last = xstrdup(entry->path);
	w->left = entry->size;
	w->aligned = entry->size >= LAYER_ALIGN_BYTES;
	return w->aligned ? cut(w, err) : 0;
}

/* len bytes of content have been added */
static int content_added(struct layer_writer *w, size_t len, struct error *err)
{
	w->left -= len;
	if (w->left > 0)
		return 0;
	if (pad(w, err) < 0)
		return -1;
	return w->aligned ? cut(w, err) : 0;
}

int layer_writer_data(struct layer_writer *w, const void *data, size_t len, struct error *err)
{
	if (len == 0)
		return 0;
	if (len > w->left)
		return err_set(err, ERR_INPUT, "%s: is longer than was said", w->last ? w->last : "layer");
	if (add(w, data, len, err) < 0)
		return -1;
	return content_added(w, len, err);
}

static ssize_t read_retrying(int fd, void *data, size_t len)
{
	ssize_t n;

	do
		n = read(fd, data, len);
	while (n < 0 && errno == EINTR);
	return n;
}

static int changed(const struct layer_entry *entry, struct error *err)
{
	err_set(err, ERR_INPUT, "%s: changed while it was read", entry->path);
	return err_hint(err, "build again when nothing writes to it");
}

int layer_writer_file(struct layer_writer *w, const struct layer_entry *entry, int fd,
					  struct error *err)
{
	char one_more;

	if (layer_writer_entry(w, entry, err) < 0)
		return -1;
	while (w->left > 0) {
		size_t want = LAYER_MEMBER_BYTES - w->filled;
		ssize_t n = read_retrying(fd, room(w), want < w->left ? want : (size_t)w->left);

		if (n < 0)
			return err_errno(err, "cannot read %s", entry->path);
		if (n == 0)
			return changed(entry, err);
		if (filled(w, (size_t)n, err) < 0 || content_added(w, (size_t)n, err) < 0)
			return -1;
	}
	return read_retrying(fd, &one_more, 1) == 0 ? 0 : changed(entry, err);
}

int layer_writer_end(struct layer_writer *w, struct layer_result *out, struct error *err)
{
	static const char end[2 * USTAR_BLOCK];
	struct layer_result r = {0};

	if (w->left > 0)
		return err_set(err, ERR_INPUT, "%s: %llu bytes of its content are missing", w->last,
					   (unsigned long long)w->left);
	if (add(w, end, sizeof(end), err) < 0 || cut(w, err) < 0 ||
		gzip_members_finish(w->members, err) < 0)
		return -1;
	sha256_end(w->tar_hash, r.diff_id);
	sha256_end(w->out_hash, r.digest);
	r.tar_bytes = w->tar_bytes;
	r.bytes = w->out_bytes;
	*out = r;
	return 0;
}
