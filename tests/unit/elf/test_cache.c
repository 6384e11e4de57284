#include "base/auto.h"
#include "base/fs.h"
#include "elf/cache.h"
#include "make.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* A cache of two entries; the second is for certain processors. */
static void make_cache(struct buf *b, size_t front)
{
	uint32_t header[12] = {0};
	uint32_t entries[12] = {0};
	static const char text[] = "liba.so.1\0/opt/liba.so.1\0/opt/fast/liba.so.1";
	uint32_t start = sizeof(header) + sizeof(entries);

	if (front) {
		static const char old[16] = "ld.so-1.7.0";
		static const char pad[16] = {0};

		buf_add(b, old, sizeof(old));
		b->data[12] = 1; /* one entry of 12 bytes, padded to 8 */
		buf_add(b, pad, 16);
	}
	memcpy(header, "glibc-ld.so.cache1.1", 20);
	header[5] = 2;
	header[6] = sizeof(text);
	header[7] = 2; /* little endian */
	entries[1] = entries[7] = start;
	entries[2] = start + 10;
	entries[8] = start + 25;
	entries[10] = 1;
	buf_add(b, header, sizeof(header));
	buf_add(b, entries, sizeof(entries));
	buf_add(b, text, sizeof(text));
}

Test(elf_cache, reads_entries_alone_and_behind_the_old_format)
{
	for (size_t front = 0; front < 2; front++) {
		AUTO(buf) struct buf b = {0};
		AUTO(elf_cache) struct elf_cache c = {0};
		struct elf_cache_entry e;
		struct error err = {0};

		make_cache(&b, front);
		cr_assert_eq(elf_cache_parse(&b, "cache", &c, &err), 0, "%s", err.msg);
		cr_assert_eq(c.count, 2);
		elf_cache_entry(&c, 0, &e);
		cr_expect_str_eq(e.soname, "liba.so.1");
		cr_expect_str_eq(e.path, "/opt/liba.so.1");
		cr_expect_eq(e.hwcap, 0);
		elf_cache_entry(&c, 1, &e);
		cr_expect_str_eq(e.path, "/opt/fast/liba.so.1");
		cr_expect_eq(e.hwcap, 1);
	}
}

Test(elf_cache, every_shorter_cache_is_refused)
{
	AUTO(buf) struct buf whole = {0};

	make_cache(&whole, 0);
	for (size_t len = 0; len < whole.len; len++) {
		AUTO(buf) struct buf b = {0};
		struct elf_cache c = {0};
		struct error err = {0};

		buf_add(&b, whole.data, len);
		cr_expect_eq(elf_cache_parse(&b, "cache", &c, &err), -1, "%zu bytes", len);
		cr_expect_eq(err.code, ERR_INPUT);
	}
}

Test(elf_conf, follows_includes_in_order_and_within_its_root)
{
	AUTO_FREE char *base = NULL;
	AUTO_FREE char *root = NULL;
	AUTO_FREE char *link = NULL;
	AUTO(strv) struct strv dirs = {0};
	struct error err = {0};
	static const char main_conf[] =
		"# first\ninclude ld.so.conf.d/*.conf\n/last # remark\nhwcap 0 x\n";
	static const char a[] = "/a/lib\n/b/lib=libc6\nrelative\n";
	static const char b[] = "  /a/lib\n\t/c d \r\n";

	cr_assert_eq(fs_temp_dir("/tmp", "conf-", &base, &err), 0);
	root = fs_join(base, "a[b]*");
	link = fs_join(root, "etc/ld.so.conf.d/b.conf");
	put_file(root, "etc/ld.so.conf", main_conf, sizeof(main_conf) - 1);
	put_file(root, "etc/ld.so.conf.d/a.conf", a, sizeof(a) - 1);
	put_file(root, "opt/of the root", b, sizeof(b) - 1);
	cr_assert_eq(symlink("/opt/of the root", link), 0);
	put_file(root, "etc/ld.so.conf.d/c.other", "/no\n", 4);
	cr_assert_eq(elf_conf_read(root, &dirs, &err), 0, "%s", err.msg);
	cr_assert_eq(dirs.count, 4);
	cr_expect_str_eq(dirs.items[0], "/a/lib");
	cr_expect_str_eq(dirs.items[1], "/b/lib");
	cr_expect_str_eq(dirs.items[2], "/c d");
	cr_expect_str_eq(dirs.items[3], "/last");
	fs_remove_tree(base, &err);
}

Test(elf_conf, a_file_that_includes_itself_is_refused)
{
	AUTO_FREE char *root = NULL;
	AUTO(strv) struct strv dirs = {0};
	struct error err = {0};
	static const char text[] = "include ld.so.conf\n";

	cr_assert_eq(fs_temp_dir("/tmp", "conf-", &root, &err), 0);
	put_file(root, "etc/ld.so.conf", text, sizeof(text) - 1);
	cr_expect_eq(elf_conf_read(root, &dirs, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	fs_remove_tree(root, &err);
}
