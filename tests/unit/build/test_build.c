#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"
#include "build/build.h"
#include "doc/json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <sys/socket.h>
#include <utime.h>

/* A folder of its own for each test: projects and the store are below it. */
static char *world(void)
{
	char *dir = NULL;
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "build-", &dir, &err), 0);
	unsetenv("SOURCE_DATE_EPOCH");
	return dir;
}

static void leave(char *dir)
{
	struct error err = {0};

	cr_expect_eq(fs_remove_tree(dir, &err), 0, "%s", err.msg);
	free(dir);
}

static void put(const char *dir, const char *path, const char *text, mode_t mode)
{
	AUTO_FREE char *full = fs_join(dir, path);
	AUTO_FREE char *parent = fs_dirname(full);
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(parent, 0755, &err), 0);
	cr_assert_eq(fs_write_atomic(full, text, strlen(text), mode, &err), 0, "%s", err.msg);
}

static void put_project(const char *dir, const char *name, const char *build)
{
	AUTO_FREE char *file = fs_join(name, "msctl.yaml");
	AUTO_FREE char *text =
		xasprintf("apiVersion: msctl/v1\nname: x\nversion: \"1\"\nbuild:\n%s", build);

	put(dir, file, text, 0644);
}

/* Build dir/name as x:1 into dir/store. */
static int make(const char *dir, const char *name, struct build_result *r, struct error *err)
{
	AUTO_FREE char *where = fs_join(dir, name);
	AUTO_FREE char *store = fs_join(dir, "store");
	AUTO(project) struct project p = {0};
	AUTO_FREE char *cache = fs_join(dir, "cache");
	struct build_request request = {
		.project = &p, .store = store, .cache = cache, .clock = &clock_system};

	cr_assert_eq(project_load(where, NULL, &p, err), 0, "%s", err->msg);
	return build_run(&request, r, err);
}

static void made(const char *dir, const char *name, struct build_result *r)
{
	struct error err = {0};

	cr_assert_eq(make(dir, name, r, &err), 0, "%s", err.msg);
}

/* A build that has to fail, without a store being made. */
static void refused(const char *dir, const char *name, enum err_code code, const char *says)
{
	AUTO_FREE char *index = fs_join(dir, "store/index.json");
	struct build_result r = {0};
	struct error err = {0};

	cr_assert_eq(make(dir, name, &r, &err), -1);
	cr_expect_eq(err.code, code, "%s", err.msg);
	cr_expect(strstr(err.msg, says), "%s", err.msg);
	cr_expect(err.hint[0] || code == ERR_INPUT, "%s", err.msg);
	cr_expect_not(fs_exists(index));
}

Test(build, place_time_and_modes_leave_no_trace)
{
	char *dir = world();
	static const char text[] =
		"  copy: {prog: /usr/bin/prog, data: /srv/data}\n  libraries: false\n";
	AUTO(build_result) struct build_result a = {0};
	AUTO(build_result) struct build_result b = {0};
	AUTO_FREE char *old = fs_join(dir, "deep/er/two/prog");
	struct utimbuf long_ago = {1, 1};

	put_project(dir, "one", text);
	put(dir, "one/prog", "x", 0755);
	put(dir, "one/data/a", "a", 0644);
	put(dir, "one/data/b/c", "c", 0644);
	put_project(dir, "deep/er/two", text);
	put(dir, "deep/er/two/data/b/c", "c", 0400);
	put(dir, "deep/er/two/data/a", "a", 0600);
	put(dir, "deep/er/two/prog", "x", 0700);
	cr_assert_eq(utime(old, &long_ago), 0);
	made(dir, "one", &a);
	made(dir, "deep/er/two", &b);
	cr_expect_str_eq(a.image.digest, b.image.digest);
	cr_expect_str_eq(a.ref, "x:1");
	cr_assert_eq(b.images[0].layer_count, 3);
	for (size_t i = 0; i < b.images[0].layer_count; i++)
		cr_expect(!a.images[0].layers[i].was_there && b.images[0].layers[i].was_there, "%s",
				  a.images[0].layers[i].name);
	leave(dir);
}

