#include "runtime/cell.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "runtime/private.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>

/* A folder for a test, with a root in it. */
struct place {
	char *dir;
	struct runtime_bundle b;
};

static void place_make(struct place *p)
{
	struct error err = {0};

	*p = (struct place){.b = {.lock = -1, .root_fd = -1}};
	cr_assert_eq(fs_temp_dir("/tmp", "msctl-unit-", &p->dir, &err), 0, "%s", err.msg);
	p->b.name = xstrdup("x:1");
	p->b.rootfs = fs_join(p->dir, "root");
	cr_assert_eq(fs_mkdirs(p->b.rootfs, 0755, &err), 0);
	p->b.root_fd = open(p->b.rootfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(p->b.root_fd, 0);
}

static void place_release(struct place *p)
{
	struct error ignored;

	bundle_release(&p->b);
	fs_remove_tree(p->dir, &ignored);
	free(p->dir);
}

static void put(const char *dir, const char *path, const char *text)
{
	AUTO_FREE char *full = fs_join(dir, path);
	AUTO_FREE char *parent = fs_dirname(full);
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(parent, 0755, &err), 0);
	cr_assert_eq(fs_write_atomic(full, text, strlen(text), 0755, &err), 0, "%s", err.msg);
}

/* Where the runtime would follow a link, it is given the place that the link leads to within. */
Test(cell, mount_points_are_made_inside_and_nowhere_else)
{
	static const struct {
		const char *path, *inside; /* NULL: refused */
	} rows[] = {
		{"/home/me/orders", "/home/me/orders"},
		{"/usr", "/usr"},
		{"/up/me", "/outside/me"},
		{"/absolute/x/y", "/outside/x/y"},
		{"/dangling/x", NULL},
		{"/file", NULL},
		{"/file/x", NULL},
		{"/round/x", NULL},
	};
	AUTO(place) struct place p;
	AUTO_FREE char *outside = NULL;
	AUTO_FREE char *usr = NULL;
	AUTO(strv) struct strv left = {0};
	struct error err = {0};

	place_make(&p);
	outside = fs_join(p.dir, "outside");
	usr = fs_join(p.b.rootfs, "usr");
	cr_assert_eq(fs_mkdirs(outside, 0755, &err), 0);
	cr_assert_eq(fs_mkdirs(usr, 0755, &err), 0);
	put(p.b.rootfs, "outside/there", "");
	put(p.b.rootfs, "file", "");
	cr_assert_eq(symlinkat("../outside", p.b.root_fd, "up"), 0);
	cr_assert_eq(symlinkat("/outside", p.b.root_fd, "absolute"), 0);
	cr_assert_eq(symlinkat("/nothing", p.b.root_fd, "dangling"), 0);
	cr_assert_eq(symlinkat("round", p.b.root_fd, "round"), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *inside = NULL;
		int rc;

		err = (struct error){0};
		rc = bundle_mount_point(&p.b, rows[i].path, &inside, &err);
		cr_assert_eq(rc, rows[i].inside ? 0 : -1, "%s: %s", rows[i].path, err.msg);
		if (rc < 0) {
			cr_expect_eq(err.code, ERR_INPUT, "%s: %s", rows[i].path, err.msg);
			continue;
		}
		AUTO_FREE char *full = xasprintf("%s%s", p.b.rootfs, inside);
		cr_expect_str_eq(inside, rows[i].inside);
		cr_expect(fs_is_dir(full), "%s", full);
	}
	cr_assert_eq(fs_list(outside, &left, &err), 0);
	cr_expect_eq(left.count, 0);
}

