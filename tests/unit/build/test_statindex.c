#include "build/statindex.h"

#include "base/fs.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static char *world(void)
{
	char *dir = NULL;
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "statindex-", &dir, &err), 0);
	return dir;
}

static void leave(char *dir)
{
	struct error err = {0};

	cr_expect_eq(fs_remove_tree(dir, &err), 0, "%s", err.msg);
	free(dir);
}

static char *put(const char *dir, const char *name, const char *text)
{
	char *file = fs_join(dir, name);
	struct error err = {0};

	cr_assert_eq(fs_write_atomic(file, text, strlen(text), 0644, &err), 0, "%s", err.msg);
	return file;
}

/* The rule of racy timestamps believes what is older than it: no test waits for that. */
static void age(const char *file)
{
	struct stat st;
	struct timespec now;

	do {
		now = statindex_now();
		cr_assert_eq(stat(file, &st), 0);
	} while (statindex_is_racy(&st, &now, false));
}

static void get(struct statindex *x, const char *file, const char *sha256, size_t reads)
{
	struct statindex_sum sum = {0};
	struct error err = {0};
	struct stat st;
	char hex[SHA256_HEX_LEN + 1];

	cr_assert_eq(stat(file, &st), 0);
	cr_assert_eq(statindex_get(x, file, &st, NULL, &sum, &err), 0, "%s", err.msg);
	sha256_hex(sum.sha256, hex);
	cr_expect(strncmp(hex, sha256, strlen(sha256)) == 0, "%s", hex);
	cr_expect_eq(strlen(sum.sha1), SHA1_HEX_LEN);
	cr_expect_eq(statindex_reads(x), reads, "%zu", statindex_reads(x));
}

#define SUM_A "ca978112ca1bbdca" /* of "a" */
#define SUM_B "3e23e8160039594a"

Test(statindex, a_file_is_read_once)
{
	char *dir = world();
	AUTO_FREE char *file = put(dir, "f", "a");
	AUTO_FREE char *cache = fs_join(dir, "cache");

	age(file);
	for (size_t i = 0; i < 3; i++) {
		AUTO_PTR(statindex) struct statindex *x = NULL;

		statindex_open(cache, false, &x);
		get(x, file, SUM_A, i == 0);
		get(x, file, SUM_A, i == 0);
		statindex_save(x);
	}
	{
		AUTO_PTR(statindex) struct statindex *x = NULL;

		statindex_open(cache, true, &x);
		get(x, file, SUM_A, 1);
	}
	leave(dir);
}

Test(statindex, whatever_stat_tells_makes_it_read_again)
{
	char *dir = world();
	AUTO_FREE char *file = put(dir, "f", "a");
	AUTO_FREE char *other = NULL;
	struct timespec times[2] = {{0}, {0}};
	AUTO_PTR(statindex) struct statindex *x = NULL;
	struct stat st;

	age(file);
	statindex_open(NULL, false, &x);
	get(x, file, SUM_A, 1);
	/* another inode with the same size and time */
	cr_assert_eq(stat(file, &st), 0);
	other = put(dir, "g", "b");
	times[1] = st.st_mtim;
	cr_assert_eq(utimensat(AT_FDCWD, other, times, 0), 0);
	cr_assert_eq(rename(other, file), 0);
	age(file);
	get(x, file, SUM_B, 2);
	/* the same one, its time set back: ctime tells */
	times[1] = st.st_mtim;
	cr_assert_eq(utimensat(AT_FDCWD, file, times, 0), 0);
	age(file);
	get(x, file, SUM_B, 3);
	cr_assert_eq(chmod(file, 0755), 0);
	age(file);
	get(x, file, SUM_B, 4);
	get(x, file, SUM_B, 4);
	leave(dir);
}

Test(statindex, what_is_too_young_is_not_believed)
{
	char *dir = world();
	AUTO_FREE char *file = put(dir, "f", "a");
	struct timespec later[2] = {{0}, {.tv_sec = 4000000000}};
	AUTO_PTR(statindex) struct statindex *x = NULL;

	cr_assert_eq(utimensat(AT_FDCWD, file, later, 0), 0);
	statindex_open(NULL, false, &x);
	get(x, file, SUM_A, 1);
	get(x, file, SUM_A, 2);
	leave(dir);
}

Test(statindex, the_rule_of_racy_timestamps)
{
	static const struct {
		struct timespec mtime, ctime;
		bool is_coarse, is_racy;
	} rows[] = {
		{{99, 5}, {99, 5}, false, false},       {{100, 4}, {100, 4}, false, false},
		{{100, 5}, {99, 0}, false, true},       {{99, 0}, {100, 5}, false, true},
		{{100, 6}, {100, 6}, false, true},      {{101, 0}, {99, 1}, false, true},
		{{99, 0}, {99, 0}, false, true},        {{97, 0}, {97, 0}, false, false},
		{{99, 5}, {99, 5}, true, true},         {{96, 5}, {96, 5}, true, false},
		{{4000000000, 1}, {9, 1}, false, true},
	};
	const struct timespec now = {100, 5};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stat st = {.st_mtim = rows[i].mtime, .st_ctim = rows[i].ctime};

		cr_expect_eq(statindex_is_racy(&st, &now, rows[i].is_coarse), rows[i].is_racy, "row %zu",
					 i);
	}
}

