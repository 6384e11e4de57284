#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "build/sources.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct world {
	char *dir, *from, *to, *list;
};

static struct world world(void)
{
	struct world w = {0};
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "sources-", &w.dir, &err), 0);
	w.from = fs_join(w.dir, "from");
	w.to = fs_join(w.dir, "to");
	w.list = fs_join(w.dir, "list");
	cr_assert_eq(fs_mkdirs(w.from, 0755, &err), 0);
	return w;
}

static void leave(struct world *w)
{
	struct error err = {0};

	cr_expect_eq(fs_remove_tree(w->dir, &err), 0, "%s", err.msg);
	free(w->dir);
	free(w->from);
	free(w->to);
	free(w->list);
}

static void put(const char *dir, const char *path, const char *text)
{
	AUTO_FREE char *full = fs_join(dir, path);
	AUTO_FREE char *parent = fs_dirname(full);
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(parent, 0755, &err), 0);
	cr_assert_eq(fs_write_atomic(full, text, strlen(text), 0644, &err), 0, "%s", err.msg);
}

/* An old time, so that a change shows whatever the clock's grain. */
static void age(const char *dir, const char *path, time_t seconds)
{
	AUTO_FREE char *full = fs_join(dir, path);
	const struct timespec times[2] = {{seconds, 5}, {seconds, 5}};

	cr_assert_eq(utimensat(AT_FDCWD, full, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void drop(const char *dir, const char *path)
{
	AUTO_FREE char *full = fs_join(dir, path);

	cr_assert_eq(remove(full), 0);
}

static void copy(const struct world *w)
{
	struct error err = {0};

	cr_assert_eq(sources_copy(w->from, w->to, w->list, NULL, &err), 0, "%s", err.msg);
}

static bool has(const struct world *w, const char *path, const char *text)
{
	AUTO_FREE char *full = fs_join(w->to, path);
	AUTO(buf) struct buf got = {0};
	struct error ignored = {0};

	return fs_read_settled(full, 100, &got, &ignored) == 0 && strcmp(buf_str(&got), text) == 0;
}

static struct stat look(const char *dir, const char *path)
{
	AUTO_FREE char *full = fs_join(dir, path);
	struct stat st = {0};

	lstat(full, &st);
	return st;
}

Test(sources, only_what_changed_is_copied_again)
{
	struct world w = world();
	struct stat before;

	put(w.from, "a.c", "one");
	put(w.from, "sub/b.c", "two");
	put(w.from, "gone.c", "x");
	put(w.from, "lost/c.c", "x");
	age(w.from, "a.c", 1000);
	age(w.from, "sub/b.c", 2000);
	copy(&w);
	cr_expect(has(&w, "a.c", "one") && has(&w, "sub/b.c", "two") && has(&w, "gone.c", "x"));
	/* the order of times is kept at first */
	cr_expect_eq(look(w.to, "a.c").st_mtim.tv_sec, 1000);
	cr_expect_eq(look(w.to, "sub/b.c").st_mtim.tv_sec, 2000);
	before = look(w.to, "sub/b.c");
	/* products, and a copy that the build changed */
	put(w.to, "a.o", "made");
	put(w.to, "lost/c.o", "made");
	put(w.to, "sub/b.c", "built");
	age(w.to, "sub/b.c", 2500);
	/* changed, but no newer than what was made of it */
	put(w.from, "a.c", "three");
	age(w.from, "a.c", 1500);
	put(w.from, "new.c", "four");
	drop(w.from, "gone.c");
	drop(w.from, "lost/c.c");
	drop(w.from, "lost");
	copy(&w);
	cr_expect(has(&w, "a.c", "three") && has(&w, "new.c", "four"));
	cr_expect(has(&w, "sub/b.c", "built"), "an unchanged source was copied");
	cr_expect_gt(look(w.to, "a.c").st_mtim.tv_sec, before.st_mtim.tv_sec + 1000000);
	cr_expect_eq(look(w.to, "gone.c").st_ino, 0);
	cr_expect_eq(look(w.to, "lost/c.c").st_ino, 0);
	cr_expect(has(&w, "a.o", "made") && has(&w, "lost/c.o", "made"));
	/* of the same size, and somebody gave it its time back */
	put(w.from, "a.c", "THREE");
	age(w.from, "a.c", 1500);
	copy(&w);
	cr_expect(has(&w, "a.c", "THREE"));
	leave(&w);
}

Test(sources, kinds_change_places)
{
	struct world w = world();
	AUTO_FREE char *x = fs_join(w.from, "x");
	AUTO_FREE char *y = fs_join(w.from, "y");
	AUTO_FREE char *link = fs_join(w.from, "link");
	struct error err = {0};

	put(w.from, "x/deep/file", "1");
	put(w.from, "y", "2");
	copy(&w);
	put(w.to, "x/deep/product", "p");
	cr_assert_eq(fs_remove_tree(x, &err), 0);
	cr_assert_eq(unlink(y), 0);
	put(w.from, "x", "now a file");
	put(w.from, "y/z", "now a folder");
	cr_assert_eq(symlink("y/z", link), 0);
	copy(&w);
	cr_expect(has(&w, "x", "now a file") && has(&w, "y/z", "now a folder"));
	cr_expect(has(&w, "link", "now a folder"));
	cr_expect(S_ISLNK(look(w.to, "link").st_mode));
	leave(&w);
}

Test(sources, what_stays_out)
{
	struct world w = world();
	/* the head of an object file for amd64: not what an older build by hand left */
	char object[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
	AUTO_FREE char *file = fs_join(w.from, "a.o");
	AUTO_FREE char *pipe = fs_join(w.from, "pipe");
	AUTO_FREE char *sock = fs_join(w.from, "sock");
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	AUTO_CLOSE int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct error err = {0};

	object[16] = 1;
	object[18] = 62;
	cr_assert_eq(fs_write_atomic(file, object, sizeof(object), 0644, &err), 0);
	cr_assert_eq(mkfifo(pipe, 0644), 0);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", sock);
	cr_assert_eq(bind(s, (struct sockaddr *)&at, sizeof(at)), 0);
	put(w.from, "a.c", "1");
	put(w.from, ".git/config", "1");
	put(w.from, "sub/.git", "gitdir: elsewhere");
	put(w.from, ".msctl/build/x", "1");
	put(w.from, "sub/.msctl/x", "1");
	copy(&w);
	cr_expect(has(&w, "a.c", "1") && has(&w, "sub/.msctl/x", "1"));
	for (const char *const *out =
			 (const char *const[]){"a.o", "pipe", "sock", ".git", "sub/.git", ".msctl", NULL};
		 *out; out++)
		cr_expect_eq(look(w.to, *out).st_ino, 0, "%s", *out);
	leave(&w);
}

Test(sources, a_damaged_list_is_as_good_as_none)
{
	static const char *const lists[] = {"", "nothing", "1.2.3 a.c", "\n\n \n"};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct world w = world();
		AUTO(map) struct map known = {0};

		put(w.from, "a.c", "1");
		put(w.to, "a.c", "old");
		put(w.dir, "list", lists[i]);
		copy(&w);
		cr_expect(has(&w, "a.c", "1"), "%s", lists[i]);
		sources_load(w.list, &known);
		cr_expect(map_has(&known, "a.c"));
		cr_expect_eq(known.count, 1);
		leave(&w);
	}
}

Test(sources, what_git_ignores_stays_out)
{
	struct world w = world();
	AUTO_FREE char *command =
		xasprintf("cd '%s' && git init -q . && git add -f tracked.o .gitignore && "
				  "git -c user.name=x -c user.email=x@x.test commit -q -m x",
				  w.from);

	const char *const argv[] = {"sh", "-c", command, NULL};
	struct proc_spec spec = {.argv = argv, .in = PROC_NULL};
	AUTO(proc_result) struct proc_result result = {0};
	struct error err = {0};

	put(w.from, ".gitignore", "*.o\n/out/\n");
	put(w.from, "a.o", "1");
	put(w.from, "tracked.o", "1");
	put(w.from, "out/x", "1");
	put(w.from, "sub/out/x", "1");
	put(w.from, "untracked.c", "1");
	cr_assert_eq(proc_run(&spec, &result, &err), 0, "%s", err.msg);
	cr_assert_eq(result.exit_status, 0);
	copy(&w);
	cr_expect(has(&w, "tracked.o", "1") && has(&w, "untracked.c", "1") &&
			  has(&w, "sub/out/x", "1"));
	cr_expect_not(has(&w, "a.o", "1"));
	cr_expect_eq(look(w.to, "out").st_ino, 0);
	leave(&w);
}

Test(sources, holes_stay_holes)
{
	struct world w = world();
	AUTO_FREE char *file = fs_join(w.from, "hole");
	struct stat st;

	put(w.from, "hole", "head");
	cr_assert_eq(truncate(file, (off_t)1 << 30), 0);
	copy(&w);
	st = look(w.to, "hole");
	cr_expect_eq(st.st_size, (off_t)1 << 30);
	cr_expect_lt(st.st_blocks * 512, 1 << 20);
	/* it ends in data, and in a hole */
	AUTO_CLOSE int fd = open(file, O_WRONLY | O_CLOEXEC);
	cr_assert_eq(pwrite(fd, "tail", 4, ((off_t)1 << 30) + 5), 4);
	copy(&w);
	AUTO_FREE char *to = fs_join(w.to, "hole");
	AUTO_CLOSE int got = open(to, O_RDONLY | O_CLOEXEC);
	char text[10] = "";
	cr_expect_eq(pread(got, text, 9, (off_t)1 << 30), 9);
	cr_expect_eq(memcmp(text, "\0\0\0\0\0tail", 9), 0);
	leave(&w);
}