Test(build, the_time_is_source_date_epoch)
{
	char *dir = world();
	AUTO(build_result) struct build_result r = {0};
	struct error err = {0};

	put_project(dir, "p", "  copy: {prog: /prog}\n");
	put(dir, "p/prog", "x", 0755);
	setenv("SOURCE_DATE_EPOCH", "86400", 1);
	made(dir, "p", &r);
	cr_expect_eq(r.created, 86400);
	setenv("SOURCE_DATE_EPOCH", "yesterday", 1);
	build_result_release(&r);
	cr_expect_eq(make(dir, "p", &r, &err), -1);
	cr_expect_eq(err.code, ERR_USAGE);
	leave(dir);
}

Test(build, steps_run_in_the_project_with_a_fixed_surrounding)
{
	char *dir = world();
	AUTO(build_result) struct build_result r = {0};
	AUTO_FREE char *file = fs_join(dir, "p/prog");
	AUTO(buf) struct buf text = {0};
	struct error err = {0};

	setenv("SOURCE_DATE_EPOCH", "7", 1);
	put_project(dir, "p",
				"  copy: {prog: /prog}\n  steps:\n"
				"    - 'x=$(umask); echo \"$SOURCE_DATE_EPOCH $LC_ALL $TZ $x $MAKEFLAGS\" >prog'\n"
				"    - chmod +x prog\n");
	setenv("MAKEFLAGS", "-j8", 1);
	made(dir, "p", &r);
	cr_assert_eq(fs_read(file, 1000, &text, &err), 0);
	cr_expect_str_eq(buf_str(&text), "7 C UTC 0022 \n");
	leave(dir);
}

Test(build, a_failing_step_is_named_with_its_status)
{
	char *dir = world();

	put_project(dir, "p", "  copy: {prog: /prog}\n  steps: ['true', 'false; echo on', 'true']\n");
	refused(dir, "p", ERR_SYS, "step 2 of 3, 'false; echo on', exited with status 1");
	leave(dir);
}

Test(build, what_cannot_be_copied_is_refused)
{
	char *dir = world();
	AUTO_FREE char *out = fs_join(dir, "p/out");
	AUTO_FREE char *pipe = fs_join(dir, "p/data/pipe");

	put_project(dir, "p", "  copy: {prog: /prog}\n");
	refused(dir, "p", ERR_MISSING, "there is no prog");
	cr_assert_eq(symlink("/etc/hostname", out), 0);
	put_project(dir, "p", "  copy: {out: /out}\n");
	refused(dir, "p", ERR_INPUT, "out leads out of the project");
	put(dir, "p/data/a", "a", 0644);
	cr_assert_eq(mkfifo(pipe, 0600), 0);
	put_project(dir, "p", "  copy: {data: /data}\n  entrypoint: [/data/a]\n");
	refused(dir, "p", ERR_INPUT, "neither a file nor a folder nor a link");
	put_project(dir, "p", "  copy: {data/a: /data/.wh.b}\n");
	refused(dir, "p", ERR_INPUT, "cannot hold a file of this name");
	put_project(dir, "p", "  copy: {data/a: /data}\n");
	refused(dir, "p", ERR_INPUT, "nothing of build.copy can be executed");
	leave(dir);
}

Test(build, what_is_started_has_to_be_there)
{
	char *dir = world();

	put(dir, "p/prog", "#! /bin/no-such-shell -e\n", 0755);
	put(dir, "p/data", "x", 0644);
	put_project(dir, "p", "  copy: {prog: /usr/bin/prog}\n  entrypoint: [/bin/prog]\n");
	refused(dir, "p", ERR_INPUT, "build.entrypoint: the image has no /bin/prog");
	put_project(dir, "p", "  copy: {data: /data}\n  entrypoint: [/data]\n");
	refused(dir, "p", ERR_INPUT, "/data cannot be executed");
	put_project(dir, "p", "  copy: {prog: /prog}\n");
	refused(dir, "p", ERR_INPUT, "/prog is a script for /bin/no-such-shell, which the image does");
	leave(dir);
}

