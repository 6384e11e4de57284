#include "build/keep.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *dir;

static void setup(void)
{
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "keep-", &dir, &err), 0, "%s", err.msg);
}

static void teardown(void)
{
	struct error err = {0};

	cr_expect_eq(fs_remove_tree(dir, &err), 0, "%s", err.msg);
	free(dir);
}

TestSuite(keep, .init = setup, .fini = teardown);

static char *save(const char *name, const char *text)
{
	char *file = fs_join(dir, name);
	struct error err = {0};

	cr_assert_eq(keep_save(file, text, strlen(text), &err), 0, "%s", err.msg);
	return file;
}

Test(keep, what_was_saved_is_loaded)
{
	AUTO_FREE char *file = save("below/a", "content");
	AUTO(buf) struct buf bytes = {0};
	uint8_t sum[SHA256_BYTES], want[SHA256_BYTES];

	cr_assert(keep_load(file, &bytes));
	cr_expect_str_eq(buf_str(&bytes), "content");
	cr_assert(keep_sum(file, sum));
	sha256_of("content", 7, want);
	cr_expect_arr_eq(sum, want, sizeof(sum));
}

Test(keep, each_bit_counts)
{
	AUTO_FREE char *file = save("a", "content");
	AUTO(buf) struct buf whole = {0};
	AUTO(buf) struct buf bytes = {0};
	struct error err = {0};

	cr_assert_eq(fs_read(file, 4096, &whole, &err), 0, "%s", err.msg);
	for (size_t i = 0; i < whole.len; i++) {
		whole.data[i] ^= 1;
		cr_assert_eq(keep_file(file, whole.data, whole.len, &err), 0, "%s", err.msg);
		cr_expect_not(keep_load(file, &bytes), "byte %zu", i);
		whole.data[i] ^= 1;
		cr_assert_eq(keep_file(file, whole.data, i, &err), 0, "%s", err.msg);
		cr_expect_not(keep_load(file, &bytes), "cut to %zu", i);
	}
	buf_addc(&whole, '\n');
	cr_assert_eq(keep_file(file, whole.data, whole.len, &err), 0, "%s", err.msg);
	cr_expect_not(keep_load(file, &bytes));
}

Test(keep, a_record_in_the_place_of_another_is_none)
{
	AUTO_FREE char *a = save("a", "content"), *b = save("b", "other");
	AUTO(buf) struct buf bytes = {0};

	cr_assert_eq(rename(a, b), 0);
	cr_expect_not(keep_load(b, &bytes));
	cr_assert_eq(rename(b, a), 0);
	cr_expect(keep_load(a, &bytes));
}
