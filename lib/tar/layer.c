#include "tar/layer.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "tar/members.h"
#include "tar/ustar.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct layer_writer {
	struct layer_sink sink;
	struct members_options options;
	struct members *members; /* made with the first byte */
	struct sha256 *tar_hash;
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
	*out = w;
}

void layer_writer_set_threads(struct layer_writer *w, unsigned threads)
{
	w->options.threads = threads;
}

void layer_writer_set_codec(struct layer_writer *w, enum layer_codec codec)
{
	w->options.codec = codec;
}

void layer_writer_set_cache(struct layer_writer *w, const struct layer_cache *cache)
{
	w->options.cache = cache;
}

void layer_writer_free(struct layer_writer *w)
{
	if (!w)
		return;
	members_free(w->members);
	sha256_free(w->tar_hash);
	free(w->last);
	free(w);
}

static int deliver(void *user, const void *data, size_t len, struct error *err)
{
	struct layer_writer *w = user;

	w->out_bytes += len;
	return w->sink.write(w->sink.user, data, len, err);
}

static char *room(struct layer_writer *w)
{
	if (!w->members)
		w->members = members_new(&w->options, &(struct layer_sink){deliver, w});
	return members_buffer(w->members) + w->filled;
}

/* End the current member, if anything is in it. */
static int cut(struct layer_writer *w, struct error *err)
{
	size_t len = w->filled;

	w->filled = 0;
	return len > 0 ? members_submit(w->members, len, err) : 0;
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

static int too_long(const struct layer_entry *e, const char *what, int max, struct error *err)
{
	err_set(err, ERR_INPUT, "a %s is longer than %d bytes: %s", what, max, e->path);
	return err_hint(err, "no container could open it: shorten it");
}

static int check_path(const struct layer_entry *e, struct error *err)
{
	if (strlen(e->path) > LAYER_MAX_PATH)
		return too_long(e, "path", LAYER_MAX_PATH, err);
	if (!fs_is_clean_relative(e->path))
		return err_set(err, ERR_INPUT, "'%s' is no clean relative path", e->path);
	for (const char *p = e->path; *p; p += strspn(p, "/")) {
		size_t len = strcspn(p, "/");

		if (len > LAYER_MAX_NAME)
			return too_long(e, "name", LAYER_MAX_NAME, err);
		p += len;
	}
	if (text_starts(fs_basename(e->path), ".wh."))
		return err_set(err, ERR_INPUT, "'%s': an image cannot hold a name that starts with .wh.",
					   e->path);
	return 0;
}

/* A name with '=' would be read back as a shorter one. */
static int check_xattrs(const struct layer_entry *e, struct error *err)
{
	const char *last = "";

	if (e->xattr_count > LAYER_MAX_XATTRS)
		return err_set(err, ERR_INPUT, "%s: has more than %d extended attributes", e->path,
					   LAYER_MAX_XATTRS);
	for (size_t i = 0; i < e->xattr_count; i++) {
		const struct layer_xattr *x = &e->xattrs[i];

		if (strcmp(last, x->name) >= 0 || strlen(x->name) > LAYER_MAX_NAME ||
			strchr(x->name, '=') || x->len > LAYER_MAX_XATTR_BYTES)
			return err_set(err, ERR_INPUT, "%s: extended attribute '%s' cannot be in a layer",
						   e->path, x->name);
		last = x->name;
	}
	return 0;
}

static int check_entry(const struct layer_writer *w, const struct layer_entry *e, struct error *err)
{
	if (w->left > 0)
		return err_set(err, ERR_INPUT, "%s: %llu bytes of its content are missing", w->last,
					   (unsigned long long)w->left);
	if (check_path(e, err) < 0)
		return -1;
	if (w->last && strcmp(w->last, e->path) >= 0)
		return err_set(err, ERR_INPUT, "%s: is given twice or out of order, after %s", e->path,
					   w->last);
	if (e->type != LAYER_FILE && e->size > 0)
		return err_set(err, ERR_INPUT, "%s: only a file has content", e->path);
	if (e->size > LAYER_MAX_BYTES || w->tar_bytes > LAYER_MAX_BYTES - e->size) {
		err_set(err, ERR_INPUT, "%s: with it the layer would be larger than %llu GiB", e->path,
				LAYER_MAX_BYTES >> 30);
		return err_hint(err, "keep such data out of the image, in a volume");
	}
	if (check_xattrs(e, err) < 0)
		return -1;
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

/* A file while it is read. Between `at` and data_at there is a hole; up to data_end there is data;
 * of what is behind it nobody asked yet. */
struct reading {
	int fd;
	off_t at, size;
	off_t data_at, data_end;
};

/* A file system that cannot tell has no holes. */
static void find_data(struct reading *r)
{
	off_t data = lseek(r->fd, r->at, SEEK_DATA);
	off_t hole = data < 0 ? -1 : lseek(r->fd, data, SEEK_HOLE);

	r->data_at = r->at;
	r->data_end = r->size;
	if (data < 0 && errno == ENXIO)
		r->data_at = r->size; /* a hole to the end */
	if (data >= 0 && hole > data) {
		r->data_at = data;
		r->data_end = hole;
	}
}

/* Up to len bytes more, zeros where the file has none; 0 at its end. */
static ssize_t read_part(struct reading *r, void *data, size_t len)
{
	ssize_t n;

	if (r->at >= r->data_end)
		find_data(r);
	if (r->at < r->data_at) {
		off_t hole = r->data_at - r->at;

		n = hole < (off_t)len ? (ssize_t)hole : (ssize_t)len;
		memset(data, 0, (size_t)n);
	} else {
		do
			n = pread(r->fd, data, len, r->at);
		while (n < 0 && errno == EINTR);
	}
	r->at += n < 0 ? 0 : n;
	return n;
}

static int changed(const struct layer_entry *entry, struct error *err)
{
	err_set(err, ERR_INPUT, "%s: changed while it was read", entry->path);
	return err_hint(err, "build again when nothing writes to it");
}

/* A hole is no proof that the file goes on so far. */
static int check_size(const struct layer_entry *entry, int fd, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(err, "cannot stat %s", entry->path);
	return (uint64_t)st.st_size == entry->size ? 0 : changed(entry, err);
}

int layer_writer_file(struct layer_writer *w, const struct layer_entry *entry, int fd,
					  struct error *err)
{
	struct reading r = {.fd = fd, .size = (off_t)entry->size};

	/* holes of small files are not worth asking for */
	if (entry->size < LAYER_ALIGN_BYTES)
		r.data_end = r.size;
	if (check_size(entry, fd, err) < 0 || layer_writer_entry(w, entry, err) < 0)
		return -1;
	while (w->left > 0) {
		size_t want = LAYER_MEMBER_BYTES - w->filled;
		ssize_t n;

		if (want > w->left)
			want = (size_t)w->left;
		n = read_part(&r, room(w), want);
		if (n < 0)
			return err_errno(err, "cannot read %s", entry->path);
		if (n == 0)
			return changed(entry, err);
		if (filled(w, (size_t)n, err) < 0 || content_added(w, (size_t)n, err) < 0)
			return -1;
	}
	return check_size(entry, fd, err);
}

int layer_writer_end(struct layer_writer *w, struct layer_result *out, struct error *err)
{
	static const char end[2 * USTAR_BLOCK];
	struct layer_result r = {0};

	if (w->left > 0)
		return err_set(err, ERR_INPUT, "%s: %llu bytes of its content are missing", w->last,
					   (unsigned long long)w->left);
	if (add(w, end, sizeof(end), err) < 0 || cut(w, err) < 0 || members_finish(w->members, err) < 0)
		return -1;
	sha256_end(w->tar_hash, r.diff_id);
	r.tar_bytes = w->tar_bytes;
	r.bytes = w->out_bytes;
	*out = r;
	return 0;
}
