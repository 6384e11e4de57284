#include "build/build.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "doc/json.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A project whose step counts its runs outside of it. */
struct world {
	char *dir;
	const char *project; /* its folder below dir */
	const char *sysroot; /* NULL: none */
	bool no_cache;
	struct buf said;
};

static void put(const struct world *w, const char *path, const char *text)
{
	AUTO_FREE char *full = fs_join(w->dir, path);
	AUTO_FREE char *parent = fs_dirname(full);
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(parent, 0755, &err), 0);
	cr_assert_eq(fs_write_atomic(full, text, strlen(text), 0644, &err), 0, "%s", err.msg);
}

static void set_step(struct world *w, const char *step)
{
	AUTO_FREE char *text =
		xasprintf("apiVersion: msctl/v1\nname: x\nversion: \"1\"\nbuild:\n  copy: {out: /out}\n"
				  "  entrypoint: [/out]\n  libraries: false\n  steps:\n    - echo >>%s/p.runs\n"
				  "    - |-\n      %s\n",
				  w->dir, step);

	AUTO_FREE char *file = fs_join(w->project, "msctl.yaml");

	put(w, file, text);
}

static struct world enter(void)
{
	struct world w = {.project = "p"};
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "skip-", &w.dir, &err), 0);
	unsetenv("SOURCE_DATE_EPOCH");
	put(&w, "p/in", "1");
	set_step(&w, "cp in out; chmod +x out");
	return w;
}

static void leave(struct world *w)
{
	struct error err = {0};

	cr_expect_eq(fs_remove_tree(w->dir, &err), 0, "%s", err.msg);
	free(w->dir);
	buf_release(&w->said);
}

static void on_explain(void *user, const char *what, bool was_cached, const char *why)
{
	struct world *w = user;

	if (strcmp(what, "steps") == 0) {
		buf_cut(&w->said, 0);
		buf_addf(&w->said, "%s: %s", was_cached ? "cached" : "made", why);
	}
}

static int build(struct world *w, struct error *err)
{
	AUTO_FREE char *where = fs_join(w->dir, w->project);
	AUTO_FREE char *store = fs_join(w->dir, "store");
	AUTO_FREE char *cache = fs_join(w->dir, "cache");
	AUTO(project) struct project p = {0};
	AUTO(build_result) struct build_result r = {0};
	struct build_request request = {.project = &p,
									.store = store,
									.cache = cache,
									.no_cache = w->no_cache,
									.sysroot = w->sysroot,
									.clock = &clock_system,
									.watch = {.explain = on_explain, .user = w}};

	cr_assert_eq(project_load(where, NULL, &p, err), 0, "%s", err->msg);
	return build_run(&request, &r, err);
}

static size_t runs(const struct world *w)
{
	AUTO_FREE char *file = fs_join(w->dir, "p.runs");
	struct stat st = {0};

	return stat(file, &st) == 0 ? (size_t)st.st_size : 0;
}

static void made(struct world *w, size_t count, const char *why)
{
	struct error err = {0};

	cr_assert_eq(build(w, &err), 0, "%s", err.msg);
	cr_expect_eq(runs(w), count, "%zu runs, expected %zu: %s", runs(w), count, why);
	cr_expect(strstr(buf_str(&w->said), why), "said '%s', expected '%s'", buf_str(&w->said), why);
}

Test(skip, steps_run_once_until_something_changes)
{
	struct world w = enter();
	AUTO_FREE char *in = fs_join(w.dir, "p/in");
	AUTO_FREE char *out = fs_join(w.dir, "p/out");

	made(&w, 1, "made: nothing is known of an earlier build");
	made(&w, 1, "cached: nothing changed since they ran");
	put(&w, "p/in", "2");
	made(&w, 2, "made: in changed");
	made(&w, 2, "cached");
	put(&w, "p/sub/new", "2");
	made(&w, 3, "sub is new");
	made(&w, 3, "cached");
	cr_assert_eq(chmod(in, 0600), 0);
	made(&w, 4, "in changed");
	/* what they made counts, too */
	put(&w, "p/out", "#!");
	made(&w, 5, "out changed");
	cr_assert_eq(unlink(out), 0);
	made(&w, 6, "out is gone");
	made(&w, 6, "cached");
	set_step(&w, "cp in out; chmod 0711 out");
	made(&w, 7, "step 2 is another");
	set_step(&w, "cp in out; chmod 0711 out\n    - 'true'");
	made(&w, 8, "step 3 is new");
	made(&w, 8, "cached");
	leave(&w);
}