Test(cell, the_callers_root_is_the_caller_and_nobody_else)
{
	AUTO(place) struct place p;
	AUTO(buf) struct buf text = {0};
	AUTO_JSON json_t *spec = NULL;
	struct bundle_bind bind = {0};
	struct error err = {0};
	const json_t *mounts, *last;

	place_make(&p);
	id_map_self(&p.b.map);
	p.b.keep_owner = p.b.read_only = true;
	p.b.cwd = xstrdup("/");
	p.b.hostname = xstrdup("h");
	strv_add(&p.b.args, "/app");
	bind.inside = xstrdup("/there");
	bind.source = xstrdup("/here");
	list_push(&p.b.binds, bind);
	bundle_spec(&p.b, &text);
	cr_assert_eq(doc_json_parse(buf_span(&text), "spec", &spec, &err), 0, "%s", err.msg);
	cr_expect(doc_bool(spec, "root.readonly", false));
	mounts = doc_get(spec, "mounts");
	last = json_array_get(mounts, json_array_size(mounts) - 1);
	cr_expect_str_eq(doc_text(last, "destination", ""), "/there");
	cr_expect_str_eq(doc_text(last, "source", ""), "/here");
	cr_expect_eq(json_array_size(doc_get(spec, "linux.uidMappings")), 1);
	cr_expect_eq(doc_int(spec, "linux.uidMappings.0.containerID", -1), 0);
	cr_expect_eq(doc_int(spec, "linux.uidMappings.0.hostID", -1), getuid());
	cr_expect_eq(doc_int(spec, "linux.uidMappings.0.size", -1), 1);
#if defined(__x86_64__) || defined(__aarch64__)
	cr_expect_eq(doc_int(spec, "linux.seccomp.syscalls.0.errnoRet", -1), 0);
	cr_expect_str_eq(doc_text(spec, "linux.seccomp.defaultAction", ""), "SCMP_ACT_ALLOW");
#endif
}

Test(cell, emulators_are_known_by_the_kernels_list)
{
	static const struct {
		const char *file, *text, *arch;
		bool is_there;
	} rows[] = {
		{"qemu-aarch64", "enabled\ninterpreter /usr/bin/qemu\n", "arm64", true},
		{"qemu-riscv64", "enabled\n", "riscv64", true},
		{"qemu-arm", "disabled\n", "arm", false},
		{"qemu-x86_64", "", "amd64", false},
		{"other", "enabled\n", "s390x", false},
		{"qemu-x", "enabled\n", "../qemu-x", false},
	};
	AUTO(place) struct place p;

	place_make(&p);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put(p.dir, rows[i].file, rows[i].text);
		cr_expect_eq(platform_is_emulated(p.dir, rows[i].arch), rows[i].is_there, "%s",
					 rows[i].arch);
	}
}

