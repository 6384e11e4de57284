#include "tar/layer.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static int collect(void *user, const void *data, size_t len, struct error *err)
{
	(void)err;
	buf_add(user, data, len);
	return 0;
}

static struct layer_writer *writer_of(struct buf *out, unsigned threads, enum layer_codec codec)
{
	struct layer_sink sink = {collect, out};
	struct layer_writer *w;

	layer_writer_new(&sink, &w);
	layer_writer_set_threads(w, threads);
	layer_writer_set_codec(w, codec);
	return w;
}

static struct layer_writer *writer(struct buf *out, unsigned threads)
{
	return writer_of(out, threads, LAYER_GZIP);
}

/* Every byte of every member. */
static void inflate_all(const struct buf *in, struct buf *out, size_t *members)
{
	z_stream z = {.next_in = (unsigned char *)in->data, .avail_in = (unsigned)in->len};

	cr_assert_eq(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
	*members = 0;
	while (z.avail_in > 0) {
		int rc;

		do {
			z.next_out = (unsigned char *)buf_grow(out, 65536);
			z.avail_out = 65536;
			rc = inflate(&z, Z_NO_FLUSH);
			cr_assert(rc == Z_OK || rc == Z_STREAM_END, "inflate: %d", rc);
			out->len += 65536 - z.avail_out;
		} while (rc != Z_STREAM_END);
		++*members;
		inflateReset(&z);
	}
	inflateEnd(&z);
}

static void fill(char *data, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525u + 1013904223u;
		data[i] = (char)('a' + (seed >> 27)); /* compresses, but not to nothing */
	}
}

static void add_file(struct layer_writer *w, const char *path, size_t size, uint32_t seed)
{
	AUTO_FREE char *data = xmalloc(size + 1);
	struct layer_entry e = {.type = LAYER_FILE, .path = path, .mode = 0644, .size = size};
	struct error err = {0};

	fill(data, size, seed);
	cr_assert_eq(layer_writer_entry(w, &e, &err), 0, "%s", err.msg);
	for (size_t at = 0, step = 1; at < size; step = step * 5 + 1) {
		size_t n = step < size - at ? step : size - at;

		cr_assert_eq(layer_writer_data(w, data + at, n, &err), 0, "%s", err.msg);
		at += n;
	}
}

