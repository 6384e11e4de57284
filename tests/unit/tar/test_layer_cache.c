/* Members that are made once: the cache of a layer's writer. */
#include "tar/layer.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#define FILES 6
#define FILE_BYTES (3 * LAYER_MEMBER_BYTES + 70000) /* four members, all worth keeping */

struct kept {
	pthread_mutex_t lock;
	struct map members; /* hex of the key -> struct buf * */
	int found, added;
};

static size_t find(void *user, const uint8_t key[SHA256_BYTES], void *out, size_t room)
{
	struct kept *k = user;
	char hex[SHA256_HEX_LEN + 1];
	struct buf *b;

	pthread_mutex_lock(&k->lock);
	b = map_get(&k->members, sha256_hex(key, hex));
	k->found += b != NULL;
	pthread_mutex_unlock(&k->lock);
	if (!b || b->len > room)
		return 0;
	memcpy(out, b->data, b->len);
	return b->len;
}

static void keep(void *user, const uint8_t key[SHA256_BYTES], const void *data, size_t len)
{
	struct kept *k = user;
	char hex[SHA256_HEX_LEN + 1];
	struct buf *b = xcalloc(1, sizeof(*b));

	buf_add(b, data, len);
	pthread_mutex_lock(&k->lock);
	cr_expect(map_put(&k->members, sha256_hex(key, hex), b), "made twice");
	k->added++;
	pthread_mutex_unlock(&k->lock);
}

static void release(struct kept *k)
{
	for (size_t i = 0; i < k->members.count; i++) {
		buf_release(k->members.entries[i].value);
		free(k->members.entries[i].value);
	}
	map_release(&k->members);
}

static int collect(void *user, const void *data, size_t len, struct error *err)
{
	(void)err;
	buf_add(user, data, len);
	return 0;
}

struct how {
	unsigned threads;
	enum layer_codec codec;
	int changed; /* the file whose content is another one; -1: none */
	struct kept *cache;
};

static void write_layer(const struct how *how, struct buf *out, struct layer_result *r)
{
	struct layer_cache cache = {find, keep, how->cache};
	struct layer_sink sink = {collect, out};
	AUTO_PTR(layer_writer) struct layer_writer *w = NULL;
	AUTO_FREE char *data = xmalloc(FILE_BYTES);
	struct error err = {0};

	layer_writer_new(&sink, &w);
	layer_writer_set_threads(w, how->threads);
	layer_writer_set_codec(w, how->codec);
	if (how->cache)
		layer_writer_set_cache(w, &cache);
	for (int f = 0; f < FILES; f++) {
		char path[] = {(char)('a' + f), '\0'};
		struct layer_entry e = {.type = LAYER_FILE, .path = path, .size = FILE_BYTES};
		uint32_t seed = (uint32_t)f + 1;

		for (size_t i = 0; i < FILE_BYTES; i++) {
			seed = seed * 1664525u + 1013904223u;
			data[i] = (char)('a' + (seed >> 28));
		}
		data[FILE_BYTES - 1] = f == how->changed ? '!' : '.';
		cr_assert_eq(layer_writer_entry(w, &e, &err), 0, "%s", err.msg);
		cr_assert_eq(layer_writer_data(w, data, FILE_BYTES, &err), 0, "%s", err.msg);
	}
	cr_assert_eq(layer_writer_end(w, r, &err), 0, "%s", err.msg);
}

static void expect_same(const struct buf *a, const struct buf *b, const char *what)
{
	cr_expect(a->len == b->len && memcmp(a->data, b->data, a->len) == 0, "%s", what);
}

Test(layer_cache, a_layer_is_the_same_with_and_without)
{
	static const unsigned threads[] = {1, 2, 8};

	for (size_t i = 0; i < 2 * ARRAY_LEN(threads); i++) {
		struct kept kept = {.lock = PTHREAD_MUTEX_INITIALIZER};
		struct how how = {threads[i / 2], i % 2 ? LAYER_ZSTD : LAYER_GZIP, -1, NULL};
		struct layer_result r = {0};
		AUTO(buf) struct buf a = {0}, b = {0}, c = {0};

		write_layer(&how, &a, &r);
		how.cache = &kept;
		write_layer(&how, &b, &r);
		cr_expect_eq(kept.found, 0);
		cr_expect_eq(kept.added, FILES * 4, "%d", kept.added);
		write_layer(&how, &c, &r);
		cr_expect_eq(kept.found, FILES * 4, "%d", kept.found);
		cr_expect_eq(kept.added, FILES * 4, "%d", kept.added);
		expect_same(&a, &b, "cold");
		expect_same(&a, &c, "warm");
		release(&kept);
	}
}

Test(layer_cache, a_changed_file_costs_its_own_bytes)
{
	struct kept kept = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct how how = {2, LAYER_GZIP, -1, &kept};
	struct layer_result r = {0};
	AUTO(buf) struct buf a = {0}, b = {0}, c = {0};

	write_layer(&how, &a, &r);
	how.changed = 2;
	write_layer(&how, &b, &r);
	/* its last member */
	cr_expect_eq(kept.added, FILES * 4 + 1, "%d", kept.added);
	cr_expect_eq(kept.found, FILES * 4 - 1, "%d", kept.found);
	how.cache = NULL;
	write_layer(&how, &c, &r);
	expect_same(&b, &c, "changed");
	release(&kept);
}

Test(layer_cache, gzip_and_zstd_share_nothing)
{
	struct kept kept = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct how how = {1, LAYER_GZIP, -1, &kept};
	struct layer_result r = {0};
	AUTO(buf) struct buf a = {0}, b = {0};

	write_layer(&how, &a, &r);
	how.codec = LAYER_ZSTD;
	write_layer(&how, &b, &r);
	cr_expect_eq(kept.found, 0, "%d", kept.found);
	release(&kept);
}
