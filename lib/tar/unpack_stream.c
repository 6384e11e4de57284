#include "tar/unpack_stream.h"

#include "base/compiler.h"
#include "base/mem.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define INPUT_BYTES (128u * 1024)

enum packing {
	PLAIN,
	GZIP,
	ZSTD,
};

struct unpack_stream {
	struct tar_source source;
	const char *name; /* borrowed: lives as long as the reader */
	uint64_t left;    /* of max_bytes */
	uint64_t bytes;   /* that came out */
	struct sha256 *hash;
	enum packing packing;
	z_stream gzip;
	bool gzip_open;
	ZSTD_DStream *zstd;
	bool inside;    /* a member or frame has begun and not ended */
	bool input_end; /* the source has no more */
	size_t in_at, in_len;
	unsigned char in[INPUT_BYTES];
};

void unpack_stream_free(struct unpack_stream *s)
{
	if (!s)
		return;
	if (s->gzip_open)
		inflateEnd(&s->gzip);
	ZSTD_freeDStream(s->zstd);
	sha256_free(s->hash);
	free(s);
}

/* Fetch more input behind what is there. */
static int fetch(struct unpack_stream *s, struct error *err)
{
	ssize_t n;

	if (s->in_at == s->in_len)
		s->in_at = s->in_len = 0;
	n = s->source.read(s->source.user, s->in + s->in_len, sizeof(s->in) - s->in_len, err);
	if (n < 0)
		return -1;
	s->input_end = n == 0;
	s->in_len += (size_t)n;
	return 0;
}

static bool in_starts(const struct unpack_stream *s, const char *magic, size_t len)
{
	return s->in_len - s->in_at >= len && memcmp(s->in + s->in_at, magic, len) == 0;
}

static int open_gzip(struct unpack_stream *s, struct error *err)
{
	if (inflateInit2(&s->gzip, 16 + MAX_WBITS) != Z_OK)
		return err_set(err, ERR_SYS, "cannot start zlib");
	s->gzip_open = true;
	s->packing = GZIP;
	return 0;
}

static int open_zstd(struct unpack_stream *s, struct error *err)
{
	s->zstd = ZSTD_createDStream();
	if (!s->zstd)
		return err_set(err, ERR_SYS, "cannot start libzstd");
	ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax, ZSTD_MAX_WINDOW_LOG);
	s->packing = ZSTD;
	return 0;
}

static const struct {
	const char *magic;
	size_t len;
	const char *name;
} unsupported[] = {
	{"\xfd"
	 "7zXZ",
	 5, "xz"},
	{"BZh", 3, "bzip2"},
	{"\x5d\x00\x00", 3, "lzma"},
	{"PK\x03\x04", 4, "zip"},
	{"7z\xbc\xaf", 4, "7z"},
	{"Rar!", 4, "rar"},
	{"\x04\x22\x4d\x18", 4, "lz4"},
	{"LZIP", 4, "lzip"},
	{"\x1f\x9d", 2, "compress"},
};

static int detect(struct unpack_stream *s, struct error *err)
{
	while (s->in_len < 8 && !s->input_end)
		if (fetch(s, err) < 0)
			return -1;
	if (in_starts(s, "\x1f\x8b", 2))
		return open_gzip(s, err);
	/* a frame, or a skippable one, whose magic has four free bits */
	if (in_starts(s, "\x28\xb5\x2f\xfd", 4) ||
		(s->in_len >= 4 && (s->in[0] & 0xf0) == 0x50 && memcmp(s->in + 1, "\x2a\x4d\x18", 3) == 0))
		return open_zstd(s, err);
	for (size_t i = 0; i < ARRAY_LEN(unsupported); i++) {
		if (!in_starts(s, unsupported[i].magic, unsupported[i].len))
			continue;
		err_set(err, ERR_INPUT, "%s: %s is not supported", s->name, unsupported[i].name);
		return err_hint(err, "layers are tar, tar+gzip or tar+zstd");
	}
	return 0;
}