/* A bit of everything that the format has a special case for. */
static void write_sample(struct layer_writer *w, struct layer_result *r)
{
	static const char p90[] =
		"long/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaa";
	AUTO_FREE char *split = xasprintf("%s/%s", p90, "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
	char unsplit[202];
	struct layer_entry entries[] = {
		{.type = LAYER_DIR, .path = "etc", .mode = 0755},
		{.type = LAYER_SYMLINK, .path = "etc/link", .target = "../usr/bin/app", .mode = 0777},
		{.type = LAYER_HARDLINK, .path = "etc/second", .target = "etc/first", .mode = 0600},
		{.type = LAYER_DIR, .path = "long", .mode = 01777, .mtime_s = 1700000000},
		{.type = LAYER_DIR, .path = p90, .mode = 0700, .uid = 65532, .gid = 65532},
		{.type = LAYER_FILE, .path = split, .mode = 04755, .uid = 3000000, .gid = 4294967294u},
		{.type = LAYER_SYMLINK, .path = "long/link", .target = unsplit, .mtime_s = -1},
		{.type = LAYER_FILE, .path = unsplit, .mtime_s = 1ll << 34},
		{.type = LAYER_FILE, .path = "usr/grüße", .mode = 0644},
	};
	struct error err = {0};

	memset(unsplit, 'm', sizeof(unsplit) - 1);
	unsplit[sizeof(unsplit) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		cr_assert_eq(layer_writer_entry(w, &entries[i], &err), 0, "%s", err.msg);
	add_file(w, "var/a-small", 1000, 1);
	add_file(w, "var/b-large", 3500000, 2);
	add_file(w, "var/c-aligned", LAYER_ALIGN_BYTES, 3);
	add_file(w, "var/d-not-aligned", LAYER_ALIGN_BYTES - 1, 4);
	add_file(w, "var/e-empty", 0, 5);
	cr_assert_eq(layer_writer_end(w, r, &err), 0, "%s", err.msg);
}

static void sample(unsigned threads, enum layer_codec codec, struct buf *out,
				   struct layer_result *r)
{
	AUTO_PTR(layer_writer) struct layer_writer *w = writer_of(out, threads, codec);

	write_sample(w, r);
}

/* These digests are LAYER_COMPAT 1. A change of them changes the digest of every image that was
 * ever built: raise LAYER_COMPAT and keep the old form, or find out what went wrong. */
static const char golden_empty_tar[] =
	"5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
static const char golden_empty_gzip[] =
	"62539018952ddec37a4fcf8d77171cfbcd5b21fc3520f32028cd9cfdae546a31";
static const char golden_sample_tar[] =
	"c2ae386ce8a808ff856497a0623c5f0492b8468b306575cbab7513a961228a11";
static const char golden_sample_gzip[] =
	"3a86304397bcd3df774bb8f71a55e8b0281483076eb7d370e69b3c149676bfb6";
static const char golden_sample_zstd[] =
	"a4210175f3127b4d2172afcb2a7843eab93d835d313a5eb529b174aa348dd37c";

static void expect_sum(const uint8_t sum[SHA256_BYTES], const char *want)
{
	char hex[SHA256_HEX_LEN + 1];

	cr_expect_str_eq(sha256_hex(sum, hex), want, "got %s", hex);
}

Test(layer, the_empty_layer_is_the_golden_one)
{
	AUTO(buf) struct buf out = {0};
	AUTO_PTR(layer_writer) struct layer_writer *w = writer(&out, 1);
	struct layer_result r = {0};
	uint8_t sum[SHA256_BYTES];
	struct error err = {0};

	cr_assert_eq(layer_writer_end(w, &r, &err), 0);
	expect_sum(r.diff_id, golden_empty_tar);
	sha256_of(out.data, out.len, sum);
	expect_sum(sum, golden_empty_gzip);
	/* RFC 1952: no name, no time, unknown system */
	cr_expect_eq(memcmp(out.data, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", 10), 0);
}

Test(layer, the_sample_is_the_golden_one_on_any_number_of_threads)
{
	static const unsigned threads[] = {1, 2, 3, 8, 0, 1000};

	for (size_t i = 0; i < 2 * ARRAY_LEN(threads); i++) {
		enum layer_codec codec = i % 2 ? LAYER_ZSTD : LAYER_GZIP;
		AUTO(buf) struct buf out = {0};
		struct layer_result r = {0};
		uint8_t sum[SHA256_BYTES];

		sample(threads[i / 2], codec, &out, &r);
		expect_sum(r.diff_id, golden_sample_tar);
		sha256_of(out.data, out.len, sum);
		expect_sum(sum, codec == LAYER_ZSTD ? golden_sample_zstd : golden_sample_gzip);
		cr_expect_eq(out.len, r.bytes);
	}
}

Test(layer, what_is_hashed_is_what_is_inside)
{
	AUTO(buf) struct buf out = {0}, tar = {0};
	struct layer_result r = {0};
	uint8_t sum[SHA256_BYTES];
	size_t members;

	sample(3, LAYER_GZIP, &out, &r);
	inflate_all(&out, &tar, &members);
	sha256_of(tar.data, tar.len, sum);
	cr_expect_eq(memcmp(sum, r.diff_id, sizeof(sum)), 0);
	cr_expect_eq(tar.len, r.tar_bytes);
	cr_expect_eq(tar.len % 512, 0);
	/* headers | b-large in 4 | header | c-aligned | the rest */
	cr_expect_eq(members, 8);
}

/* An unchanged large file gives the same members wherever it lies. */
Test(layer, members_of_a_large_file_do_not_depend_on_its_neighbours)
{
	AUTO(buf) struct buf one = {0}, other = {0};
	struct layer_result r = {0};
	struct error err = {0};
	size_t len = 0;

	for (int i = 0; i < 2; i++) {
		AUTO_PTR(layer_writer) struct layer_writer *w = writer(i ? &other : &one, 1);

		if (i)
			add_file(w, "a", 12345, 7);
		add_file(w, "b", LAYER_MEMBER_BYTES, 8);
		cr_assert_eq(layer_writer_end(w, &r, &err), 0);
	}
	/* behind the first member, which holds headers, stands the file's, equal in both */
	for (size_t i = 1; i + 10 < one.len && !len; i++)
		if (memcmp(one.data + i, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", 10) == 0)
			len = one.len - i;
	cr_assert_gt(len, 500000);
	cr_expect_eq(memcmp(one.data + one.len - len, other.data + other.len - len, len), 0);
}

Test(layer, a_file_is_read_to_its_end_and_not_beyond)
{
	static const struct {
		size_t real, said;
		bool fine;
	} rows[] = {
		{10, 10, true}, {10, 11, false}, {10, 9, false},           {0, 0, true},
		{0, 1, false},  {1, 0, false},   {2000000, 2000000, true}, {2000000, 1999999, false}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(buf) struct buf out = {0};
		AUTO_PTR(layer_writer) struct layer_writer *w = writer(&out, 1);
		AUTO_FREE char *data = xcalloc(1, rows[i].real);
		struct layer_entry e = {.type = LAYER_FILE, .path = "f", .size = rows[i].said};
		AUTO_CLOSE int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		struct error err = {0};

		cr_assert_geq(fd, 0);
		cr_assert_eq(fs_write_fd(fd, "f", data, rows[i].real, &err), 0);
		lseek(fd, 0, SEEK_SET);
		cr_expect_eq(layer_writer_file(w, &e, fd, &err), rows[i].fine ? 0 : -1, "row %zu", i);
		if (!rows[i].fine)
			cr_expect_eq(err.code, ERR_INPUT);
	}
}

Test(layer, refuses_entries_that_make_no_image)
{
	static const struct layer_xattr unsorted[] = {{"user.b", "", 0}, {"user.a", "", 0}};
	static const struct layer_xattr unnamed[] = {{"", "x", 1}};
	static const struct layer_xattr cut[] = {{"user.a=b", "x", 1}};
	static const struct layer_xattr large[] = {{"user.a", "x", LAYER_MAX_XATTR_BYTES + 1}};
	static const struct layer_entry bad[] = {
		{.type = LAYER_FILE, .path = ""},
		{.type = LAYER_FILE, .path = "/m/abs"},
		{.type = LAYER_FILE, .path = "m/../x"},
		{.type = LAYER_FILE, .path = "./m"},
		{.type = LAYER_FILE, .path = "m/"},
		{.type = LAYER_FILE, .path = "m//n"},
		{.type = LAYER_FILE, .path = "m/n\n"},
		{.type = LAYER_FILE, .path = "m/.wh.n"},
		{.type = LAYER_FILE, .path = "m"},
		{.type = LAYER_FILE, .path = "l"},
		{.type = LAYER_SYMLINK, .path = "n"},
		{.type = LAYER_SYMLINK, .path = "n", .target = ""},
		{.type = LAYER_HARDLINK, .path = "n", .target = "../n"},
		{.type = LAYER_HARDLINK, .path = "n", .target = "/m"},
		{.type = LAYER_FILE, .path = "n", .target = "m"},
		{.type = LAYER_DIR, .path = "n", .size = 1},
		{.type = LAYER_FILE, .path = "n", .size = LAYER_MAX_BYTES},
		{.type = LAYER_FILE, .path = "n", .size = UINT64_MAX},
		{.type = LAYER_FILE, .path = "n", .xattrs = unsorted, .xattr_count = 2},
		{.type = LAYER_FILE, .path = "n", .xattrs = unnamed, .xattr_count = 1},
		{.type = LAYER_FILE, .path = "n", .xattrs = cut, .xattr_count = 1},
		{.type = LAYER_FILE, .path = "n", .xattrs = large, .xattr_count = 1},
	};
	AUTO(buf) struct buf out = {0};
	AUTO_PTR(layer_writer) struct layer_writer *w = writer(&out, 1);
	struct layer_entry first = {.type = LAYER_FILE, .path = "m", .size = 1};
	AUTO_FREE char *long_path = xmalloc(LAYER_MAX_PATH + 2);
	struct layer_entry too_long = {.type = LAYER_DIR, .path = long_path};
	struct layer_result r;
	struct error err = {0};

	memset(long_path, 'x', LAYER_MAX_PATH + 1);
	long_path[LAYER_MAX_PATH + 1] = '\0';
	cr_assert_eq(layer_writer_entry(w, &first, &err), 0, "%s", err.msg);
	/* its content is still to come */
	cr_expect_eq(layer_writer_entry(w, &(struct layer_entry){.type = LAYER_DIR, .path = "n"}, &err),
				 -1);
	cr_expect_eq(layer_writer_end(w, &r, &err), -1);
	cr_expect_eq(layer_writer_data(w, "xy", 2, &err), -1);
	cr_expect_eq(layer_writer_data(w, "x", 1, &err), 0, "%s", err.msg);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cr_expect_eq(layer_writer_entry(w, &bad[i], &err), -1, "row %zu", i);
		cr_expect_eq(err.code, ERR_INPUT, "row %zu", i);
	}
	cr_expect_eq(layer_writer_entry(w, &too_long, &err), -1);
	long_path[LAYER_MAX_PATH] = '\0';
	cr_expect_eq(layer_writer_entry(w, &too_long, &err), -1, "a name of 4096 bytes");
	for (size_t i = LAYER_MAX_NAME; i < LAYER_MAX_PATH - 1; i += LAYER_MAX_NAME)
		long_path[i] = '/';
	cr_expect_eq(layer_writer_entry(w, &too_long, &err), 0, "%s", err.msg);
	cr_expect_eq(layer_writer_end(w, &r, &err), 0, "%s", err.msg);
}

static int full_disk(void *user, const void *data, size_t len, struct error *err)
{
	(void)user;
	(void)data;
	(void)len;
	return err_set(err, ERR_SYS, "disk full");
}

Test(layer, a_failing_sink_ends_the_writing)
{
	struct layer_sink sink = {full_disk, NULL};
	AUTO_PTR(layer_writer) struct layer_writer *w = NULL;
	struct layer_entry e = {.type = LAYER_FILE, .path = "f", .size = 64u << 20};
	AUTO_FREE char *data = xcalloc(1, 1u << 20);
	struct error err = {0};
	int rc = 0;

	layer_writer_new(&sink, &w);
	layer_writer_set_threads(w, 2);
	cr_assert_eq(layer_writer_entry(w, &e, &err), 0);
	for (int i = 0; i < 64 && rc == 0; i++)
		rc = layer_writer_data(w, data, 1u << 20, &err);
	cr_expect_eq(rc, -1);
	cr_expect_str_eq(err.msg, "disk full");
}
