#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"
#include "repo/repo.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Every test lives in a folder of its own, which is also HOME. */
static char *new_home(void)
{
	char *dir = NULL;
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "repo-", &dir, &err), 0);
	cr_assert_eq(setenv("HOME", dir, 1), 0);
	unsetenv("XDG_CONFIG_HOME");
	return dir;
}

static void drop_home(char *dir)
{
	struct error err = {0};

	cr_expect_eq(fs_remove_tree(dir, &err), 0, "%s", err.msg);
	free(dir);
}

static void put(const char *dir, const char *path, const char *text)
{
	AUTO_FREE char *full = fs_join(dir, path);
	AUTO_FREE char *parent = fs_dirname(full);
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(parent, 0755, &err), 0);
	cr_assert_eq(fs_write_atomic(full, text, strlen(text), 0644, &err), 0, "%s", err.msg);
}

/* What git itself prints; the last newline is cut. Caller frees. */
static char *git(const char *dir, const char *const *words)
{
	const char *argv[16] = {"git", "-C", dir};
	struct proc_spec spec = {.argv = argv, .in = PROC_NULL, .out = PROC_BUFFER};
	AUTO(proc_result) struct proc_result result = {0};
	struct error err = {0};

	for (size_t i = 0; words[i] && i < 12; i++)
		argv[i + 3] = words[i];
	cr_assert_eq(proc_run(&spec, &result, &err), 0, "%s", err.msg);
	cr_assert_eq(result.exit_status, 0, "git %s", words[0]);
	if (text_ends(buf_str(&result.out), "\n"))
		buf_cut(&result.out, result.out.len - 1);
	return buf_take(&result.out);
}

#define GIT(dir, ...) git(dir, (const char *const[]){__VA_ARGS__, NULL})

static void do_git(const char *dir, const char *const *words)
{
	free(git(dir, words));
}

#define DO_GIT(dir, ...) do_git(dir, (const char *const[]){__VA_ARGS__, NULL})

static void commit_here(const char *dir)
{
	struct error err = {0};
	struct repo_signature who = {"A", "a@b.c", 1700000000};

	cr_assert_eq(repo_init_commit(dir, "first\n", &who, &err), 0, "%s", err.msg);
}

Test(repo, init_makes_what_git_would)
{
	char *home = new_home();
	AUTO_FREE char *dir = fs_join(home, "p");
	AUTO_FREE char *log = NULL;
	AUTO_FREE char *files = NULL;
	AUTO_FREE char *status = NULL;

	put(dir, "a.c", "int a;\n");
	put(dir, "sub/b.c", "int b;\n");
	put(dir, "out/c.o", "x");
	put(dir, ".gitignore", "*.o\n");
	commit_here(dir);
	log = GIT(dir, "log", "--format=%D|%an|%ae|%at|%s|%P");
	cr_expect_str_eq(log, "HEAD -> main|A|a@b.c|1700000000|first|");
	files = GIT(dir, "ls-files");
	cr_expect_str_eq(files, ".gitignore\na.c\nsub/b.c");
	status = GIT(dir, "status", "--porcelain");
	cr_expect_str_eq(status, "");
	DO_GIT(dir, "fsck", "--strict");
	drop_home(home);
}

Test(repo, the_author_comes_from_the_users_configuration)
{
	char *home = new_home();
	AUTO_FREE char *dir = fs_join(home, "p");
	AUTO_FREE char *log = NULL;
	struct error err = {0};

	put(home, ".config/git/config", "[user]\n\tname = Other\n\temail = o@x.org\n");
	put(home, ".gitconfig", "[user]\n\tname = Ann Onym\n[core]\n\tautocrlf = input\n");
	put(dir, "a", "x\r\n");
	cr_assert_eq(repo_init_commit(dir, "m", NULL, &err), 0, "%s", err.msg);
	log = GIT(dir, "log", "--format=%an <%ae>");
	cr_expect_str_eq(log, "Ann Onym <o@x.org>");
	free(log);
	log = GIT(dir, "cat-file", "blob", "HEAD:a");
	cr_expect_str_eq(log, "x\r", "no other setting of the user's is read");
	drop_home(home);
}

Test(repo, without_configuration_the_login_name_signs)
{
	char *home = new_home();
	AUTO_FREE char *dir = fs_join(home, "p");
	AUTO_FREE char *log = NULL;
	struct error err = {0};

	put(dir, "a", "x");
	cr_assert_eq(repo_init_commit(dir, "m", NULL, &err), 0, "%s", err.msg);
	log = GIT(dir, "log", "--format=%ae");
	cr_expect(strchr(log, '@') && log[0] != '@', "%s", log);
	drop_home(home);
}

Test(repo, init_refuses_a_repository)
{
	char *home = new_home();
	AUTO_FREE char *dir = fs_join(home, "p");
	struct error err = {0};

	put(dir, "a", "x");
	commit_here(dir);
	cr_expect_eq(repo_init_commit(dir, "m", NULL, &err), -1);
	cr_expect_eq(err.code, ERR_CONFLICT);
	drop_home(home);
}

