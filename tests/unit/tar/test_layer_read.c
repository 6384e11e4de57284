/* What the layer's writer writes, read by the reader: extended headers, attributes, sparse files.
 */
#include "tar/layer.h"

#include "base/fs.h"
#include "base/mem.h"
#include "maker.h"
#include "tar/header.h"
#include "tar/ustar.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int collect(void *user, const void *data, size_t len, struct error *err)
{
	(void)err;
	buf_add(user, data, len);
	return 0;
}

static struct layer_writer *writer(struct buf *out, enum layer_codec codec)
{
	struct layer_sink sink = {collect, out};
	struct layer_writer *w;

	layer_writer_new(&sink, &w);
	layer_writer_set_threads(w, 2);
	layer_writer_set_codec(w, codec);
	return w;
}

static const uint8_t capability[20] = {1, 0, 0, 2, 0, 4, '\n', '=', ' ', 0};
static const struct layer_xattr xattrs[] = {{"security.capability", capability, sizeof(capability)},
											{"user.note", "a=b\nc", 5}};

static const struct layer_entry entries[] = {
	{.type = LAYER_DIR, .path = "bin", .mode = 0755, .mtime_s = -5},
	{.type = LAYER_FILE,
	 .path = "bin/app",
	 .mode = 0755,
	 .xattrs = xattrs,
	 .xattr_count = 2,
	 .uid = 1u << 31,
	 .gid = 65532,
	 .mtime_s = 1ll << 35},
	{.type = LAYER_HARDLINK, .path = "bin/second", .target = "bin/app", .mode = 0755},
	{.type = LAYER_FILE,
	 .path = "gr\xc3\xbc\xc3\x9f"
			 "e \xff",
	 .mode = 0600},
	{.type = LAYER_SYMLINK,
	 .path = "link",
	 .target = "/gr\xc3\xbc\xc3\x9f"
			   "e",
	 .mode = 0777},
};

Test(layer_read, what_was_written_is_read_back)
{
	for (int codec = LAYER_GZIP; codec <= LAYER_ZSTD; codec++) {
		AUTO(buf) struct buf out = {0};
		AUTO_PTR(layer_writer) struct layer_writer *w = writer(&out, (enum layer_codec)codec);
		AUTO_PTR(tar_reader) struct tar_reader *r = NULL;
		struct made_source from = {.from = &out, .step = 100};
		struct tar_source source = made_source(&from);
		struct layer_result done;
		struct tar_entry e;
		struct error err = {0};
		uint8_t sum[SHA256_BYTES];

		for (size_t i = 0; i < ARRAY_LEN(entries); i++)
			cr_assert_eq(layer_writer_entry(w, &entries[i], &err), 0, "%s", err.msg);
		cr_assert_eq(layer_writer_end(w, &done, &err), 0, "%s", err.msg);
		cr_assert_eq(tar_reader_new(&source, "layer", 1 << 20, &r, &err), 0, "%s", err.msg);
		for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
			const struct layer_entry *want = &entries[i];

			cr_assert_eq(tar_reader_next(r, &e, &err), 1, "%s", err.msg);
			cr_expect_str_eq(e.path, want->path);
			cr_expect_eq(e.mode, want->mode, "%s", e.path);
			cr_expect_eq(e.uid, want->uid, "%s", e.path);
			cr_expect_eq(e.gid, want->gid, "%s", e.path);
			cr_expect_eq(e.mtime_s, want->mtime_s, "%s", e.path);
			if (want->target)
				cr_expect_str_eq(e.target, want->target);
			cr_expect_eq(e.capability.len, want->xattrs ? sizeof(capability) : 0, "%s", e.path);
			cr_expect_eq(memcmp(e.capability.bytes, capability, e.capability.len), 0);
		}
		cr_expect_eq(tar_reader_next(r, &e, &err), 0, "%s", err.msg);
		tar_reader_sum(r, sum);
		cr_expect_eq(memcmp(sum, done.diff_id, sizeof(sum)), 0);
	}
}

/* Sorted by key, the value raw, the length counting itself. */
Test(layer_read, attributes_are_pax_records)
{
	static const char want[] = "57 SCHILY.xattr.security.capability=\x01\0\0\x02\0\x04\n= "
							   "\0\0\0\0\0\0\0\0\0\0\0\n"
							   "32 SCHILY.xattr.user.note=a=b\nc\n"
							   "18 uid=2147483648\n";
	AUTO(buf) struct buf out = {0};
	struct layer_entry e = entries[1];

	e.mtime_s = 0;
	ustar_header(&e, &out);
	cr_assert_eq(out.len, 3 * USTAR_BLOCK);
	cr_expect_eq(out.data[156], 'x');
	cr_expect_eq(memcmp(out.data + USTAR_BLOCK, want, sizeof(want) - 1), 0, "%s",
				 out.data + USTAR_BLOCK);
}