int unpack_stream_new(const struct tar_source *source, const char *name, uint64_t max_bytes,
					  struct unpack_stream **out, struct error *err)
{
	AUTO_PTR(unpack_stream) struct unpack_stream *s = xcalloc(1, sizeof(*s));

	s->source = *source;
	s->name = name;
	s->left = max_bytes;
	s->hash = sha256_new();
	if (detect(s, err) < 0)
		return -1;
	*out = TAKE(s);
	return 0;
}

static int damaged(const struct unpack_stream *s, const char *how, struct error *err)
{
	return err_set(err, ERR_INPUT, "%s: the compressed data is damaged: %s", s->name, how);
}

/* One step of each kind of unpacking: consumes input that is there, gives 0 or more bytes. */

static ssize_t step_plain(struct unpack_stream *s, void *data, size_t len)
{
	size_t n = s->in_len - s->in_at;

	if (n > len)
		n = len;
	memcpy(data, s->in + s->in_at, n);
	s->in_at += n;
	return (ssize_t)n;
}

static ssize_t step_gzip(struct unpack_stream *s, void *data, size_t len, struct error *err)
{
	z_stream *z = &s->gzip;
	int rc;

	if (!s->inside && inflateReset(z) != Z_OK)
		return err_set(err, ERR_SYS, "cannot start zlib");
	s->inside = true;
	z->next_in = s->in + s->in_at;
	z->avail_in = (unsigned)(s->in_len - s->in_at);
	z->next_out = data;
	z->avail_out = (unsigned)len;
	rc = inflate(z, Z_NO_FLUSH);
	s->in_at = s->in_len - z->avail_in;
	if (rc == Z_STREAM_END)
		s->inside = false;
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		return damaged(s, z->msg ? z->msg : "gzip", err);
	return (ssize_t)(len - z->avail_out);
}

static ssize_t step_zstd(struct unpack_stream *s, void *data, size_t len, struct error *err)
{
	ZSTD_inBuffer in = {s->in, s->in_len, s->in_at};
	ZSTD_outBuffer out = {data, len, 0};
	size_t rc = ZSTD_decompressStream(s->zstd, &out, &in);

	if (ZSTD_isError(rc))
		return damaged(s, ZSTD_getErrorName(rc), err);
	s->in_at = in.pos;
	s->inside = rc != 0;
	return (ssize_t)out.pos;
}

static ssize_t step(struct unpack_stream *s, void *data, size_t len, struct error *err)
{
	switch (s->packing) {
	case GZIP:
		return step_gzip(s, data, len, err);
	case ZSTD:
		return step_zstd(s, data, len, err);
	case PLAIN:
		break;
	}
	return step_plain(s, data, len);
}

/* As much as one step gives; 0 only at the end. */
static ssize_t read_some(struct unpack_stream *s, void *data, size_t len, struct error *err)
{
	for (;;) {
		bool idle = s->in_at == s->in_len;
		ssize_t n = 0;

		if (idle && !s->input_end && fetch(s, err) < 0)
			return -1;
		idle = s->in_at == s->in_len;
		/* with all input consumed the library may still hold output back */
		if (!idle || s->inside)
			n = step(s, data, len, err);
		if (n != 0)
			return n;
		if (s->input_end && s->in_at == s->in_len)
			return s->inside ? damaged(s, "it ends too early", err) : 0;
	}
}

ssize_t unpack_stream_read(struct unpack_stream *s, void *data, size_t len, struct error *err)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = read_some(s, (char *)data + got, len - got, err);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		if ((uint64_t)n > s->left)
			return err_set(err, ERR_INPUT, "%s: is larger than allowed when it is unpacked",
						   s->name);
		s->left -= (uint64_t)n;
		s->bytes += (uint64_t)n;
		got += (size_t)n;
	}
	sha256_add(s->hash, data, got);
	return (ssize_t)got;
}

void unpack_stream_sum(struct unpack_stream *s, uint8_t sum[SHA256_BYTES])
{
	sha256_end(s->hash, sum);
}

uint64_t unpack_stream_bytes(const struct unpack_stream *s)
{
	return s->bytes;
}