Test(skip, the_environment_counts_and_is_not_told)
{
	struct world w = enter();

	made(&w, 1, "made");
	setenv("CFLAGS", "-O1", 1);
	made(&w, 2, "variable CFLAGS is set now");
	setenv("CFLAGS", "-O2", 1);
	made(&w, 3, "CFLAGS was '-O1', is '-O2'");
	setenv("SECRET", "hunter2", 1);
	made(&w, 4, "variable SECRET is set now");
	setenv("SECRET", "hunter3", 1);
	made(&w, 5, "variable SECRET has another value");
	cr_expect_null(strstr(buf_str(&w.said), "hunter"));
	/* of a session, not of a machine */
	setenv("TERM", "other", 1);
	setenv("LC_MESSAGES", "de_DE", 1);
	made(&w, 5, "cached");
	setenv("SOURCE_DATE_EPOCH", "77", 1);
	made(&w, 6, "the image's time was '0', is '77'");
	leave(&w);
}

Test(skip, no_cache_runs_them_and_remembers)
{
	struct world w = enter();

	made(&w, 1, "made");
	w.no_cache = true;
	made(&w, 2, "made: --no-cache");
	made(&w, 3, "made: --no-cache");
	w.no_cache = false;
	made(&w, 3, "cached");
	leave(&w);
}

Test(skip, steps_that_failed_run_again)
{
	struct world w = enter();
	struct error err = {0};

	set_step(&w, "cp in out; chmod +x out; grep -q 1 in");
	made(&w, 1, "made");
	put(&w, "p/in", "2");
	cr_expect_eq(build(&w, &err), -1);
	cr_expect_eq(runs(&w), 2);
	cr_expect_eq(build(&w, &err), -1);
	cr_expect_eq(runs(&w), 3);
	cr_expect(strstr(buf_str(&w.said), "did not end well"), "%s", buf_str(&w.said));
	put(&w, "p/in", "1");
	made(&w, 4, "did not end well");
	made(&w, 4, "cached");
	leave(&w);
}

Test(skip, a_file_that_somebody_writes_meanwhile_is_not_taken_for_an_output)
{
	struct world w = enter();

	/* the step stands for an editor: what it writes is there before and is no output of old */
	put(&w, "p/edited", "0");
	set_step(&w, "cp in out; chmod +x out; [ $(wc -c <$PWD.runs) != 1 ] || echo 1 >edited");
	made(&w, 1, "made");
	set_step(&w, "cp in out; chmod +x out");
	made(&w, 2, "edited changed while the steps ran");
	made(&w, 2, "cached");
	/* what is written each time is an output */
	set_step(&w, "cp in out; chmod +x out; date +%N >edited");
	made(&w, 3, "step 2");
	made(&w, 4, "edited changed while the steps ran");
	made(&w, 4, "cached");
	leave(&w);
}

Test(skip, what_reaches_out_of_the_project_is_never_left_out)
{
	struct world w = enter();
	AUTO_FREE char *link = fs_join(w.dir, "p/link");
	AUTO_FREE char *target = fs_join(w.dir, "elsewhere");

	put(&w, "elsewhere/x", "1");
	cr_assert_eq(symlink(target, link), 0);
	made(&w, 1, "made");
	made(&w, 2, "link leads to a folder elsewhere");
	cr_assert_eq(unlink(link), 0);
	set_step(&w, "cp ../p/in out; chmod +x out");
	made(&w, 3, "made");
	made(&w, 4, "reaches out of the project's folder");
	leave(&w);
}