Test(layer_read, a_size_that_octal_cannot_hold_is_a_pax_record)
{
	static const uint64_t sizes[] = {(8ull << 30) - 1, 8ull << 30, LAYER_MAX_BYTES - 4096};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		AUTO(buf) struct buf out = {0};
		AUTO(tar_overrides) struct tar_overrides o = {0};
		struct layer_entry e = {.type = LAYER_FILE, .path = "large", .size = sizes[i]};
		struct tar_header h;
		struct error err = {0};

		ustar_header(&e, &out);
		cr_assert_eq(
			tar_header_parse((unsigned char *)out.data + out.len - USTAR_BLOCK, "t", &h, &err), 0);
		cr_assert_eq(out.len, i ? 3 * USTAR_BLOCK : USTAR_BLOCK);
		if (i > 0) {
			struct span records = {out.data + USTAR_BLOCK, strlen(out.data + USTAR_BLOCK)};

			cr_assert_eq(tar_pax_parse(records, "t", &o, &err), 0, "%s", err.msg);
			cr_expect(o.has_size && o.size == sizes[i]);
		} else {
			cr_expect_eq(h.size, sizes[i]);
		}
	}
}

#define MIB ((off_t)1 << 20)

struct part {
	off_t at, len;
};

static int sparse_file(off_t size, const struct part *parts, bool is_sparse)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	AUTO_FREE char *zeros = xcalloc(1, (size_t)MIB);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, size), 0);
	for (off_t at = 0; !is_sparse && at < size; at += MIB)
		cr_assert_gt(pwrite(fd, zeros, (size_t)(size - at < MIB ? size - at : MIB), at), 0);
	for (; parts->len > 0; parts++) {
		AUTO_FREE char *data = xmalloc((size_t)parts->len);

		memset(data, 'd', (size_t)parts->len);
		cr_assert_eq(pwrite(fd, data, (size_t)parts->len, parts->at), parts->len);
	}
	return fd;
}

/* One with holes and one without are the same content: the same layer. */
Test(layer_read, holes_are_zeros)
{
	static const struct {
		off_t size;
		struct part parts[4];
	} rows[] = {
		{40 * MIB, {{0, 0}}},
		{40 * MIB, {{0, 5000}}},
		{40 * MIB, {{39 * MIB, MIB}}},
		{40 * MIB + 1, {{3 * MIB + 4096, 100}, {20 * MIB - 1, 2}, {40 * MIB, 1}}},
		{LAYER_ALIGN_BYTES - 1, {{4096, 1}}},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct layer_result r[2] = {0};
		struct buf out[2] = {0};

		for (int sparse = 0; sparse < 2; sparse++) {
			AUTO_CLOSE int fd = sparse_file(rows[i].size, rows[i].parts, sparse);
			AUTO_PTR(layer_writer) struct layer_writer *w = writer(&out[sparse], LAYER_GZIP);
			struct layer_entry e = {
				.type = LAYER_FILE, .path = "f", .size = (uint64_t)rows[i].size};
			struct error err = {0};

			lseek(fd, 12345, SEEK_SET);
			cr_assert_eq(layer_writer_file(w, &e, fd, &err), 0, "row %zu: %s", i, err.msg);
			cr_assert_eq(layer_writer_end(w, &r[sparse], &err), 0);
		}
		cr_expect_eq(memcmp(r[0].diff_id, r[1].diff_id, SHA256_BYTES), 0, "row %zu", i);
		cr_expect_eq(out[0].len, out[1].len, "row %zu", i);
		cr_expect_eq(memcmp(out[0].data, out[1].data, out[0].len), 0, "row %zu", i);
		buf_release(&out[0]);
		buf_release(&out[1]);
	}
}

/* cut while it is read: what is behind the new end must not pass for a hole */
struct cut {
	int fd;
	off_t to;
};

static int cut_it(void *user, const void *data, size_t len, struct error *err)
{
	const struct cut *c = user;

	(void)data;
	(void)len;
	(void)err;
	cr_expect_eq(ftruncate(c->fd, c->to), 0);
	return 0;
}

Test(layer_read, a_file_that_changes_its_size_meanwhile_is_an_error)
{
	static const struct part parts[] = {{0, 20 * MIB}, {0, 0}};
	static const off_t ends[] = {8 * MIB, 30 * MIB, 41 * MIB};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		AUTO_CLOSE int fd = sparse_file(40 * MIB, parts, true);
		struct cut cut = {fd, ends[i]};
		struct layer_sink sink = {cut_it, &cut};
		AUTO_PTR(layer_writer) struct layer_writer *w = NULL;
		struct layer_entry e = {.type = LAYER_FILE, .path = "f", .size = (uint64_t)(40 * MIB)};
		struct error err = {0};

		layer_writer_new(&sink, &w);
		layer_writer_set_threads(w, 1);
		cr_expect_eq(layer_writer_file(w, &e, fd, &err), -1, "row %zu", i);
		cr_expect_eq(err.code, ERR_INPUT, "row %zu", i);
		cr_expect_str_eq(err.msg, "f: changed while it was read");
	}
}
