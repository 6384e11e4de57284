#include "runtime/private.h"

#include "base/fs.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>

static char *dir;
static struct runtime_bundle b;

static void setup(void)
{
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "msctl-unit-", &dir, &err), 0, "%s", err.msg);
	b = (struct runtime_bundle){.lock = -1, .cwd = xstrdup("/")};
	b.rootfs = fs_join(dir, "rootfs");
	cr_assert_eq(fs_mkdirs(b.rootfs, 0755, &err), 0);
	b.root_fd = open(b.rootfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(b.root_fd, 0);
}

static void teardown(void)
{
	struct error err = {0};

	close(b.root_fd);
	fs_remove_tree(dir, &err);
	free(dir);
	free(b.rootfs);
	free(b.cwd);
	strv_release(&b.args);
	strv_release(&b.env);
}

TestSuite(runtime, .init = setup, .fini = teardown);

static void put(const char *path, const char *text)
{
	AUTO_FREE char *full = fs_join(b.rootfs, path);
	AUTO_FREE char *parent = fs_dirname(full);
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(parent, 0755, &err), 0);
	cr_assert_eq(fs_write_atomic(full, text, strlen(text), 0755, &err), 0, "%s", err.msg);
}

static void put_link(const char *path, const char *target)
{
	AUTO_FREE char *full = fs_join(b.rootfs, path);

	cr_assert_eq(symlink(target, full), 0);
}

/* CVE-2026-47766, CVE-2026-41579: runtimes followed such links and made devices on the host. */
Test(runtime, mount_points_that_are_links_are_refused)
{
	static const char *const names[] = {"dev", "proc", "sys"};
	static const char *const targets[] = {"/tmp", "../outside", "real", "missing"};
	AUTO_FREE char *outside = fs_join(dir, "outside");
	AUTO_FREE char *real = fs_join(b.rootfs, "real");
	struct error err = {0};
	AUTO(strv) struct strv left = {0};

	cr_assert_eq(fs_mkdirs(outside, 0755, &err), 0);
	cr_assert_eq(fs_mkdirs(real, 0755, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		for (size_t t = 0; t < ARRAY_LEN(targets); t++) {
			AUTO_FREE char *full = fs_join(b.rootfs, names[i]);

			fs_remove_tree(full, &err);
			put_link(names[i], targets[t]);
			cr_expect_eq(bundle_check_rootfs(&b, "x:1", &err), -1, "%s -> %s", names[i],
						 targets[t]);
			cr_expect_eq(err.code, ERR_INPUT);
			unlink(full);
		}
	AUTO_FREE char *dev = fs_join(b.rootfs, "dev");
	fs_remove_tree(dev, &err);
	put("dev", "a file");
	cr_expect_eq(bundle_check_rootfs(&b, "x:1", &err), -1);
	cr_assert_eq(fs_list(outside, &left, &err), 0);
	cr_expect_eq(left.count, 0);
}

Test(runtime, what_is_missing_is_made_and_a_linked_etc_is_left_alone)
{
	AUTO_FREE char *outside = fs_join(dir, "outside");
	AUTO(strv) struct strv left = {0};
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(outside, 0755, &err), 0);
	put_link("etc", "../outside");
	put_link("tmp", "../outside");
	cr_assert_eq(bundle_check_rootfs(&b, "x:1", &err), 0, "%s", err.msg);
	cr_expect_not(b.has_tmp);
	cr_assert_eq(fs_list(outside, &left, &err), 0);
	cr_expect_eq(left.count, 0);
	strv_release(&left);
	cr_assert_eq(fs_list(b.rootfs, &left, &err), 0);
	cr_expect(strv_has(&left, "dev") && strv_has(&left, "proc") && strv_has(&left, "sys"));
}

Test(runtime, the_hosts_name_resolution_replaces_a_link)
{
	AUTO_FREE char *victim = fs_join(dir, "victim");
	AUTO_FREE char *etc = fs_join(b.rootfs, "etc");
	AUTO(buf) struct buf text = {0};
	struct error err = {0};

	cr_assert_eq(fs_write_atomic(victim, "alive", 5, 0600, &err), 0);
	cr_assert_eq(fs_mkdirs(etc, 0755, &err), 0);
	put_link("etc/hosts", "../../victim");
	put_link("etc/resolv.conf", "../../victim");
	cr_assert_eq(bundle_check_rootfs(&b, "x:1", &err), 0, "%s", err.msg);
	cr_assert_eq(fs_read(victim, 100, &text, &err), 0);
	cr_expect_str_eq(buf_str(&text), "alive");
}

static const struct {
	const char *user;
	uint32_t uid, gid;
	size_t groups;
} users[] = {
	{"", 0, 0, 0},          {"0", 0, 0, 0},
	{"app", 1000, 1000, 2}, {"1000", 1000, 1000, 2},
	{"app:0", 1000, 0, 0},  {"app:wheel", 1000, 10, 0},
	{"65532", 65532, 0, 0}, {"65532:65533", 65532, 65533, 0},
	{"root", 0, 0, 0},      {"7:wheel", 7, 10, 0},
};

Test(runtime, users_by_number_and_by_the_images_files)
{
	static const char *const unknown[] = {"nobody", "app:nogroup", "-1", "4294967295", "app:-1"};
	struct account a;
	struct error err = {0};

	put("etc/passwd", "# comment\n\nbroken\nroot:x:0:0:r:/root:/bin/sh\napp:x:1000:1000::/:/x\n"
					  "odd:x:abc:1\n");
	put("etc/group", "root:x:0:\nwheel:x:10:app,other\napps:x:20:application\nlast:x:30:x,app");
	for (size_t i = 0; i < ARRAY_LEN(users); i++) {
		cr_assert_eq(bundle_account(&b, users[i].user, &a, &err), 0, "%s: %s", users[i].user,
					 err.msg);
		cr_expect_eq(a.uid, users[i].uid, "%s", users[i].user);
		cr_expect_eq(a.gid, users[i].gid, "%s", users[i].user);
		cr_expect_eq(a.group_count, users[i].groups, "%s: %zu", users[i].user, a.group_count);
	}
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		cr_expect_eq(bundle_account(&b, unknown[i], &a, &err), -1, "%s", unknown[i]);
		cr_expect_eq(err.code, ERR_MISSING);
	}
}