Test(repo, read_follows_the_life_of_a_repository)
{
	char *home = new_home();
	AUTO_FREE char *dir = fs_join(home, "p");
	AUTO_FREE char *sub = fs_join(dir, "sub");
	AUTO_FREE char *commit = NULL;
	AUTO_FREE char *described = NULL;
	struct repo_info i = {0};
	struct error err = {0};

	put(dir, "sub/a", "x");
	commit_here(dir);
	commit = GIT(dir, "rev-parse", "HEAD");
	cr_assert_eq(repo_info_read(sub, &i, &err), 0, "%s", err.msg);
	cr_expect_str_eq(i.commit, commit);
	cr_expect_eq(i.commit_time, 1700000000);
	cr_expect_str_eq(i.branch, "main");
	cr_expect(strlen(i.describe) >= 7 && text_starts(commit, i.describe), "%s", i.describe);
	cr_expect_null(i.origin);
	cr_expect_not(i.dirty);
	repo_info_release(&i);

	DO_GIT(dir, "tag", "v1.2.3");
	DO_GIT(dir, "remote", "add", "origin", "https://me:s3cret@example.org/p.git");
	put(dir, "sub/new", "untracked");
	cr_assert_eq(repo_info_read(dir, &i, &err), 0, "%s", err.msg);
	cr_expect_str_eq(i.describe, "v1.2.3");
	cr_expect_str_eq(i.origin, "https://example.org/p.git");
	cr_expect(i.dirty, "an untracked file counts");
	repo_info_release(&i);

	DO_GIT(dir, "add", ".");
	DO_GIT(dir, "-c", "user.name=x", "-c", "user.email=y", "commit", "-q", "-m", "two");
	DO_GIT(dir, "checkout", "-q", "--detach");
	put(dir, "sub/a", "changed");
	described = GIT(dir, "describe", "--tags", "--always", "--dirty");
	cr_assert_eq(repo_info_read(dir, &i, &err), 0, "%s", err.msg);
	cr_expect_str_eq(i.describe, described);
	cr_expect(text_ends(i.describe, "-dirty"));
	cr_expect_null(i.branch);
	repo_info_release(&i);
	drop_home(home);
}

Test(repo, before_the_first_commit)
{
	char *home = new_home();
	struct repo_info i = {0};
	struct error err = {0};

	DO_GIT(home, "init", "-q");
	cr_assert_eq(repo_info_read(home, &i, &err), 0, "%s", err.msg);
	cr_expect_str_eq(i.commit, "");
	cr_expect_null(i.describe);
	repo_info_release(&i);
	drop_home(home);
}

Test(repo, no_repository_is_missing)
{
	char *home = new_home();
	struct repo_info i = {0};
	struct error err = {0};

	cr_expect_eq(repo_info_read(home, &i, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	cr_expect(strstr(err.msg, home), "%s", err.msg);
	drop_home(home);
}

Test(repo, a_repository_of_another_owner_is_read)
{
	char *home = new_home();
	AUTO_FREE char *dir = fs_join(home, "p");
	AUTO_FREE char *meta = fs_join(dir, ".git");
	struct repo_info i = {0};
	struct error err = {0};

	if (getuid() != 0)
		cr_skip_test("only root can give a folder away");
	put(dir, "a", "x");
	commit_here(dir);
	cr_assert_eq(chown(dir, 65532, 65532), 0);
	cr_assert_eq(chown(meta, 65532, 65532), 0);
	cr_expect_eq(repo_info_read(dir, &i, &err), 0, "%s", err.msg);
	repo_info_release(&i);
	drop_home(home);
}

Test(repo, what_is_ignored)
{
	AUTO_FREE char *dir = new_home();
	AUTO_FREE char *sub = fs_join(dir, "service");
	AUTO_PTR(repo_ignored) struct repo_ignored *r = NULL;
	AUTO_PTR(repo_ignored) struct repo_ignored *none = NULL;
	AUTO_FREE char *out = fs_join(dir, "service/out");
	struct error err = {0};

	cr_assert_eq(repo_ignored_open(dir, &r, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	free(GIT(dir, "init", "-q"));
	put(dir, ".gitignore", "*.o\n/service/out/\n");
	put(dir, "service/.gitignore", "/local\n");
	put(dir, "service/tracked.o", "x");
	put(dir, "service/dir.o/kept", "x");
	put(dir, "service/out/x", "x");
	free(GIT(dir, "add", "-f", "service/tracked.o", "service/dir.o/kept"));
	cr_assert_eq(repo_ignored_open(sub, &r, &err), 0, "%s", err.msg);
	cr_expect(repo_is_ignored(r, "a.o", false));
	cr_expect(repo_is_ignored(r, "deep/a.o", false));
	cr_expect(repo_is_ignored(r, "out", true));
	cr_expect(repo_is_ignored(r, "out/x", false));
	cr_expect(repo_is_ignored(r, "local", false));
	cr_expect_not(repo_is_ignored(r, "deep/local", false));
	cr_expect_not(repo_is_ignored(r, "a.c", false));
	cr_expect_not(repo_is_ignored(r, "tracked.o", false));
	cr_expect_not(repo_is_ignored(r, "dir.o", true));
	/* a project that somebody unpacked where the repository does not look */
	cr_expect_eq(repo_ignored_open(out, &none, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	drop_home(TAKE(dir));
}
