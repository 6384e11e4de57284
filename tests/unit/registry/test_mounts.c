#include "tests/unit/registry/image.h"

Test(mounts, another_repository_is_found_the_last_one_first)
{
	AUTO(mounts) struct mounts m = {0};

	mounts_load(&m, NULL, "r.test");
	cr_expect_null(mounts_find(&m, LAYER_DIGEST, "a"));
	mounts_add(&m, LAYER_DIGEST, "a");
	mounts_add(&m, LAYER_DIGEST, "b/c");
	cr_expect_str_eq(mounts_find(&m, LAYER_DIGEST, "x"), "b/c");
	cr_expect_null(mounts_find(&m, LAYER_DIGEST, "b/c"), "it is there");
	cr_expect(mounts_has(&m, LAYER_DIGEST, "a"));
	cr_expect_null(mounts_find(&m, CONFIG_DIGEST, "x"));
}

Test(mounts, what_was_saved_is_there_again)
{
	char dir[] = "/tmp/msctl-test-mounts-XXXXXX";
	struct error err = {0};

	cr_assert(mkdtemp(dir) != NULL);
	for (int i = 0; i < 6; i++) {
		AUTO(mounts) struct mounts m = {0};
		AUTO_FREE char *name = xasprintf("repo%d", i);

		mounts_load(&m, dir, "r.test:5000");
		if (i > 0)
			cr_expect_not_null(mounts_find(&m, LAYER_DIGEST, name));
		mounts_add(&m, LAYER_DIGEST, name);
		mounts_save(&m);
	}
	AUTO(mounts) struct mounts m = {0};

	mounts_load(&m, dir, "r.test:5000");
	cr_expect_str_eq(mounts_find(&m, LAYER_DIGEST, ""), "repo5");
	cr_expect_eq(json_array_size(json_object_get(m.doc, LAYER_DIGEST)), 4,
				 "old ones are forgotten");
	cr_assert_eq(fs_remove_tree(dir, &err), 0);
}

Test(mounts, a_file_that_is_none_is_advice_not_taken)
{
	static const char *const files[] = {
		"",
		"[]",
		"{",
		"{\"" LAYER_DIGEST "\": 1}",
		"{\"" LAYER_DIGEST "\": [1, null]}",
		"{\"" LAYER_DIGEST "\": [\"../../x\", \"a&mount=b\", \"A\", \"\"]}",
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char dir[] = "/tmp/msctl-test-mounts-XXXXXX";
		AUTO(mounts) struct mounts m = {0};
		AUTO_FREE char *sub = NULL;
		AUTO_FREE char *path = NULL;
		struct error err = {0};

		cr_assert(mkdtemp(dir) != NULL);
		sub = fs_join(dir, "blobs");
		path = fs_join(sub, "r.test.json");
		cr_assert_eq(fs_mkdirs(sub, 0700, &err), 0);
		cr_assert_eq(fs_write_atomic(path, files[i], strlen(files[i]), 0600, &err), 0);
		mounts_load(&m, dir, "r.test");
		cr_expect_null(mounts_find(&m, LAYER_DIGEST, "x"), "%s", files[i]);
		cr_assert_eq(fs_remove_tree(dir, &err), 0);
	}
}
