#include "tar/reader.h"

#include "base/mem.h"
#include "tar/header.h"
#include "tar/unpack_stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct tar_reader {
	char *name;
	struct unpack_stream *stream;
	size_t entries;
	uint64_t left;  /* of the current content */
	size_t padding; /* behind it */
	bool ended;
	char path[TAR_MAX_PATH + 1];
	char target[TAR_MAX_PATH + 1];
};

static ssize_t read_descriptor(void *user, void *data, size_t len, struct error *err)
{
	const int *fd = user;
	ssize_t n;

	do
		n = read(*fd, data, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_errno(err, "cannot read the layer") : n;
}

struct tar_source tar_source_fd(int *fd)
{
	return (struct tar_source){.read = read_descriptor, .user = fd};
}

int tar_reader_new(const struct tar_source *source, const char *name, uint64_t max_bytes,
				   struct tar_reader **out, struct error *err)
{
	AUTO_PTR(tar_reader) struct tar_reader *r = xcalloc(1, sizeof(*r));

	r->name = xstrdup(name);
	if (unpack_stream_new(source, r->name, max_bytes, &r->stream, err) < 0)
		return -1;
	*out = TAKE(r);
	return 0;
}

void tar_reader_free(struct tar_reader *r)
{
	if (!r)
		return;
	unpack_stream_free(r->stream);
	free(r->name);
	free(r);
}

static int too_short(const struct tar_reader *r, struct error *err)
{
	return err_set(err, ERR_INPUT, "%s: the archive ends in the middle of an entry", r->name);
}

static int read_exactly(struct tar_reader *r, void *data, size_t len, struct error *err)
{
	ssize_t n = unpack_stream_read(r->stream, data, len, err);

	if (n < 0)
		return -1;
	return (size_t)n == len ? 0 : too_short(r, err);
}

ssize_t tar_reader_data(struct tar_reader *r, void *data, size_t len, struct error *err)
{
	if (len > r->left)
		len = (size_t)r->left;
	if (len == 0)
		return 0;
	if (read_exactly(r, data, len, err) < 0)
		return -1;
	r->left -= len;
	return (ssize_t)len;
}

static int skip_content(struct tar_reader *r, struct error *err)
{
	char chunk[16384];

	while (r->left > 0)
		if (tar_reader_data(r, chunk, sizeof(chunk), err) < 0)
			return -1;
	if (r->padding > 0 && read_exactly(r, chunk, r->padding, err) < 0)
		return -1;
	r->padding = 0;
	return 0;
}

/* Digests cover what stands behind the end, too; it is read and not looked at. */
static int drain(struct tar_reader *r, struct error *err)
{
	char chunk[16384];
	ssize_t n;

	do
		n = unpack_stream_read(r->stream, chunk, sizeof(chunk), err);
	while (n > 0);
	r->ended = n == 0;
	return n < 0 ? -1 : 0;
}

/* 1: a header; 0: the end. */
static int next_header(struct tar_reader *r, struct tar_header *h, struct error *err)
{
	unsigned char block[TAR_BLOCK];
	ssize_t n;

	if (skip_content(r, err) < 0)
		return -1;
	n = unpack_stream_read(r->stream, block, sizeof(block), err);
	if (n < 0)
		return -1;
	if (n == 0 || (n == TAR_BLOCK && tar_block_is_zero(block)))
		return drain(r, err);
	if (n < TAR_BLOCK)
		return too_short(r, err);
	if (++r->entries > TAR_MAX_ENTRIES)
		return err_set(err, ERR_INPUT, "%s: more than %d entries", r->name, TAR_MAX_ENTRIES);
	if (tar_header_parse(block, r->name, h, err) < 0)
		return -1;
	r->left = h->size;
	r->padding = (size_t)(-h->size & (TAR_BLOCK - 1));
	return 1;
}

static int read_content(struct tar_reader *r, size_t max, struct buf *out, struct error *err)
{
	size_t len = (size_t)r->left;

	if (r->left > max)
		return err_set(err, ERR_INPUT, "%s: an extended header is larger than %zu bytes", r->name,
					   max);
	if (tar_reader_data(r, buf_grow(out, len + 1), len, err) < 0)
		return -1;
	out->len += len;
	return 0;
}

/* GNU's long names: text that ends with NUL. */
static int take_long_name(struct tar_reader *r, struct buf *out, bool *has, struct error *err)
{
	AUTO(buf) struct buf text = {0};

	if (read_content(r, TAR_MAX_PATH + 1, &text, err) < 0)
		return -1;
	while (text.len > 0 && text.data[text.len - 1] == '\0')
		text.len--;
	if (text.len == 0 || memchr(text.data, '\0', text.len))
		return err_set(err, ERR_INPUT, "%s: a long name is empty or has NUL in it", r->name);
	buf_cut(out, 0);
	buf_add(out, text.data, text.len);
	*has = true;
	return 0;
}

/* 1: h describes what follows, it is used up; 0: h is an entry. */
static int take_extension(struct tar_reader *r, const struct tar_header *h, struct tar_overrides *o,
						  struct error *err)
{
	AUTO(buf) struct buf records = {0};

	switch (h->type) {
	case 'L':
		return take_long_name(r, &o->path, &o->has_path, err) < 0 ? -1 : 1;
	case 'K':
		return take_long_name(r, &o->target, &o->has_target, err) < 0 ? -1 : 1;
	case 'x':
		if (read_content(r, TAR_MAX_EXTENDED, &records, err) < 0 ||
			tar_pax_parse(buf_span(&records), r->name, o, err) < 0)
			return -1;
		return 1;
	case 'g': /* comments of git-archive and the like; no global record means anything for a layer
			   */
		return 1;
	default:
		return 0;
	}
}

/* The policy of names: relative, without "..", bounded; "." and empty components go. */
static const char *clean_path(const char *raw, char out[TAR_MAX_PATH + 1])
{
	size_t len = 0;

	if (raw[0] == '\0')
		return "is empty";
	if (raw[0] == '/')
		return "is absolute";
	while (*raw) {
		size_t n = strcspn(raw, "/");

		if (n == 2 && raw[0] == '.' && raw[1] == '.')
			return "has '..' in it";
		if (n > TAR_MAX_COMPONENT || len + n + 1 > TAR_MAX_PATH)
			return "is too long";
		if (n > 0 && !(n == 1 && raw[0] == '.')) {
			if (len > 0)
				out[len++] = '/';
			memcpy(out + len, raw, n);
			len += n;
		}
		raw += n + (raw[n] == '/');
	}
	out[len] = '\0';
	return NULL;
}

static int refuse(const struct tar_reader *r, const char *path, const char *why, struct error *err)
{
	err_set(err, ERR_INPUT, "%s: entry '%s' %s", r->name, path, why);
	return err_hint(err, "do not trust this image: no tool writes such a layer by accident");
}

static int map_type(char flag, const char *path, enum tar_type *out)
{
	size_t len = strlen(path);

	switch (flag) {
	case '\0':
	case '0':
	case '7':
		/* before POSIX a trailing slash made a folder */
		*out = len > 0 && path[len - 1] == '/' ? TAR_DIR : TAR_FILE;
		return 0;
	case '1':
		*out = TAR_HARDLINK;
		return 0;
	case '2':
		*out = TAR_SYMLINK;
		return 0;
	case '3':
		*out = TAR_CHAR;
		return 0;
	case '4':
		*out = TAR_BLOCK_DEVICE;
		return 0;
	case '5':
		*out = TAR_DIR;
		return 0;
	case '6':
		*out = TAR_FIFO;
		return 0;
	default:
		return -1;
	}
}

static int take_target(struct tar_reader *r, const char *raw, struct tar_entry *e,
					   struct error *err)
{
	const char *why;

	e->target = r->target;
	if (e->type == TAR_SYMLINK) {
		if (raw[0] == '\0' || strlen(raw) > TAR_MAX_PATH)
			return refuse(r, e->path, "links to nothing or too far", err);
		memcpy(r->target, raw, strlen(raw) + 1);
		return 0;
	}
	why = clean_path(raw, r->target);
	if (why)
		return refuse(r, e->path, "is a hard link out of the root", err);
	if (r->target[0] == '\0' || strcmp(r->target, r->path) == 0)
		return refuse(r, e->path, "is a hard link to a folder or to itself", err);
	return 0;
}

static int make_entry(struct tar_reader *r, const struct tar_header *h,
					  const struct tar_overrides *o, struct tar_entry *out, struct error *err)
{
	const char *raw = o->has_path ? buf_str(&o->path) : h->path;
	struct tar_entry e = {
		.path = r->path,
		.mode = h->mode,
		.uid = o->has_uid ? o->uid : h->uid,
		.gid = o->has_gid ? o->gid : h->gid,
		.mtime_s = o->has_mtime ? o->mtime_s : h->mtime_s,
		.size = o->has_size ? o->size : h->size,
		.dev_major = h->dev_major,
		.dev_minor = h->dev_minor,
		.capability = o->capability,
	};
	const char *why = clean_path(raw, r->path);

	if (why)
		return refuse(r, raw, why, err);
	if (map_type(h->type, raw, &e.type) < 0)
		return refuse(r, raw, "is of a kind that no layer has (sparse, volume, multi-part)", err);
	if (e.type != TAR_DIR && r->path[0] == '\0')
		return refuse(r, raw, "takes the place of the root", err);
	if (e.type != TAR_FILE && e.size > 0)
		return refuse(r, raw, "is no file, but has content", err);
	r->left = e.size;
	r->padding = (size_t)(-e.size & (TAR_BLOCK - 1));
	if ((e.type == TAR_SYMLINK || e.type == TAR_HARDLINK) &&
		take_target(r, o->has_target ? buf_str(&o->target) : h->target, &e, err) < 0)
		return -1;
	*out = e;
	return 0;
}

int tar_reader_next(struct tar_reader *r, struct tar_entry *entry, struct error *err)
{
	AUTO(tar_overrides) struct tar_overrides o = {0};
	struct tar_header h;

	for (;;) {
		int rc = r->ended ? 0 : next_header(r, &h, err);

		if (rc <= 0)
			return rc;
		rc = take_extension(r, &h, &o, err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			return make_entry(r, &h, &o, entry, err) < 0 ? -1 : 1;
	}
}

void tar_reader_sum(struct tar_reader *r, uint8_t sum[SHA256_BYTES])
{
	unpack_stream_sum(r->stream, sum);
}

uint64_t tar_reader_bytes(const struct tar_reader *r)
{
	return unpack_stream_bytes(r->stream);
}