Test(cell, images_of_another_platform_are_named)
{
	struct oci_platform host, other = {.os = "linux", .arch = "nothing"};
	struct error err = {0};

	oci_platform_host(&host);
	cr_expect_eq(bundle_check_platform(&host, "x:1", NULL, &err), 0);
	cr_expect_eq(bundle_check_platform(&other, "x:1", NULL, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	cr_expect(strstr(err.msg, "x:1 is for linux/nothing") && err.hint[0], "%s", err.msg);
	memcpy(other.arch, host.arch, sizeof(other.arch));
	memcpy(other.os, "windows", sizeof("windows"));
	cr_expect_eq(bundle_check_platform(&other, "x:1", NULL, &err), -1);
}

/* linux/capability.h: struct vfs_cap_data, little endian */
Test(cell, what_a_files_attribute_permits)
{
	static const struct {
		uint8_t value[24];
		size_t len;
		uint64_t permitted;
		bool is_effective;
	} rows[] = {
		{{1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}, 20, 1ull << 32 | 1 << 10, true},
		{{0, 0, 0, 2, 0, 4}, 20, 1 << 10, false},
		{{1, 0, 0, 3, 0, 0x20}, 24, 1 << 13, true},
		{{1, 0, 0, 1, 1}, 12, 1, true},
		{{1, 0, 0, 2, 0, 4}, 19, 0, true},
		{{1, 0, 0, 3, 0, 4}, 20, 0, true},
		{{1, 0, 0, 9, 0, 4}, 20, 0, true},
		{{1, 0, 0, 2, 1}, 3, 0, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool is_effective;

		cr_expect_eq(capability_of_file(rows[i].value, rows[i].len, &is_effective),
					 rows[i].permitted, "%zu", i);
		cr_expect_eq(is_effective, rows[i].is_effective, "%zu", i);
	}
}

/* A program in the place of the runtime: it says where it was started, and does not end. */
static struct runtime_cell *cell_with(struct place *p, const char *runtime)
{
	AUTO_FREE char *program = fs_join(p->dir, "runtime");
	AUTO(strv) struct strv env = {0};
	struct runtime_cell_options o = {
		.image = "x:1", .root = p->b.rootfs, .env = &env, .runtime = program};
	struct runtime_cell *c = NULL;
	struct error err = {0};

	put(p->dir, "runtime", runtime);
	put(p->b.rootfs, "bin/sh", "");
	strv_add(&env, "FROM_IMAGE=yes");
	strv_add(&env, "TAKEN=away");
	setenv("TMPDIR", p->dir, 1);
	cr_assert_eq(runtime_cell_open(&o, &c, &err), 0, "%s", err.msg);
	return c;
}

/* The bundle's folder is the 8th word: RUNTIME --root DIR --log FILE --log-format json run ... */
#define FIND_BUNDLE                                                                 \
	"#!/bin/sh\n"                                                                   \
	"while [ \"$1\" != --bundle ]; do [ $# -gt 0 ] || exit 0; shift; done; cd $2\n" \
	"echo $$ >pid\n"

static void take_line(void *user, bool is_stderr, const char *line)
{
	struct buf *all = user;

	(void)is_stderr;
	buf_addf(all, "%s\n", line);
}

Test(cell, a_run_gives_output_status_and_environment)
{
	static const char *const argv[] = {"sh", "-c", "x", NULL};
	static const char *const env[] = {"HOME=/elsewhere", NULL};
	static const char *const unset[] = {"TAKEN", NULL};
	AUTO(place) struct place p;
	AUTO_PTR(runtime_cell) struct runtime_cell *c = NULL;
	AUTO(proc_result) struct proc_result result = {0};
	AUTO(buf) struct buf said = {0};
	struct error err = {0};
	struct proc_spec spec = {.argv = argv,
							 .env = env,
							 .unset = unset,
							 .in = PROC_NULL,
							 .out = PROC_LINES,
							 .err_out = PROC_LINES,
							 .line = take_line,
							 .user = &said};

	place_make(&p);
	c = cell_with(&p, FIND_BUNDLE "cat config.json; echo; echo end; exit 42\n");
	for (int i = 0; i < 2; i++) {
		buf_cut(&said, 0);
		cr_assert_eq(runtime_cell_run(c, &spec, &result, &err), 0, "%s", err.msg);
		cr_expect_eq(result.exit_status, 42);
		cr_expect(text_ends(buf_str(&said), "end\n"));
		cr_expect(strstr(buf_str(&said), "\"FROM_IMAGE=yes\""));
		cr_expect(strstr(buf_str(&said), "\"HOME=/elsewhere\""));
		cr_expect_not(strstr(buf_str(&said), "\"HOME=/tmp\""));
		cr_expect_not(strstr(buf_str(&said), "TAKEN"));
	}
	spec.argv = (const char *const[]){"nothere", NULL};
	cr_expect_eq(runtime_cell_run(c, &spec, &result, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING, "%s", err.msg);
}

Test(cell, a_runtime_that_cannot_start_is_an_error)
{
	static const char *const argv[] = {"sh", NULL};
	AUTO(place) struct place p;
	AUTO_PTR(runtime_cell) struct runtime_cell *c = NULL;
	AUTO(proc_result) struct proc_result result = {0};
	struct proc_spec spec = {.argv = argv, .in = PROC_NULL, .out = PROC_NULL, .err_out = PROC_NULL};
	struct error err = {0};

	place_make(&p);
	c = cell_with(&p, FIND_BUNDLE "rm pid; echo '{\"msg\":\"no luck\"}' >log; exit 1\n");
	cr_assert_eq(runtime_cell_run(c, &spec, &result, &err), -1);
	cr_expect_eq(err.code, ERR_SYS);
	cr_expect(strstr(err.msg, "no luck"), "%s", err.msg);
}
