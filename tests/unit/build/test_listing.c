#include "build/listing.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static char *world(void)
{
	char *dir = NULL;
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "listing-", &dir, &err), 0);
	return dir;
}

static void leave(char *dir)
{
	struct error err = {0};

	cr_expect_eq(fs_remove_tree(dir, &err), 0, "%s", err.msg);
	free(dir);
}

static void put(const char *dir, const char *name, const char *text)
{
	AUTO_FREE char *file = fs_join(dir, name);
	AUTO_FREE char *parent = fs_dirname(file);
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(parent, 0755, &err), 0);
	cr_assert_eq(fs_write_atomic(file, text, strlen(text), 0644, &err), 0, "%s", err.msg);
}

static void link_to(const char *dir, const char *name, const char *target)
{
	AUTO_FREE char *file = fs_join(dir, name);

	cr_assert_eq(symlink(target, file), 0);
}

/* "a a/b c" */
static char *names(const struct listing *l)
{
	struct buf out = {0};

	for (size_t i = 0; i < l->items.count; i++)
		buf_addf(&out, "%s%s", i ? " " : "", listing_path(l, &l->items.items[i]));
	return buf_take(&out);
}

Test(listing, has_everything_but_history)
{
	char *dir = world();
	AUTO(listing) struct listing l = {0};
	AUTO_FREE char *got = NULL;

	put(dir, "b/x", "1");
	put(dir, "a", "1");
	put(dir, ".git/HEAD", "1");
	put(dir, "b/.git", "1");
	put(dir, ".hidden/y", "1");
	link_to(dir, "c", "nowhere");
	listing_take(dir, NULL, &l);
	got = names(&l);
	cr_expect_str_eq(got, ".hidden .hidden/y a b b/x c");
	cr_expect(l.is_whole, "%s", l.why);
	leave(dir);
}

static bool is_same(const struct listing *a, const struct listing *b)
{
	return a->items.count == b->items.count && a->names.len == b->names.len &&
		   memcmp(a->names.data, b->names.data, a->names.len) == 0 &&
		   memcmp(a->items.items, b->items.items, a->items.count * sizeof(a->items.items[0])) == 0;
}

Test(listing, tells_any_change_of_a_file_and_of_what_links_lead_to)
{
	char *dir = world();
	AUTO_FREE char *tree = fs_join(dir, "tree");
	AUTO_FREE char *file = fs_join(dir, "tree/f");
	AUTO_FREE char *outside = fs_join(dir, "outside");
	AUTO(listing) struct listing a = {0};

	put(dir, "outside", "1");
	put(dir, "tree/f", "1");
	put(dir, "tree/d/g", "1");
	link_to(dir, "tree/out", outside);
	link_to(dir, "tree/in", "d");
	listing_take(tree, NULL, &a);
	cr_expect(a.is_whole, "%s", a.why);
	for (int i = 0; i < 6; i++) {
		AUTO(listing) struct listing same = {0};
		AUTO(listing) struct listing b = {0};

		listing_take(tree, NULL, &same);
		cr_expect(is_same(&a, &same), "step %d", i);
		if (i == 0)
			put(dir, "tree/f", "2");
		else if (i == 1)
			cr_assert_eq(chmod(file, 0755), 0);
		else if (i == 2)
			put(dir, "outside", "2");
		else if (i == 3)
			put(dir, "tree/d/new", "1");
		else if (i == 4)
			cr_assert_eq(unlink(file), 0);
		else
			put(dir, "tree/d/g", "1");
		listing_take(tree, NULL, &b);
		cr_expect_not(is_same(&a, &b), "step %d", i);
		listing_release(&a);
		a = MOVE(b);
	}
	leave(dir);
}

Test(listing, a_folder_elsewhere_is_not_looked_at_and_that_is_said)
{
	char *dir = world();
	AUTO_FREE char *tree = fs_join(dir, "tree");
	AUTO(listing) struct listing l = {0};
	AUTO(listing) struct listing known = {0};

	put(dir, "elsewhere/x", "1");
	put(dir, "tree/f", "1");
	link_to(dir, "tree/usr", "/usr/include");
	listing_take(tree, NULL, &known);
	cr_expect(known.is_whole, "%s", known.why);
	link_to(dir, "tree/out", "../elsewhere");
	listing_take(tree, NULL, &l);
	cr_expect_not(l.is_whole);
	cr_expect(strstr(l.why, "out leads to a folder elsewhere"), "%s", l.why);
	leave(dir);
}

Test(listing, a_root_that_is_not_there)
{
	AUTO(listing) struct listing l = {0};

	listing_take("/nonexistent/x", NULL, &l);
	cr_expect_not(l.is_whole);
	cr_expect(l.why[0]);
}

Test(listing, after_it_settled_nothing_is_racy)
{
	char *dir = world();
	AUTO(listing) struct listing l = {0};

	put(dir, "f", "1");
	listing_settle();
	listing_take(dir, NULL, &l);
	cr_assert_eq(l.items.count, 1);
	if (!l.is_coarse)
		cr_expect_not(listing_is_racy(&l, &l.items.items[0]));
	leave(dir);
}
