#include "base/auto.h"
#include "base/buf.h"
#include "base/mem.h"
#include "build/tree.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void link_to(struct tree *t, const char *path, const char *target)
{
	struct error err = {0};

	cr_assert_eq(tree_add_link(t, TREE_LIBRARIES, path, target, &err), 0, "%s", err.msg);
}

static void data_at(struct tree *t, enum tree_layer layer, const char *path)
{
	struct error err = {0};

	cr_assert_eq(tree_add_data(t, layer, path, "x", &err), 0, "%s", err.msg);
}

static char *paths_of(const struct tree *t, enum tree_layer layer, size_t *own)
{
	AUTO(strv) struct strv paths = {0};
	AUTO(buf) struct buf b = {0};

	tree_layer_paths(t, layer, &paths, own);
	for (size_t i = 0; i < paths.count; i++)
		buf_addf(&b, "%s ", paths.items[i]);
	return buf_take(&b);
}

Test(build_tree, files_go_where_links_lead)
{
	AUTO(tree) struct tree t = {0};
	AUTO_FREE char *files = NULL;
	size_t own;

	link_to(&t, "lib", "usr/lib");
	link_to(&t, "usr/lib/deep", "/opt/../srv/./deep");
	data_at(&t, TREE_FILES, "/lib/a");
	data_at(&t, TREE_FILES, "lib/deep/b");
	cr_expect(map_has(&t.nodes, "usr/lib/a"));
	cr_expect(map_has(&t.nodes, "srv/deep/b"));
	files = paths_of(&t, TREE_FILES, &own);
	cr_expect_str_eq(files, "srv srv/deep srv/deep/b usr usr/lib usr/lib/a ");
	cr_expect_eq(own, 2);
	cr_expect_not_null(tree_find(&t, "/lib/a"));
	cr_expect_null(tree_find(&t, "/lib/b"));
}

Test(build_tree, links_never_lead_out)
{
	AUTO(tree) struct tree t = {0};

	link_to(&t, "up", "../../../etc");
	data_at(&t, TREE_FILES, "up/x");
	cr_expect(map_has(&t.nodes, "etc/x"));
}

Test(build_tree, circles_and_files_in_the_way_are_refused)
{
	AUTO(tree) struct tree t = {0};
	struct error err = {0};

	link_to(&t, "a", "b");
	link_to(&t, "b", "a");
	data_at(&t, TREE_FILES, "file");
	cr_expect_eq(tree_add_data(&t, TREE_FILES, "a/x", "", &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect_eq(tree_add_data(&t, TREE_FILES, "file/x", "", &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect_eq(tree_add_data(&t, TREE_FILES, "/", "", &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
}

Test(build_tree, higher_layers_replace_and_equal_ones_collide)
{
	AUTO(tree) struct tree t = {0};
	AUTO_FREE char *left = NULL;
	struct error err = {0};
	size_t own;

	data_at(&t, TREE_LIBRARIES, "a/x");
	data_at(&t, TREE_FILES, "a/x");
	left = paths_of(&t, TREE_LIBRARIES, &own);
	cr_expect_eq(own, 0, "%s", left);
	cr_expect_eq(tree_add_data(&t, TREE_FILES, "a/x", "y", &err), -1);
	cr_expect(strstr(err.msg, "/a/x would be in the image twice"), "%s", err.msg);
	cr_expect_eq(tree_add_data(&t, TREE_APP, "a", "y", &err), -1, "a folder is no file");
	link_to(&t, "l", "t");
	link_to(&t, "l", "t");
	cr_expect_eq(tree_add_link(&t, TREE_LIBRARIES, "l", "other", &err), -1);
}

Test(build_tree, removal_takes_what_lower_layers_have_below)
{
	AUTO(tree) struct tree t = {0};
	struct tree_node later = {.type = TREE_FILE, .layer = TREE_BASE, .base_layer = 2};
	struct error err = {0};

	data_at(&t, TREE_BASE, "a/b/c");
	data_at(&t, TREE_BASE, "a/bc");
	data_at(&t, TREE_BASE, "a/d");
	cr_assert_eq(tree_put(&t, "a/b/new", &later, &err), 0);
	tree_remove(&t, "a/b", true, 2);
	cr_expect_null(tree_find(&t, "a/b/c"));
	cr_expect_not_null(tree_find(&t, "a/b/new"), "the layer of the whiteout keeps its own");
	tree_remove(&t, "a/b", false, 3);
	cr_expect(!tree_find(&t, "a/b") && !tree_find(&t, "a/b/new"));
	cr_expect_not_null(tree_find(&t, "a/bc"));
	tree_remove(&t, "a", true, 3);
	cr_expect(tree_find(&t, "a") && !tree_find(&t, "a/bc") && !tree_find(&t, "a/d"));
	tree_remove(&t, "", true, 3);
	cr_expect_null(tree_find(&t, "a"));
	data_at(&t, TREE_FILES, "a/b/c");
	cr_expect_not_null(tree_find(&t, "a/b/c"), "what was taken away can come again");
}

Test(build_tree, a_file_over_a_folder_takes_it_away)
{
	AUTO(tree) struct tree t = {0};
	struct tree_node file = {.type = TREE_FILE, .layer = TREE_BASE, .base_layer = 1};
	struct error err = {0};

	data_at(&t, TREE_BASE, "a/b/c");
	cr_assert_eq(tree_put(&t, "a", &file, &err), 0);
	cr_expect(tree_find(&t, "a") && !tree_find(&t, "a/b") && !tree_find(&t, "a/b/c"));
}

static void put_base(struct tree *t, unsigned layer, const char *path, enum tree_type type)
{
	struct tree_node n = {.layer = TREE_BASE, .base_layer = layer, .type = type};
	struct error err = {0};

	cr_assert_eq(tree_put(t, path, &n, &err), 0, "%s", err.msg);
}

/* The time limit is the test: looking at every file for each takes minutes. */
Test(build_tree, as_many_folders_go_as_there_are, .timeout = 20)
{
	AUTO(tree) struct tree t = {0};
	AUTO_FREE char *files = NULL;
	char path[64];
	size_t own;

	for (int i = 0; i < 60000; i++) {
		snprintf(path, sizeof(path), "d%d/f", i);
		put_base(&t, 0, path, TREE_FILE);
	}
	for (int i = 0; i < 60000; i++) {
		snprintf(path, sizeof(path), "d%d/new", i);
		if (i % 20000 == 0)
			put_base(&t, 1, path, TREE_FILE);
		snprintf(path, sizeof(path), "d%d", i);
		tree_remove(&t, path, false, 1);
	}
	put_base(&t, 1, "d7-", TREE_DIR);
	put_base(&t, 1, "d7/x", TREE_FILE);
	tree_remove(&t, "d7", false, 2);
	files = paths_of(&t, TREE_BASE, &own);
	cr_expect_str_eq(files, "d0 d0/new d20000 d20000/new d40000 d40000/new d7- ");
	cr_expect_eq(own, 3);
}

/* Folders that nobody wrote down are of the layer that needs them. */
Test(build_tree, a_folder_above_is_of_the_layer_of_what_is_in_it)
{
	AUTO(tree) struct tree t = {0};

	put_base(&t, 1, "a/b/c", TREE_FILE);
	tree_remove(&t, "a", false, 1);
	cr_expect_not_null(map_get(&t.nodes, "a"));
	cr_expect_not_null(map_get(&t.nodes, "a/b"));
}