Test(statindex, a_file_that_changed_since_it_was_seen_is_an_error)
{
	char *dir = world();
	AUTO_FREE char *file = put(dir, "f", "a");
	AUTO_PTR(statindex) struct statindex *x = NULL;
	struct statindex_sum sum = {0};
	struct error err = {0};
	struct stat st;

	cr_assert_eq(stat(file, &st), 0);
	statindex_open(NULL, false, &x);
	free(put(dir, "f", "bb"));
	cr_expect_eq(statindex_get(x, file, &st, NULL, &sum, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect(strstr(err.msg, "changed while"), "%s", err.msg);
	leave(dir);
}

Test(statindex, damage_is_an_empty_index)
{
	char *dir = world();
	AUTO_FREE char *cache = fs_join(dir, "cache");
	AUTO_FREE char *index = fs_join(cache, "stat.idx");
	AUTO_FREE char *file = put(dir, "f", "a");
	AUTO(buf) struct buf good = {0};
	struct error err = {0};

	age(file);
	{
		AUTO_PTR(statindex) struct statindex *x = NULL;

		statindex_open(cache, false, &x);
		get(x, file, SUM_A, 1);
		statindex_save(x);
	}
	cr_assert_eq(fs_read(index, 1u << 20, &good, &err), 0);
	for (size_t i = 0; i < good.len; i++) {
		AUTO_PTR(statindex) struct statindex *x = NULL;

		good.data[i] ^= 0x40;
		cr_assert_eq(fs_write_atomic(index, good.data, good.len, 0600, &err), 0);
		statindex_open(cache, false, &x);
		get(x, file, SUM_A, 1);
		good.data[i] ^= 0x40;
	}
	for (size_t len = 0; len < good.len; len += 7) {
		AUTO_PTR(statindex) struct statindex *x = NULL;

		cr_assert_eq(fs_write_atomic(index, good.data, len, 0600, &err), 0);
		statindex_open(cache, false, &x);
		get(x, file, SUM_A, 1);
	}
	leave(dir);
}

Test(statindex, what_others_added_stays)
{
	char *dir = world();
	AUTO_FREE char *cache = fs_join(dir, "cache");
	AUTO_FREE char *one = put(dir, "one", "a");
	AUTO_FREE char *two = put(dir, "two", "b");
	AUTO_PTR(statindex) struct statindex *x = NULL;
	AUTO_PTR(statindex) struct statindex *y = NULL;
	AUTO_PTR(statindex) struct statindex *z = NULL;

	age(one);
	age(two);
	statindex_open(cache, false, &x);
	statindex_open(cache, false, &y);
	get(x, one, SUM_A, 1);
	get(y, two, SUM_B, 1);
	statindex_save(x);
	statindex_save(y);
	statindex_open(cache, false, &z);
	get(z, one, SUM_A, 0);
	get(z, two, SUM_B, 0);
	leave(dir);
}

/* What is known is not read again, what is gone or too young is left to whoever asks for it. */
Test(statindex, several_files_are_read_at_once)
{
	enum { COUNT = 20, BYTES = 400000 };
	char *dir = world();
	AUTO_PTR(statindex) struct statindex *x = NULL;
	AUTO_FREE char *content = xmalloc(BYTES + 1);
	char *names[COUNT];
	struct stat seen[COUNT];
	struct statindex_file files[COUNT];

	statindex_open(NULL, false, &x);
	for (size_t i = 0; i < COUNT; i++) {
		char name[] = {(char)('a' + i), '\0'};

		memset(content, 'a' + (int)i, BYTES);
		content[BYTES] = '\0';
		names[i] = put(dir, name, content);
		age(names[i]);
		cr_assert_eq(stat(names[i], &seen[i]), 0);
		files[i] = (struct statindex_file){names[i], &seen[i]};
	}
	cr_assert_eq(unlink(names[7]), 0);
	statindex_read_ahead(x, files, 1, 3, NULL); /* not worth a thread: left */
	cr_expect_eq(statindex_reads(x), 0);
	statindex_read_ahead(x, files, COUNT, 3, NULL);
	cr_expect_eq(statindex_reads(x), COUNT - 1, "%zu", statindex_reads(x));
	statindex_read_ahead(x, files, COUNT, 1, NULL);
	cr_expect_eq(statindex_reads(x), COUNT - 1, "%zu", statindex_reads(x));
	for (size_t i = 0; i < COUNT; i++) {
		uint8_t sum[SHA256_BYTES];
		char hex[SHA256_HEX_LEN + 1];

		memset(content, 'a' + (int)i, BYTES);
		sha256_of(content, BYTES, sum);
		if (i != 7)
			get(x, names[i], sha256_hex(sum, hex), COUNT - 1);
		free(names[i]);
	}
	leave(dir);
}
