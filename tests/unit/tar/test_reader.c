#include "tar/reader.h"

#include "base/compiler.h"
#include "base/dl.h"
#include "base/mem.h"
#include "maker.h"
#include "tar/layer.h"

#include <criterion/criterion.h>
#include <string.h>
#include <zlib.h>

struct zstd {
	size_t (*compress)(void *out, size_t room, const void *in, size_t len, int level);
};

static const struct dl_symbol zstd_symbols[] = {DL_SYMBOL(struct zstd, compress, "ZSTD_compress"),
												{NULL, 0}};

#define MANY (1ull << 40)

/* Read all of it; the paths joined by spaces, or -1. */
static int read_all(const struct buf *tar, size_t step, uint64_t max, struct buf *paths,
					struct error *err)
{
	struct made_source state = {tar, 0, step};
	struct tar_source source = made_source(&state);
	AUTO_PTR(tar_reader) struct tar_reader *r = NULL;
	struct tar_entry e;
	char data[100];
	int rc;

	if (tar_reader_new(&source, "layer", max, &r, err) < 0)
		return -1;
	while ((rc = tar_reader_next(r, &e, err)) > 0) {
		ssize_t n;

		buf_addf(paths, "%s ", e.path);
		while (e.type == TAR_FILE && (n = tar_reader_data(r, data, sizeof(data), err)) != 0)
			if (n < 0)
				return -1;
	}
	return rc;
}

static void sample(struct buf *tar)
{
	make_entry(tar, &(struct made){.path = "./", .type = '5'});
	make_entry(tar, &(struct made){.path = "./etc/", .type = '5'});
	make_entry(tar, &(struct made){.path = "etc//./passwd", .content = "root:x:0:0"});
	make_entry(tar, &(struct made){.path = "etc/link", .type = '2', .target = "/abs/../x"});
	make_entry(tar, &(struct made){.path = "etc/hard", .type = '1', .target = "./etc/passwd"});
	make_pax(tar, "path",
			 "gr\xc3\xbc\xc3\x9f"
			 "e\xff",
			 8);
	make_entry(tar, &(struct made){.path = "x", .content = "y"});
	make_end(tar);
}

static const char sample_paths[] = " etc etc/passwd etc/link etc/hard gr\xc3\xbc\xc3\x9f"
								   "e\xff ";

Test(tar_reader, reads_plain_gzip_and_zstd_in_pieces_of_any_size)
{
	static const size_t steps[] = {1, 7, 512, 0};
	AUTO(buf) struct buf tar = {0}, gz = {0}, zst = {0};
	const struct buf *kinds[] = {&tar, &gz, &zst};
	z_stream z = {0};
	struct zstd zstd;
	struct error load = {0};

	sample(&tar);
	/* two gzip members, cut in the middle of a header */
	for (int half = 0; half < 2; half++) {
		size_t from = half ? 700 : 0, len = half ? tar.len - 700 : 700;

		cr_assert_eq(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
		z.next_in = (unsigned char *)tar.data + from;
		z.avail_in = (unsigned)len;
		z.next_out = (unsigned char *)buf_grow(&gz, 20000);
		z.avail_out = 20000;
		cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
		gz.len += z.total_out;
		deflateEnd(&z);
	}
	cr_assert_eq(dl_load("libzstd.so.1", "libzstd1", zstd_symbols, &zstd, &load), 0, "%s",
				 load.msg);
	zst.len = zstd.compress(buf_grow(&zst, 20000), 20000, tar.data, tar.len, 3);
	cr_assert_lt(zst.len, 20000);
	for (size_t k = 0; k < 3; k++)
		for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
			AUTO(buf) struct buf paths = {0};
			struct error err = {0};

			cr_assert_eq(read_all(kinds[k], steps[i], MANY, &paths, &err), 0, "%zu %zu: %s", k,
						 steps[i], err.msg);
			cr_expect_str_eq(buf_str(&paths), sample_paths);
			/* cut anywhere, the compressed ones fail and the plain one never crashes */
			for (size_t cut = 1; cut < kinds[k]->len; cut += 13) {
				struct buf part = {kinds[k]->data, cut, 0};
				AUTO(buf) struct buf some = {0};

				if (read_all(&part, 0, MANY, &some, &err) == 0)
					cr_expect(k == 0 ? cut % 512 == 0 || cut > tar.len - 1024 : k == 1,
							  "kind %zu cut at %zu was accepted", k, cut);
			}
		}
}

