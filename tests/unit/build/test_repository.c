#include "build/memory.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

static char *world(void)
{
	char *dir = NULL;
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "repository-", &dir, &err), 0);
	return dir;
}

static void leave(char *dir)
{
	struct error err = {0};

	cr_expect_eq(fs_remove_tree(dir, &err), 0, "%s", err.msg);
	free(dir);
}

static void sh(const char *dir, const char *script)
{
	static const char *const env[] = {"GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a",
									  "GIT_AUTHOR_EMAIL=a@b",        "GIT_COMMITTER_NAME=a",
									  "GIT_COMMITTER_EMAIL=a@b",     NULL};
	const char *const argv[] = {"sh", "-e", "-c", script, NULL};
	const struct proc_spec spec = {
		.argv = argv, .env = env, .cwd = dir, .out = PROC_NULL, .err_out = PROC_BUFFER};
	AUTO(proc_result) struct proc_result r = {0};
	struct error err = {0};

	cr_assert_eq(proc_run(&spec, &r, &err), 0, "%s", err.msg);
	cr_assert_eq(r.exit_status, 0, "%s: %s", script, buf_str(&r.err_out));
}

static const char *text(const char *t)
{
	return t ? t : "";
}

/* What the cache says is what libgit2 says; was it asked again? */
static bool check(const char *dir, const char *project, bool is_kept, const char *after)
{
	AUTO_FREE char *cache = fs_join(dir, "cache");
	AUTO_FREE char *where = fs_join(dir, project);
	const struct project p = {.dir = where};
	const struct build_request request = {.project = &p, .cache = cache};
	AUTO(repo_info) struct repo_info got = {0};
	AUTO(repo_info) struct repo_info want = {0};
	struct build_memory *m = NULL;
	AUTO_FREE char *file = NULL;
	struct stat before = {0}, now = {0};
	struct error err = {0};

	/* nothing is believed of what is not older than a tick */
	listing_settle();
	build_memory_open(&request, &m);
	file = fs_join(m->project, "repository");
	stat(file, &before);
	cr_assert_eq(build_repository(m, &p, &got, &err), 0, "%s", err.msg);
	build_memory_free(m);
	stat(file, &now);
	cr_assert_eq(repo_info_read(where, &want, &err), 0, "%s", err.msg);
	cr_expect_str_eq(got.commit, want.commit, "after %s", after);
	cr_expect_eq(got.commit_time, want.commit_time, "after %s", after);
	cr_expect_eq(got.dirty, want.dirty, "after %s", after);
	cr_expect_str_eq(text(got.branch), text(want.branch), "after %s", after);
	cr_expect_str_eq(text(got.describe), text(want.describe), "after %s", after);
	cr_expect_str_eq(text(got.origin), text(want.origin), "after %s", after);
	cr_expect_eq(fs_exists(file), is_kept, "after %s", after);
	return before.st_ino != now.st_ino;
}

Test(repository, the_cache_says_what_libgit2_says)
{
	static const char *const acts[] = {
		"git init -q -b main r; mkdir r/sub; echo 1 >r/sub/f; echo 1 >r/g",
		"cd r; git add -A; git commit -qm one",
		"echo 2 >r/g",
		"cd r; git add g",
		"cd r; git commit -qm two",
		"cd r; git tag v1",
		"echo 3 >r/untracked",
		"echo untracked >r/.gitignore",
		"cd r; git add .gitignore; git commit -qm three",
		"cd r; git checkout -qb other",
		"cd r; git checkout -q --detach",
		"cd r; git pack-refs --all",
		"cd r; git tag v2; git pack-refs --all",
		"cd r; git remote add origin https://user:secret@host.example/x.git",
		"cd r; git checkout -q main; git gc -q",
		"echo '*.tmp' >>r/.git/info/exclude; echo 1 >r/x.tmp",
		"rm r/sub/f",
		"cd r; git checkout -q sub/f",
		"cd r; git update-index -q --refresh || true",
		"chmod +x r/g",
		"cd r; git stash -q",
		"cd r; git reset -q --hard v1",
	};
	char *dir = world();

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		sh(dir, acts[i]);
		check(dir, "r", true, acts[i]);
		/* what was asked is not asked again */
		cr_expect_not(check(dir, "r", true, acts[i]), "asked again after %s", acts[i]);
		check(dir, "r/sub", true, acts[i]);
	}
	leave(dir);
}

Test(repository, what_the_cache_cannot_know_it_does_not_keep)
{
	static const char *const acts[] = {
		"git init -q -b main r; echo 1 >r/f; cd r; git add -A; git commit -qm one;"
		"git config core.excludesfile ../excluded; echo 1 >new",
		"echo new >excluded",
		"echo other >excluded",
	};
	char *dir = world();

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		sh(dir, acts[i]);
		check(dir, "r", false, acts[i]);
		cr_expect_not(check(dir, "r", false, acts[i]));
	}
	/* another worktree: its .git is a file */
	sh(dir, "cd r; git worktree add -q ../w; echo 1 >../w/n");
	check(dir, "w", false, "worktree");
	sh(dir, "cd w; git add n; git commit -qm two");
	check(dir, "w", false, "commit in a worktree");
	leave(dir);
}

Test(repository, outside_of_one_nothing_is_asked)
{
	char *dir = world();
	const struct project p = {.dir = dir};
	const struct build_request request = {.project = &p};
	struct build_memory *m = NULL;
	struct repo_info got = {0};
	struct error err = {0};

	build_memory_open(&request, &m);
	cr_assert_eq(build_repository(m, &p, &got, &err), 0, "%s", err.msg);
	cr_expect_str_eq(got.commit, "");
	cr_expect_null(got.describe);
	build_memory_free(m);
	leave(dir);
}