Test(skip, what_lies_beside_the_project_in_its_repository_counts)
{
	struct world w = enter();

	w.project = "p/svc";
	put(&w, "p/.git/HEAD", "");
	put(&w, "p/common", "1");
	put(&w, "p/other/f", "1");
	/* as a Makefile would name it */
	set_step(&w, "there=..; cat $there/common >out; chmod +x out");
	made(&w, 1, "nothing is known");
	made(&w, 1, "cached");
	put(&w, "p/common", "2");
	made(&w, 2, "made: common changed");
	made(&w, 2, "cached");
	/* what builds of other projects leave there is nobody else's */
	put(&w, "p/other/.msctl/build/x", "1");
	made(&w, 2, "cached");
	put(&w, "p/other/.msctlx", "1");
	made(&w, 3, "made: other/.msctlx is new");
	leave(&w);
}

Test(skip, programs_beside_the_project_count)
{
	struct world w = enter();
	AUTO_FREE char *path = xasprintf("%s/p-tools:%s", w.dir, getenv("PATH"));
	AUTO_FREE char *tool = fs_join(w.dir, "p-tools/x-tool");

	put(&w, "p-tools/x-tool", "1");
	setenv("PATH", path, 1);
	made(&w, 1, "nothing is known");
	made(&w, 1, "cached");
	put(&w, "p-tools/x-tool", "2");
	made(&w, 2, "p-tools changed");
	/* written over: the folder itself does not change */
	cr_assert_eq(truncate(tool, 0), 0);
	made(&w, 3, "p-tools changed");
	made(&w, 3, "cached");
	leave(&w);
}

Test(skip, a_sysroot_is_known_by_its_packages)
{
	struct world w = enter();
	AUTO_FREE char *sysroot = fs_join(w.dir, "sys");
	AUTO_FREE char *inside = fs_join(w.dir, "p/sys");

	w.sysroot = sysroot;
	put(&w, "sys/usr/include/x.h", "1");
	made(&w, 1, "the sysroot has no packages that tell of its files");
	made(&w, 2, "the sysroot has no packages that tell of its files");
	put(&w, "sys/var/lib/dpkg/status", "1");
	made(&w, 3, "the sysroot's packages changed");
	made(&w, 3, "cached");
	put(&w, "sys/var/lib/dpkg/status", "2");
	made(&w, 4, "the sysroot's packages changed");
	/* one in the project is as well known as all else there */
	w.sysroot = inside;
	put(&w, "p/sys/usr/include/x.h", "1");
	made(&w, 5, "made");
	made(&w, 5, "cached");
	put(&w, "p/sys/usr/include/x.h", "2");
	made(&w, 6, "sys/usr/include/x.h changed");
	leave(&w);
}

Test(skip, damaged_records_are_none)
{
	struct world w = enter();
	AUTO_FREE char *projects = fs_join(w.dir, "cache/projects");
	AUTO(strv) struct strv ids = {0};
	AUTO(buf) struct buf good = {0};
	AUTO_FREE char *record = NULL;
	struct error err = {0};

	made(&w, 1, "made");
	cr_assert_eq(fs_list(projects, &ids, &err), 0);
	cr_assert_eq(ids.count, 1);
	record = xasprintf("%s/%s/steps-linux-amd64", projects, ids.items[0]);
	if (!fs_exists(record))
		cr_skip_test("the record has another name on this machine");
	cr_assert_eq(fs_read(record, 1u << 20, &good, &err), 0);
	cr_assert_gt(good.len, 40);
	good.data[good.len / 2] ^= 1;
	cr_assert_eq(fs_write_atomic(record, good.data, good.len, 0600, &err), 0);
	made(&w, 2, "nothing is known");
	cr_assert_eq(fs_write_atomic(record, good.data, good.len / 3, 0600, &err), 0);
	made(&w, 3, "nothing is known");
	/* that the steps write it has to be learned again */
	made(&w, 4, "out changed while the steps ran");
	made(&w, 4, "cached");
	leave(&w);
}