static const struct {
	struct made entry;
	const char *says;
} hostile[] = {
	{{.path = "../x"}, "'..'"},
	{{.path = "a/../../x"}, "'..'"},
	{{.path = "./../x"}, "'..'"},
	{{.path = ".."}, "'..'"},
	{{.path = "a/.."}, "'..'"},
	{{.path = "/etc/x"}, "absolute"},
	{{.path = "//etc/x"}, "absolute"},
	{{.path = ""}, "empty"},
	{{.path = "."}, "place of the root"},
	{{.path = "./", .type = '2', .target = "/"}, "place of the root"},
	{{.path = "x", .type = '2', .target = ""}, "links to nothing"},
	{{.path = "x", .type = '1', .target = "/etc/shadow"}, "hard link out"},
	{{.path = "x", .type = '1', .target = "../etc/shadow"}, "hard link out"},
	{{.path = "x", .type = '1', .target = "a/../../b"}, "hard link out"},
	{{.path = "x", .type = '1', .target = "."}, "to a folder or to itself"},
	{{.path = "x", .type = '1', .target = "./x"}, "to a folder or to itself"},
	{{.path = "x", .type = '1', .target = "y", .content = "data"}, "has content"},
	{{.path = "x/", .type = '5', .content = "data"}, "has content"},
	{{.path = "x", .type = 'S'}, "of a kind"},
	{{.path = "x", .type = 'M'}, "of a kind"},
	{{.path = "x", .type = 'V'}, "of a kind"},
	{{.path = "x", .type = 'D'}, "of a kind"},
	{{.path = "x", .size = "0000000000x"}, "out of range"},
	{{.path = "x", .size = "77777777777"}, "middle of an entry"},
	{{.path = "x", .size = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"}, "out of range"},
	{{.path = "x", .size = "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"}, "out of range"},
};

Test(tar_reader, refuses_hostile_entries)
{
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		AUTO(buf) struct buf tar = {0}, paths = {0};
		struct error err = {0};

		make_entry(&tar, &hostile[i].entry);
		make_end(&tar);
		cr_assert_eq(read_all(&tar, 0, MANY, &paths, &err), -1, "row %zu: %s", i,
					 hostile[i].entry.path);
		cr_expect_eq(err.code, ERR_INPUT, "row %zu", i);
		cr_expect_not_null(strstr(err.msg, hostile[i].says), "row %zu: %s", i, err.msg);
	}
}

static const struct {
	const char *key, *value;
	size_t len;
} bad_pax[] = {
	{"path", "good\0/../../evil", 16},
	{"path", "../evil", 7},
	{"path", "", 0},
	{"linkpath", "a\0b", 3},
	{"size", "-1", 2},
	{"size", "9223372036854775808", 19},
	{"size", "x", 1},
	{"uid", "4294967296", 10},
	{"uid", "-1", 2},
	{"gid", "root", 4},
	{"mtime", "1.x", 3},
	{"GNU.sparse.major", "1", 1},
	{"SCHILY.xattr.security.capability", "", 0},
	{"SCHILY.xattr.security.capability", "1234567890123456789012345", 25},
};

Test(tar_reader, refuses_hostile_pax_records)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_pax); i++) {
		AUTO(buf) struct buf tar = {0}, paths = {0};
		struct error err = {0};

		make_pax(&tar, bad_pax[i].key, bad_pax[i].value, bad_pax[i].len);
		make_entry(&tar, &(struct made){.path = "x"});
		make_end(&tar);
		cr_assert_eq(read_all(&tar, 0, MANY, &paths, &err), -1, "row %zu", i);
		cr_expect_eq(err.code, ERR_INPUT, "row %zu", i);
	}
}

/* CVE-2025-62518: the PAX size counts, so what hides in the content is no entry. */
Test(tar_reader, the_size_of_the_pax_header_wins)
{
	AUTO(buf) struct buf inner = {0}, tar = {0}, paths = {0};
	struct error err = {0};
	char size[24];

	make_entry(&inner, &(struct made){.path = "smuggled"});
	snprintf(size, sizeof(size), "%zu", inner.len);
	make_pax(&tar, "size", size, strlen(size));
	make_entry(&tar, &(struct made){.path = "outer", .size = "00000000000"});
	buf_add(&tar, inner.data, inner.len);
	make_entry(&tar, &(struct made){.path = "next"});
	make_end(&tar);
	cr_assert_eq(read_all(&tar, 0, MANY, &paths, &err), 0, "%s", err.msg);
	cr_expect_str_eq(buf_str(&paths), "outer next ");
}

