#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static char *scratch(void)
{
	struct error err = {0};
	char *dir = NULL;

	cr_assert_eq(fs_temp_dir("/tmp", "msctl-test.", &dir, &err), 0, "%s", err.msg);
	return dir;
}

static void drop(char *dir)
{
	struct error err = {0};

	cr_expect_eq(fs_remove_tree(dir, &err), 0, "%s", err.msg);
	cr_expect(!fs_exists(dir));
	free(dir);
}

Test(fs, atomic_write_and_capped_read)
{
	char *dir = scratch();
	AUTO_FREE char *path = fs_join(dir, "f");
	AUTO(buf) struct buf b = {0};
	AUTO(strv) struct strv names = {0};
	struct error err = {0};
	struct stat st;

	cr_assert_eq(fs_write_atomic(path, "old", 3, 0600, &err), 0);
	cr_assert_eq(fs_write_atomic(path, "hello", 5, 0640, &err), 0);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0640);
	cr_assert_eq(fs_read(path, 5, &b, &err), 0);
	cr_expect_str_eq(buf_str(&b), "hello");
	cr_expect_eq(fs_read(path, 4, &b, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_assert_eq(fs_list(dir, &names, &err), 0);
	cr_expect_eq(names.count, 1, "no temporary file stays");
	drop(dir);
}

Test(fs, what_cannot_be_read_says_what_to_do)
{
	char *dir = scratch();
	AUTO_FREE char *fifo = fs_join(dir, "fifo");
	AUTO_FREE char *file = fs_join(dir, "file");
	AUTO(buf) struct buf b = {0};
	struct error err = {0};

	cr_assert_eq(mkfifo(fifo, 0600), 0);
	cr_assert_eq(fs_write_atomic(file, "hello", 5, 0600, &err), 0);
	alarm(10); /* a FIFO that is waited for */
	cr_expect_eq(fs_read_settled(fifo, 100, &b, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT, "%s", err.msg);
	cr_expect(strstr(err.msg, fifo) && err.hint[0], "%s", err.msg);
	alarm(0);
	cr_expect_eq(fs_read_settled(file, 100, &b, &err), 0, "%s", err.msg);
	cr_expect_str_eq(buf_str(&b), "hello");
	buf_release(&b);
	cr_expect_eq(fs_read_settled("/dev/null", 100, &b, &err), 0, "%s", err.msg);
	for (int i = 0; i < 3; i++) {
		err = (struct error){0};
		cr_expect_eq(i == 0   ? fs_read(dir, 100, &b, &err)
					 : i == 1 ? fs_read_settled(dir, 100, &b, &err)
							  : fs_read(file, 4, &b, &err),
					 -1);
		cr_expect_eq(err.code, ERR_INPUT, "%s", err.msg);
		cr_expect(err.hint[0], "%s", err.msg);
	}
	drop(dir);
}

Test(fs, write_into_a_missing_folder_leaves_nothing)
{
	struct error err = {0};

	cr_expect_eq(fs_write_atomic("/nonexistent/f", "x", 1, 0600, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
}

static int count(void *user, const struct fs_entry *e, struct error *err)
{
	struct strv *seen = user;

	(void)err;
	strv_add(seen, e->path);
	return strcmp(e->path, "skip") == 0;
}

Test(fs, walk_is_sorted_and_can_skip)
{
	char *dir = scratch();
	AUTO(strv) struct strv seen = {0};
	struct error err = {0};
	static const char *const dirs[] = {"a/x", "a-b", "skip/inside"};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		AUTO_FREE char *path = fs_join(dir, dirs[i]);

		cr_assert_eq(fs_mkdirs(path, 0755, &err), 0);
	}
	cr_assert_eq(fs_walk(dir, count, &seen, &err), 0, "%s", err.msg);
	cr_assert_eq(seen.count, 4);
	cr_expect_str_eq(seen.items[0], "a");
	cr_expect_str_eq(seen.items[1], "a/x");
	cr_expect_str_eq(seen.items[2], "a-b");
	cr_expect_str_eq(seen.items[3], "skip");
	drop(dir);
}

Test(fs, remove_does_not_follow_links)
{
	char *dir = scratch();
	char *outside = scratch();
	AUTO_FREE char *canary = fs_join(outside, "canary");
	AUTO_FREE char *link = fs_join(dir, "link");
	struct error err = {0};

	cr_assert_eq(fs_write_atomic(canary, "x", 1, 0600, &err), 0);
	cr_assert_eq(symlink(outside, link), 0);
	drop(dir);
	cr_expect(fs_exists(canary));
	drop(outside);
}

Test(fs, open_beneath_refuses_to_leave)
{
	char *dir = scratch();
	AUTO_FREE char *link = fs_join(dir, "out");
	AUTO_CLOSE int root = -1;
	struct error err = {0};

	cr_assert_eq(symlink("/etc", link), 0);
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(root, 0);
	cr_expect_lt(fs_open_beneath(root, "out/passwd", O_RDONLY, 0, &err), 0);
	cr_expect_lt(fs_open_beneath(root, "../etc/passwd", O_RDONLY, 0, &err), 0);
	cr_expect_lt(fs_open_beneath(root, "/etc/passwd", O_RDONLY, 0, &err), 0);
	drop(dir);
}

Test(fs, clean_relative_paths)
{
	static const char *const good[] = {"a", "a/b", "...", "a..b/.c"};
	static const char *const bad[] = {"",   "/a",     "a/",    "a//b", ".",
									  "..", "a/../b", "a/./b", "a\nb", "a\x7f"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		cr_expect(fs_is_clean_relative(good[i]), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect(!fs_is_clean_relative(bad[i]), "%s", bad[i]);
}

Test(fs, a_lock_is_exclusive)
{
	char *dir = scratch();
	AUTO_FREE char *path = fs_join(dir, "lock");
	struct error err = {0};
	int first = -1;
	int second = -1;

	cr_assert_eq(fs_lock(path, true, false, &first, &err), 0);
	cr_expect_eq(fs_lock(path, true, false, &second, &err), -1);
	cr_expect_eq(err.code, ERR_CONFLICT);
	close(first);
	cr_expect_eq(fs_lock(path, true, false, &second, &err), 0);
	close(second);
	drop(dir);
}

static volatile sig_atomic_t signals;
static volatile int held = -1;

/* Gives the lock back in the end, so that a wait which ignores signals fails instead of hanging. */
static void on_alarm(int signo)
{
	(void)signo;
	if (++signals == 50 && held >= 0)
		close(held);
}

Test(fs, a_signal_ends_the_wait_for_a_lock)
{
	char *dir = scratch();
	AUTO_FREE char *path = fs_join(dir, "lock");
	struct sigaction action = {.sa_handler = on_alarm};
	struct itimerval often = {{0, 10000}, {0, 10000}};
	struct itimerval never = {0};
	struct error err = {0};
	int first = -1;
	int second = -1;

	cr_assert_eq(fs_lock(path, true, false, &first, &err), 0);
	held = first;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	cr_expect_eq(fs_lock(path, true, true, &second, &err), -1);
	setitimer(ITIMER_REAL, &never, NULL);
	cr_expect_eq(err.code, ERR_INTERRUPTED);
	cr_expect_eq(second, -1);
	if (signals < 50)
		close(first);
	drop(dir);
}

Test(fs, names)
{
	AUTO_FREE char *a = fs_join("/x/", "y");
	AUTO_FREE char *b = fs_join("x", "/y");
	AUTO_FREE char *c = fs_dirname("/a");
	AUTO_FREE char *d = fs_dirname("a");

	cr_expect_str_eq(a, "/x/y");
	cr_expect_str_eq(b, "/y");
	cr_expect_str_eq(c, "/");
	cr_expect_str_eq(d, ".");
	cr_expect_str_eq(fs_basename("/a/b"), "b");
}