Test(runtime, an_images_passwd_that_leads_out_is_not_read)
{
	AUTO_FREE char *evil = fs_join(dir, "passwd");
	AUTO_FREE char *etc = fs_join(b.rootfs, "etc");
	struct account a;
	struct error err = {0};

	cr_assert_eq(fs_write_atomic(evil, "me:x:77:77::/:\n", 15, 0644, &err), 0);
	cr_assert_eq(fs_mkdirs(etc, 0755, &err), 0);
	put_link("etc/passwd", "../../passwd");
	cr_expect_eq(bundle_account(&b, "me", &a, &err), -1);
}

static const struct {
	const char *program, *cwd;
	bool found;
} programs[] = {
	{"/bin/app", "/", true}, {"app", "/", true},           {"bin/app", "/", true},
	{"./app", "/bin", true}, {"/bin/missing", "/", false}, {"missing", "/", false},
	{"/bin", "/", false},    {"/bin/link", "/", true},     {"/bin/out", "/", false},
	{"app2", "/", true},
};

Test(runtime, the_program_is_looked_for_inside)
{
	struct error err = {0};

	put("bin/app", "x");
	put("opt/app2", "x");
	put_link("bin/link", "/bin/app");
	put_link("bin/out", "/../../../../../../../../usr/bin/env");
	strv_add(&b.env, "PATH=/nope:/bin::/opt");
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		strv_release(&b.args);
		strv_add(&b.args, programs[i].program);
		free(b.cwd);
		b.cwd = xstrdup(programs[i].cwd);
		cr_expect_eq(bundle_check_program(&b, "x:1", &err), programs[i].found ? 0 : -1, "%s",
					 programs[i].program);
	}
}