Test(tar_reader, what_stands_behind_the_end_is_no_entry_but_is_read)
{
	AUTO(buf) struct buf tar = {0}, paths = {0};
	struct made_source state = {&tar, 0, 0};
	struct tar_source source = made_source(&state);
	AUTO_PTR(tar_reader) struct tar_reader *r = NULL;
	struct tar_entry e;
	struct error err = {0};
	uint8_t sum[SHA256_BYTES], want[SHA256_BYTES];

	make_entry(&tar, &(struct made){.path = "a"});
	make_end(&tar);
	make_entry(&tar, &(struct made){.path = "ghost"});
	make_end(&tar);
	cr_assert_eq(read_all(&tar, 0, MANY, &paths, &err), 0, "%s", err.msg);
	cr_expect_str_eq(buf_str(&paths), "a ");
	cr_assert_eq(tar_reader_new(&source, "layer", MANY, &r, &err), 0);
	while (tar_reader_next(r, &e, &err) > 0)
		;
	tar_reader_sum(r, sum);
	sha256_of(tar.data, tar.len, want);
	cr_expect_eq(memcmp(sum, want, sizeof(sum)), 0);
}

Test(tar_reader, other_compressions_are_named)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *says;
	} rows[] = {
		{"\xfd"
		 "7zXZ\0\0\0",
		 8, "xz"},
		{"BZh91AY&", 8, "bzip2"},
		{"PK\3\4....", 8, "zip"},
		{"Rar!\x1a\7\1\0", 8, "rar"},
		{"not a tar archive", 17, "ends in the middle"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(buf) struct buf tar = {0}, paths = {0};
		struct error err = {0};

		buf_add(&tar, rows[i].bytes, rows[i].len);
		cr_assert_eq(read_all(&tar, 0, MANY, &paths, &err), -1);
		cr_expect_not_null(strstr(err.msg, rows[i].says), "%s", err.msg);
	}
}

Test(tar_reader, damage_is_seen)
{
	AUTO(buf) struct buf tar = {0}, paths = {0};
	struct error err = {0};

	make_entry(&tar, &(struct made){.path = "a"});
	tar.data[3] ^= 1;
	cr_expect_eq(read_all(&tar, 0, MANY, &paths, &err), -1);
	cr_expect_not_null(strstr(err.msg, "no tar header"));
}

Test(tar_reader, lengths_are_bounded)
{
	AUTO_FREE char *name = xmalloc(5000);
	static const struct {
		size_t len, slash_every;
		bool fine;
	} rows[] = {{255, 300, true}, {256, 300, false}, {4000, 200, true}, {4097, 200, false}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(buf) struct buf tar = {0}, paths = {0};
		struct error err = {0};

		for (size_t k = 0; k < rows[i].len; k++)
			name[k] = (k + 1) % rows[i].slash_every ? 'n' : '/';
		make_pax(&tar, "path", name, rows[i].len);
		make_entry(&tar, &(struct made){.path = "x"});
		cr_expect_eq(read_all(&tar, 0, MANY, &paths, &err), rows[i].fine ? 0 : -1, "row %zu: %s", i,
					 err.msg);
	}
}

Test(tar_reader, a_bomb_ends_at_the_cap)
{
	AUTO(buf) struct buf gz = {0}, tar = {0}, paths = {0};
	AUTO_FREE char *zeros = xcalloc(1, 1u << 20);
	z_stream z = {0};
	struct error err = {0};

	make_entry(&tar, &(struct made){.path = "bomb", .size = "02000000000"}); /* 256 MiB */
	cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	for (int i = 0; i <= 256; i++) {
		z.next_in = (unsigned char *)(i ? zeros : tar.data);
		z.avail_in = (unsigned)(i ? 1u << 20 : tar.len);
		do {
			z.next_out = (unsigned char *)buf_grow(&gz, 65536);
			z.avail_out = 65536;
			deflate(&z, i == 256 ? Z_FINISH : Z_NO_FLUSH);
			gz.len += 65536 - z.avail_out;
		} while (z.avail_out == 0);
	}
	deflateEnd(&z);
	cr_assert_lt(gz.len, 300000);
	cr_expect_eq(read_all(&gz, 0, 1u << 20, &paths, &err), -1);
	cr_expect_not_null(strstr(err.msg, "larger than allowed"), "%s", err.msg);
}

Test(tar_reader, gnu_long_names_and_base256)
{
	AUTO(buf) struct buf tar = {0}, paths = {0};
	char name[151];
	struct error err = {0};

	memset(name, 'l', 150);
	name[150] = '\0';
	make_entry(&tar, &(struct made){.path = "././@LongLink", .type = 'L', .content = name});
	make_entry(&tar, &(struct made){.path = "cut", .content = "12345"});
	/* size 5 in GNU's binary form */
	memcpy(tar.data + 1024 + 124, "\x80\0\0\0\0\0\0\0\0\0\0\x05", 12);
	make_checksum(&tar, 1024);
	make_end(&tar);
	cr_assert_eq(read_all(&tar, 0, MANY, &paths, &err), 0, "%s", err.msg);
	cr_expect_eq(paths.len, 151);
}
