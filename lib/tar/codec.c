#include "tar/codec.h"

#include "base/mem.h"

#include <libdeflate.h>
#include <string.h>

/* for the allocator; the library is linked statically, so this is no promise of another's */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

struct codec {
	struct libdeflate_compressor *gzip; /* one of these two */
	ZSTD_CCtx *zstd;
	size_t zeros_len; /* of `zeros`; 0: not made yet */
	char zeros[4096]; /* what LAYER_MEMBER_BYTES of zeros become: holes of sparse files */
};

/* Out of memory ends the process, here like everywhere else. */
static void *zstd_alloc(void *unused, size_t size)
{
	(void)unused;
	return xmalloc(size);
}

static void zstd_free(void *unused, void *p)
{
	(void)unused;
	free(p);
}

struct codec *codec_new(enum layer_codec which)
{
	struct codec *c = xcalloc(1, sizeof(*c));
	ZSTD_customMem memory = {zstd_alloc, zstd_free, NULL};

	if (which == LAYER_ZSTD) {
		c->zstd = ZSTD_createCCtx_advanced(memory);
		ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, LAYER_ZSTD_LEVEL);
	} else {
		libdeflate_set_memory_allocator(xmalloc, free);
		c->gzip = libdeflate_alloc_compressor(LAYER_GZIP_LEVEL);
	}
	return c;
}

void codec_free(struct codec *c)
{
	if (!c)
		return;
	if (c->gzip)
		libdeflate_free_compressor(c->gzip);
	ZSTD_freeCCtx(c->zstd);
	free(c);
}

size_t codec_room(enum layer_codec which)
{
	return which == LAYER_ZSTD ? ZSTD_COMPRESSBOUND(LAYER_MEMBER_BYTES)
							   : libdeflate_gzip_compress_bound(NULL, LAYER_MEMBER_BYTES);
}

static size_t compress(struct codec *c, const void *in, size_t len, void *out)
{
	if (c->zstd)
		return ZSTD_compress2(c->zstd, out, codec_room(LAYER_ZSTD), in, len);
	return libdeflate_gzip_compress(c->gzip, in, len, out, codec_room(LAYER_GZIP));
}

static bool is_zero(const char *in, size_t len)
{
	return in[0] == '\0' && memcmp(in, in + 1, len - 1) == 0;
}

size_t codec_compress(struct codec *c, const void *in, size_t len, void *out)
{
	bool is_hole = len == LAYER_MEMBER_BYTES && is_zero(in, len);
	size_t n;

	if (is_hole && c->zeros_len > 0) {
		memcpy(out, c->zeros, c->zeros_len);
		return c->zeros_len;
	}
	n = compress(c, in, len, out);
	if (is_hole && n <= sizeof(c->zeros)) {
		memcpy(c->zeros, out, n);
		c->zeros_len = n;
	}
	return n;
}

uint32_t layer_crc32(const void *data, size_t len)
{
	return libdeflate_crc32(0, data, len);
}