Test(runtime, the_specification_gives_little)
{
	AUTO(buf) struct buf text = {0};
	AUTO_JSON json_t *spec = NULL;
	struct error err = {0};

	strv_add(&b.args, "/app");
	strv_add(&b.env, "A=b");
	b.account = (struct account){.uid = 65532, .gid = 65532};
	b.hostname = xstrdup("h");
	b.map = (struct id_map){
		.used = true, .single = true, .count = 1, .uids = {{0, 1000, 1}}, .gids = {{0, 1000, 1}}};
	bundle_spec(&b, &text);
	cr_assert_eq(doc_json_parse(buf_span(&text), "spec", &spec, &err), 0, "%s", err.msg);
	cr_expect(doc_bool(spec, "process.noNewPrivileges", false));
	cr_expect_eq(json_array_size(doc_get(spec, "process.capabilities.effective")), 0);
	cr_expect_eq(json_array_size(doc_get(spec, "process.capabilities.bounding")), 0);
	cr_expect_eq(json_array_size(doc_get(spec, "linux.namespaces")), 5);
	cr_expect_eq(doc_int(spec, "linux.uidMappings.0.hostID", 0), 1000);
	cr_expect_str_eq(doc_text(spec, "process.env.0", ""), "A=b");
	cr_expect_eq(json_array_size(doc_get(spec, "process.env")), 1);
	free(b.hostname);
}

/* runc fails on these with a message that names nothing; CVE-2024-21626 is among them. */
Test(runtime, working_folders)
{
	static const struct {
		const char *workdir, *cwd; /* cwd NULL: refused */
	} rows[] = {
		{"", "/"},
		{"/", "/"},
		{"/app", "/app"},
		{"/app/", "/app"},
		{"//app/./x", "/app/x"},
		{"/new/folder", "/new/folder"},
		{"/to-app", "/to-app"},
		{"/to-app/new", "/to-app/new"},
		{"/processing", "/processing"},
		{"/a..b", "/a..b"},
		{"/up", "/up"},
		{"app", NULL},
		{"/..", NULL},
		{"/app/..", NULL},
		{"/../x", NULL},
		{"/proc", NULL},
		{"/proc/self/fd/7", NULL},
		{"//proc/self", NULL},
		{"/./proc/self", NULL},
		{"/to-proc", NULL},
		{"/to-proc/self", NULL},
		{"/to-fd", NULL},
		{"/nowhere", NULL},
		{"/nowhere/x", NULL},
		{"/round", NULL},
		{"/file", NULL},
		{"/file/x", NULL},
	};
	AUTO_FREE char *app = fs_join(b.rootfs, "app");
	AUTO_FREE char *proc = fs_join(b.rootfs, "proc");
	char too_long[5000] = "/";
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(app, 0755, &err), 0);
	cr_assert_eq(fs_mkdirs(proc, 0755, &err), 0);
	put("file", "");
	put_link("to-app", "/app");
	put_link("up", "../../../app");
	put_link("to-proc", "proc");
	put_link("to-fd", "/proc/self/fd/7");
	put_link("nowhere", "/missing");
	put_link("round", "round");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int rc;

		free(TAKE(b.cwd));
		err = (struct error){0};
		rc = bundle_choose_cwd(&b, rows[i].workdir, "x:1", &err);
		cr_assert_eq(rc, rows[i].cwd ? 0 : -1, "%s: %s", rows[i].workdir, err.msg);
		if (rc == 0)
			cr_expect_str_eq(b.cwd, rows[i].cwd);
		else
			cr_expect(err.code == ERR_INPUT && err.hint[0] && !b.cwd, "%s", err.msg);
	}
	for (size_t i = 1; i < sizeof(too_long) - 1; i++)
		too_long[i] = i % 2 ? 'a' : '/';
	cr_expect_eq(bundle_choose_cwd(&b, too_long, "x:1", &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect_lt(strlen(err.msg), 500, "%s", err.msg);
}