Test(build, two_files_at_one_place_are_refused)
{
	char *dir = world();

	put_project(dir, "p", "  copy: {a: /x, b: /x}\n");
	put(dir, "p/a", "a", 0755);
	put(dir, "p/b", "b", 0755);
	refused(dir, "p", ERR_INPUT, "two files at /x");
	leave(dir);
}

Test(build, settings_of_later_versions_are_refused)
{
	char *dir = world();

	put(dir, "p/prog", "x", 0755);
	put_project(dir, "p", "  dockerfile: Dockerfile\n");
	refused(dir, "p", ERR_INPUT, "build.dockerfile is not built by this version yet");
	put_project(dir, "p", "  copy: {prog: /prog}\n  platforms: [plan9/mips]\n");
	refused(dir, "p", ERR_INPUT, "plan9/mips");
	put_project(dir, "p", "  copy: {prog: /prog}\n  user: nobody\n");
	refused(dir, "p", ERR_INPUT, "'nobody'");
	leave(dir);
}

Test(build, a_toolchain_that_is_not_here_is_named)
{
	char *dir = world();
	AUTO(build_result) struct build_result r = {0};
	struct error err = {0};

	put(dir, "p/prog", "x", 0755);
	put_project(dir, "p", "  copy: {prog: /prog}\n  toolchain: gcc:12\n");
	cr_assert_eq(make(dir, "p", &r, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	cr_expect(strstr(err.msg, "build.toolchain"), "%s", err.msg);
	cr_expect(err.hint[0]);
	leave(dir);
}

Test(build, another_machines_program_is_refused)
{
	char *dir = world();
	AUTO_FREE char *file = fs_join(dir, "p/prog");
	unsigned char h[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
	AUTO(build_result) struct build_result r = {0};
	struct error err = {0};

	put_project(dir, "p", "  copy: {prog: /prog}\n");
	h[16] = 2;  /* a program */
	h[18] = 22; /* of s390 */
	h[54] = 56;
	cr_assert_eq(fs_write_atomic(file, h, sizeof(h), 0755, &err), 0);
	refused(dir, "p", ERR_INPUT, "is a program for another machine");
	/* data is not asked where it runs */
	cr_assert_eq(chmod(file, 0644), 0);
	put(dir, "p/x", "x", 0755);
	put_project(dir, "p", "  copy: {prog: /firmware, x: /x}\n");
	made(dir, "p", &r);
	leave(dir);
}

/* Names of a layer's entries, through the store's blob and tar. */
static char *list_layer(const char *dir, const char *digest)
{
	AUTO_FREE char *blob = xasprintf("%s/store/blobs/sha256/%s", dir, oci_digest_hex(digest));
	const char *const argv[] = {"tar", "-tzf", blob, NULL};
	struct proc_spec spec = {.argv = argv, .in = PROC_NULL, .out = PROC_BUFFER};
	AUTO(proc_result) struct proc_result result = {0};
	struct error err = {0};

	cr_assert_eq(proc_run(&spec, &result, &err), 0, "%s", err.msg);
	cr_assert_eq(result.exit_status, 0);
	return buf_take(&result.out);
}

Test(build, libraries_come_along_and_only_the_program_changes)
{
	char *dir = world();
	AUTO(build_result) struct build_result a = {0};
	AUTO(build_result) struct build_result b = {0};
	AUTO_FREE char *names = NULL;

	put_project(dir, "p", "  copy: {prog: /usr/bin/prog}\n  steps: ['cp /bin/true prog']\n");
	made(dir, "p", &a);
	cr_assert_eq(a.images[0].layer_count, 3);
	cr_expect_str_eq(a.images[0].layers[1].name, "libraries");
	names = list_layer(dir, a.images[0].layers[1].digest);
	cr_expect(strstr(names, "libc.so.6\n"), "%s", names);
	cr_expect_null(strstr(names, "usr/bin/"), "%s", names);
	put_project(dir, "p", "  copy: {prog: /usr/bin/prog}\n  steps: ['cp /bin/false prog']\n");
	made(dir, "p", &b);
	cr_expect(b.images[0].layers[0].was_there && b.images[0].layers[1].was_there &&
			  !b.images[0].layers[2].was_there);
	cr_expect_str_neq(a.image.digest, b.image.digest);
	leave(dir);
}

Test(build, the_cache_is_believed_only_as_far_as_the_store_goes)
{
	char *dir = world();
	AUTO(build_result) struct build_result a = {0};
	AUTO(build_result) struct build_result b = {0};
	AUTO(build_result) struct build_result c = {0};
	AUTO_FREE char *records = fs_join(dir, "cache/layers");
	AUTO_FREE char *store = fs_join(dir, "store");
	AUTO(strv) struct strv names = {0};
	struct error err = {0};

	put_project(dir, "p", "  copy: {prog: /prog}\n  steps: [cp /bin/true prog]\n");
	made(dir, "p", &a);
	cr_assert_eq(fs_list(records, &names, &err), 0);
	cr_assert_eq(names.count, 3, "one for each layer");
	made(dir, "p", &b);
	cr_expect_str_eq(b.image.digest, a.image.digest);
	cr_expect(b.images[0].layers[1].was_there);
	/* the blobs are gone, the records are not */
	cr_assert_eq(fs_remove_tree(store, &err), 0);
	made(dir, "p", &c);
	cr_expect_str_eq(c.image.digest, a.image.digest);
	cr_expect_not(c.images[0].layers[1].was_there);
	/* nonsense in a record is no more than no record */
	{
		AUTO(build_result) struct build_result d = {0};

		for (size_t i = 0; i < names.count; i++) {
			AUTO_FREE char *record = fs_join(records, names.items[i]);

			cr_assert_eq(fs_write_atomic(record, "{\"digest\":1}", 12, 0644, &err), 0);
		}
		made(dir, "p", &d);
		cr_expect_str_eq(d.image.digest, a.image.digest);
	}
	leave(dir);
}

Test(build, a_base_brings_its_own_libraries)
{
	char *dir = world();
	AUTO(build_result) struct build_result base = {0};
	AUTO(build_result) struct build_result r = {0};
	AUTO_FREE char *names = NULL;
	AUTO_FREE char *store = fs_join(dir, "store");
	AUTO_PTR(oci_store) struct oci_store *s = NULL;
	AUTO(oci_manifest) struct oci_manifest m = {0};
	struct error err = {0};

	put_project(dir, "base",
				"  copy: {prog: /usr/bin/prog}\n  env: {A: a, B: b}\n"
				"  steps: ['cp /bin/true prog']\n");
	made(dir, "base", &base);
	put_project(dir, "p",
				"  base: x:1\n  copy: {prog: /usr/bin/other, d: /usr/share/d}\n  env: {B: c}\n"
				"  steps: ['cp /bin/false prog; mkdir -p d; echo d >d/d']\n");
	made(dir, "p", &r);
	cr_assert_eq(r.images[0].layer_count, 2);
	cr_expect_str_eq(r.images[0].layers[0].name, "files");
	cr_expect_str_eq(r.images[0].layers[1].name, "app");
	names = list_layer(dir, r.images[0].layers[1].digest);
	cr_expect_str_eq(names, "usr/\nusr/bin/\nusr/bin/other\n");
	cr_assert_eq(oci_store_open(store, &s, &err), 0);
	cr_assert_eq(oci_store_manifest(s, &r.image, &m, &err), 0, "%s", err.msg);
	cr_expect_eq(m.layer_count, 5);
	cr_expect_str_eq(json_string_value(json_object_get(json_object_get(m.json, "annotations"),
													   "org.opencontainers.image.base.digest")),
					 base.image.digest);
	leave(dir);
}

/* /lib is a link on this machine; in an old base it is a folder, and has to stay one. */
Test(build, a_base_with_folders_of_its_own_keeps_them)
{
	char *dir = world();
	AUTO(build_result) struct build_result base = {0};
	AUTO(build_result) struct build_result r = {0};
	AUTO_FREE char *names = NULL;

	put_project(dir, "base", "  copy: {d: /}\n  entrypoint: [/lib/x]\n");
	put(dir, "base/d/lib/x", "x", 0755);
	put(dir, "base/d/lib64/x", "x", 0644);
	made(dir, "base", &base);
	put_project(dir, "p",
				"  base: x:1\n  copy: {prog: /usr/bin/prog}\n  steps: [cp /bin/true prog]\n");
	made(dir, "p", &r);
	cr_assert_eq(r.images[0].layer_count, 2);
	names = list_layer(dir, r.images[0].layers[0].digest);
	cr_expect(text_starts(names, "lib/\n") && strstr(names, "\nlib64/\n"), "%s", names);
	leave(dir);
}

Test(build, libraries_go_where_the_loader_of_the_base_looks)
{
	char *dir = world();
	AUTO(build_result) struct build_result base = {0};
	AUTO(build_result) struct build_result r = {0};
	AUTO_FREE char *names = NULL;

	/* names are all that counts of a base while building on it */
	put_project(dir, "base", "  copy: {d: /usr/lib64, x: /x}\n");
	put(dir, "base/x", "x", 0755);
	put(dir, "base/d/libc.so.6", "x", 0755);
	put(dir, "base/d/ld-linux-x86-64.so.2", "x", 0755);
	made(dir, "base", &base);
	put_project(dir, "p",
				"  base: x:1\n  copy: {prog: /usr/bin/prog}\n  steps: [cp /bin/ls prog]\n");
	made(dir, "p", &r);
	cr_assert_eq(r.images[0].layer_count, 4);
	cr_expect_str_eq(r.images[0].layers[2].name, "libraries");
	names = list_layer(dir, r.images[0].layers[2].digest);
	cr_expect(strstr(names, "\nusr/lib64/libselinux.so.1\n"), "%s", names);
	cr_expect_null(strstr(names, "libc.so.6"), "%s", names);
	leave(dir);
}

/* Large packages have layers of their own, the C library at the bottom; a link lies where its file
 * does. */
Test(build, libraries_are_layered_by_package)
{
	char *dir = world();
	AUTO(build_result) struct build_result r = {0};
	AUTO_FREE char *bottom = NULL, *middle = NULL, *rest = NULL;

	put_project(dir, "p", "  copy: {prog: /usr/bin/prog}\n  steps: [cp /bin/ls prog]\n");
	made(dir, "p", &r);
	cr_assert_eq(r.images[0].layer_count, 5);
	cr_expect_str_eq(r.images[0].layers[1].name, "libraries glibc");
	cr_expect_str_eq(r.images[0].layers[2].name, "libraries pcre2");
	cr_expect_str_eq(r.images[0].layers[3].name, "libraries");
	bottom = list_layer(dir, r.images[0].layers[1].digest);
	middle = list_layer(dir, r.images[0].layers[2].digest);
	rest = list_layer(dir, r.images[0].layers[3].digest);
	cr_expect(strstr(bottom, "libc.so.6\n"), "%s", bottom);
	cr_expect(strstr(middle, "libpcre2-8.so.0\n"), "%s", middle);
	cr_expect_null(strstr(bottom, "libpcre2-8.so.0\n"), "%s", bottom);
	cr_expect(strstr(rest, "libselinux.so.1\n"), "%s", rest);
	leave(dir);
}

Test(build, a_base_that_is_not_there_is_missing)
{
	char *dir = world();
	struct build_result r = {0};
	struct error err = {0};

	put_project(dir, "p", "  base: registry.example.org/b:1\n  copy: {prog: /prog}\n");
	put(dir, "p/prog", "x", 0755);
	cr_expect_eq(make(dir, "p", &r, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	cr_expect_str_eq(err.hint, "run 'msctl pull registry.example.org/b:1'");
	leave(dir);
}
