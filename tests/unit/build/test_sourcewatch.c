#include "build/sourcewatch.h"

#include "base/fs.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *dir;
static struct source_watch *watch;

static void put(const char *path, const char *text)
{
	AUTO_FREE char *full = fs_join(dir, path);
	AUTO_FREE char *above = fs_dirname(full);
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(above, 0755, &err), 0);
	cr_assert_eq(fs_write_atomic(full, text, strlen(text), 0644, &err), 0, "%s", err.msg);
}

static void drop(const char *path)
{
	AUTO_FREE char *full = fs_join(dir, path);

	cr_assert_eq(unlink(full), 0);
}

static void setup(void)
{
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "msctl-unit-", &dir, &err), 0);
	put("src/a.c", "a");
	put("b.c", "b");
	cr_assert_eq(source_watch_open(dir, &watch, &err), 0, "%s", err.msg);
}

static void teardown(void)
{
	struct error err = {0};

	source_watch_free(watch);
	fs_remove_tree(dir, &err);
	free(dir);
}

TestSuite(sourcewatch, .init = setup, .fini = teardown);

static bool is_told(void)
{
	struct pollfd fd = {source_watch_fd(watch), POLLIN, 0};

	return poll(&fd, 1, 0) == 1;
}

static void expect(bool after_build, size_t count, const char *first)
{
	AUTO(source_changes) struct source_changes c = {0};
	struct error err = {0};
	int rc = after_build ? source_watch_built(watch, &c, &err)
						 : source_watch_look(watch, NULL, &c, &err);

	cr_assert_eq(rc, 0, "%s", err.msg);
	cr_expect_eq(c.count, count, "%zu changes, first %s", c.count, c.first ? c.first : "none");
	if (first && c.first)
		cr_expect_str_eq(c.first, first);
}

Test(sourcewatch, tells_what_changed)
{
	cr_expect(!is_told());
	expect(false, 0, NULL);
	put("src/a.c", "longer");
	cr_expect(is_told());
	expect(false, 1, "src/a.c");
	expect(false, 0, NULL);
	put("src/new/deep.c", "x");
	expect(false, 1, "src/new/deep.c");
	put("src/new/deep.c", "xy");
	cr_expect(is_told(), "folders that are new are watched, too");
	expect(false, 1, "src/new/deep.c");
	drop("b.c");
	drop("src/a.c");
	expect(false, 2, NULL);
}

Test(sourcewatch, passes_over_what_is_no_source)
{
	static const char *const paths[] = {".git/index", ".msctl/build/x", "src/a.c~", "src/.a.c.swp",
										"src/.#a.c"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		put(paths[i], "x");
	expect(false, 0, NULL);
}

Test(sourcewatch, learns_what_the_build_writes)
{
	put("program", "1");
	expect(true, 0, NULL);
	put("program", "12");
	expect(true, 0, NULL);
	/* somebody edits while a build runs: that is told */
	put("src/a.c", "edited");
	put("program", "123");
	expect(true, 1, "src/a.c");
	expect(true, 0, NULL);
	put("src/a.c", "edited again");
	expect(true, 1, "src/a.c");
	/* what changes in two builds one after the other is their product */
	put("src/a.c", "and again");
	expect(true, 0, NULL);
	put("src/a.c", "and forever");
	expect(true, 0, NULL);
	/* between builds everything counts */
	put("program", "by hand");
	expect(false, 1, "program");
}

Test(sourcewatch, needs_a_folder)
{
	struct source_watch *w = NULL;
	struct error err = {0};

	cr_expect_eq(source_watch_open("/nonexistent", &w, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	cr_expect_null(w);
}
