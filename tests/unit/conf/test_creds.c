#include "conf/creds.h"

#include "base/auto.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "doc/json.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "u:p", "user2:p:2", "u:" and "x" */
#define UP "dTpw"
#define UP2 "dXNlcjI6cDoy"

/* A home of its own, with a PATH for helpers before the usual one. */
struct home {
	char *dir;
	char *docker;     /* ~/.docker/config.json */
	char *containers; /* ~/.config/containers/auth.json */
	struct creds_store store;
};

static void home_release(struct home *h)
{
	struct error ignored;

	creds_store_release(&h->store);
	fs_remove_tree(h->dir, &ignored);
	free(h->dir);
	free(h->docker);
	free(h->containers);
}

static void home_make(struct home *h)
{
	struct error err = {0};
	AUTO_FREE char *path = NULL;

	cr_assert_eq(fs_temp_dir("/tmp", "msctl-test-", &h->dir, &err), 0);
	h->docker = fs_join(h->dir, ".docker/config.json");
	h->containers = fs_join(h->dir, ".config/containers/auth.json");
	path = xasprintf("%s/bin:/usr/bin:/bin", h->dir);
	setenv("HOME", h->dir, 1);
	setenv("PATH", path, 1);
	unsetenv("DOCKER_CONFIG");
	unsetenv("DOCKER_AUTH_CONFIG");
	unsetenv("REGISTRY_AUTH_FILE");
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("XDG_CONFIG_HOME");
}

static void put(const char *path, const char *text, mode_t mode)
{
	AUTO_FREE char *dir = fs_dirname(path);
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(dir, 0700, &err), 0);
	cr_assert_eq(fs_write_atomic(path, text, strlen(text), mode, &err), 0, "%s", err.msg);
}

/* A credential helper that notes how it was called, and answers from files of its folder. */
static void put_helper(const struct home *h, const char *name, const char *script)
{
	AUTO_FREE char *path = xasprintf("%s/bin/docker-credential-%s", h->dir, name);
	AUTO_FREE char *text =
		xasprintf("#!/bin/sh\ncd %s\necho \"$1\" >>calls\ncat >input.\"$1\"\n%s\n", h->dir, script);

	put(path, text, 0755);
}

static char *get_text(const struct home *h, const char *name)
{
	AUTO_FREE char *path = fs_join(h->dir, name);
	struct buf text = {0};
	struct error err = {0};

	cr_assert_eq(fs_read(path, 1 << 16, &text, &err), 0, "%s", err.msg);
	return buf_take(&text);
}

Test(creds, entries_of_the_docker_file)
{
	static const struct {
		const char *file, *host, *name, *user, *password, *token;
	} rows[] = {
		{"{\"auths\":{\"h.test\":{\"auth\":\"" UP "\"}}}", "h.test", NULL, "u", "p", NULL},
		{"{\"auths\":{\"h.test\":{\"auth\":\"" UP2 "\"}}}", "h.test", NULL, "user2", "p:2", NULL},
		{"{\"auths\":{\"h.test\":{\"auth\":\"dTpwAAA=\"}}}", "h.test", NULL, "u", "p", NULL},
		{"{\"auths\":{\"h.test\":{\"username\":\"u\",\"password\":\"p\"}}}", "h.test", NULL, "u",
		 "p", NULL},
		{"{\"auths\":{\"h.test\":{\"auth\":\"" UP "\",\"identitytoken\":\"t\"}}}", "h.test", NULL,
		 "u", "p", "t"},
		{"{\"auths\":{\"h.test\":{\"identitytoken\":\"t\"}}}", "h.test", NULL, "", "", "t"},
		{"{\"auths\":{\"https://h.test/v1/\":{\"auth\":\"" UP "\"}}}", "h.test", NULL, "u", "p",
		 NULL},
		{"{\"auths\":{\"http://h.test\":{\"auth\":\"" UP "\"}}}", "h.test", NULL, "u", "p", NULL},
		{"{\"auths\":{\"h.test:5000\":{\"auth\":\"" UP "\"}}}", "h.test:5000", NULL, "u", "p",
		 NULL},
		{"{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"" UP "\"}}}", "docker.io", NULL,
		 "u", "p", NULL},
		{"{\"auths\":{\"docker.io\":{\"auth\":\"" UP "\"}}}", "docker.io", "library/x", "u", "p",
		 NULL},
		/* nobody else's */
		{"{\"auths\":{\"h.test\":{\"auth\":\"" UP "\"}}}", "h.test:5000", NULL, NULL, NULL, NULL},
		{"{\"auths\":{\"h.test\":{\"auth\":\"" UP "\"}}}", "other.test", NULL, NULL, NULL, NULL},
		{"{\"auths\":{\"h.test\":{\"auth\":\"" UP "\"}}}", "x.h.test", NULL, NULL, NULL, NULL},
		{"{\"auths\":{\"h.test\":{}}}", "h.test", NULL, NULL, NULL, NULL},
		{"{}", "h.test", NULL, NULL, NULL, NULL},
		{"", "h.test", NULL, NULL, NULL, NULL},
		/* the longest path wins, and only whole components count */
		{"{\"auths\":{\"h.test\":{\"auth\":\"" UP "\"},\"h.test/a/b\":{\"auth\":\"" UP2 "\"}}}",
		 "h.test", "a/b/c", "user2", "p:2", NULL},
		{"{\"auths\":{\"h.test\":{\"auth\":\"" UP "\"},\"h.test/a/b\":{\"auth\":\"" UP2 "\"}}}",
		 "h.test", "a/bc", "u", "p", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(home) struct home h = {0};
		AUTO(creds) struct creds c = {0};
		struct error err = {0};

		home_make(&h);
		put(h.docker, rows[i].file, 0600);
		cr_assert_eq(creds_find(&h.store, rows[i].host, rows[i].name, &c, &err), 0, "%s: %s",
					 rows[i].file, err.msg);
		cr_assert_eq(c.username != NULL, rows[i].user != NULL, "%s", rows[i].file);
		if (rows[i].user) {
			cr_expect_str_eq(c.username, rows[i].user);
			cr_expect_str_eq(c.password, rows[i].password, "%s", rows[i].file);
		}
		cr_assert_eq(c.identity_token != NULL, rows[i].token != NULL);
		if (rows[i].token)
			cr_expect_str_eq(c.identity_token, rows[i].token);
	}
}

Test(creds, files_that_do_not_parse_say_so_and_nothing_secret)
{
	static const char *const files[] = {
		"{",
		"[]",
		"{\"auths\":{\"h.test\":{\"auth\":\"c2VjcmV0\"}}}", /* "secret" without a colon */
		"{\"auths\":{\"h.test\":{\"auth\":\"secret!\"}}}",
		"{\"auths\":{},\"auths\":{}}",
		"{\"auths\":{\"h.test\":{\"auth\":\"dTpwAHE=\"}}}", /* u:p NUL q */
		"{\"auths\":{\"h.test\":{\"auth\":\"dQA6cA==\"}}}", /* u NUL :p */
		"{\"auths\":[]}",
		"{\"auths\":\"x\"}",
		"{\"credHelpers\":{\"h.test\":\"../../bin/sh\"}}",
		"{\"credHelpers\":{\"h.test\":\"\"}}",
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		AUTO(home) struct home h = {0};
		AUTO(creds) struct creds c = {0};
		struct error err = {0};

		home_make(&h);
		put(h.docker, files[i], 0600);
		cr_assert_eq(creds_find(&h.store, "h.test", NULL, &c, &err), -1, "%s", files[i]);
		cr_expect_eq(err.code, ERR_INPUT, "%s: %s", files[i], err.msg);
		cr_expect(strstr(err.msg, h.docker) != NULL, "%s", err.msg);
		cr_expect(strstr(err.msg, "secret") == NULL && strstr(err.msg, "c2Vj") == NULL, "%s",
				  err.msg);
	}
}

Test(creds, what_cannot_be_read_is_not_replaced)
{
	AUTO(home) struct home h = {0};
	AUTO_FREE char *where = NULL;
	AUTO_FREE char *kept = NULL;
	const struct creds c = {.username = (char[]){"u"}, .password = (char[]){"p"}};
	struct error err = {0};

	home_make(&h);
	put(h.docker, "{\"auths\":[]}", 0600);
	cr_expect_eq(creds_save(&h.store, "h.test", &c, &where, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT, "%s", err.msg);
	cr_expect(err.hint[0]);
	kept = get_text(&h, ".docker/config.json");
	cr_expect_str_eq(kept, "{\"auths\":[]}");
}

Test(creds, a_fifo_is_not_waited_for)
{
	AUTO(home) struct home h = {0};
	AUTO(creds) struct creds c = {0};
	struct error err = {0};

	home_make(&h);
	put(h.docker, "", 0600);
	cr_assert_eq(unlink(h.docker), 0);
	cr_assert_eq(mkfifo(h.docker, 0600), 0);
	alarm(10);
	cr_expect_eq(creds_find(&h.store, "h.test", NULL, &c, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT, "%s", err.msg);
	cr_expect(strstr(err.msg, h.docker) != NULL, "%s", err.msg);
	alarm(0);
}

Test(creds, where_is_looked_in_which_order)
{
	AUTO(home) struct home h = {0};
	static const char *const steps[] = {"docker", "containers", "runtime", "file", "inline"};

	home_make(&h);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		AUTO(creds) struct creds c = {0};
		AUTO_FREE char *text = xasprintf(
			"{\"auths\":{\"h.test\":{\"username\":\"%s\",\"password\":\"p\"}}}", steps[i]);
		AUTO_FREE char *runtime = fs_join(h.dir, "run/containers/auth.json");
		AUTO_FREE char *runtime_dir = fs_join(h.dir, "run");
		AUTO_FREE char *file = fs_join(h.dir, "file.json");
		struct error err = {0};

		if (i == 0)
			put(h.docker, text, 0600);
		if (i == 1)
			put(h.containers, text, 0600);
		if (i == 2) {
			put(runtime, text, 0600);
			setenv("XDG_RUNTIME_DIR", runtime_dir, 1);
		}
		if (i == 3) {
			put(file, text, 0600);
			setenv("REGISTRY_AUTH_FILE", file, 1);
		}
		if (i == 4)
			setenv("DOCKER_AUTH_CONFIG", text, 1);
		cr_assert_eq(creds_find(&h.store, "h.test", NULL, &c, &err), 0, "%s", err.msg);
		cr_assert_not_null(c.username);
		cr_expect_str_eq(c.username, steps[i]);
	}
	AUTO(creds) struct creds c = {0};
	struct error err = {0};

	h.store.file = h.docker;
	cr_assert_eq(creds_find(&h.store, "h.test", NULL, &c, &err), 0);
	cr_expect_str_eq(c.username, "docker", "--authfile is the only one");
}

Test(creds, a_helper_is_asked_once_and_only_for_its_host)
{
	AUTO(home) struct home h = {0};
	struct error err = {0};
	AUTO_FREE char *calls = NULL;
	AUTO_FREE char *input = NULL;

	home_make(&h);
	put_helper(&h, "fake", "printf '{\"ServerURL\":\"x\",\"Username\":\"u\",\"Secret\":\"s\"}'");
	put(h.docker,
		"{\"credHelpers\":{\"h.test\":\"fake\"},\"auths\":{\"o.test\":{\"auth\":\"" UP "\"}}}",
		0600);
	for (int i = 0; i < 3; i++) {
		AUTO(creds) struct creds c = {0};

		cr_assert_eq(creds_find(&h.store, i == 2 ? "o.test" : "h.test", NULL, &c, &err), 0, "%s",
					 err.msg);
		cr_expect_str_eq(c.password, i == 2 ? "p" : "s");
	}
	calls = get_text(&h, "calls");
	input = get_text(&h, "input.get");
	cr_expect_str_eq(calls, "get\n");
	cr_expect_str_eq(input, "h.test");
}

Test(creds, what_helpers_answer)
{
	static const struct {
		const char *script;
		int rc;
		const char *user, *password, *token;
	} rows[] = {
		{"printf '{\"Username\":\"u\",\"Secret\":\"s\"}'", 0, "u", "s", NULL},
		{"printf '{\"Username\":\"<token>\",\"Secret\":\"s\"}'", 0, "<token>", NULL, "s"},
		{"echo 'credentials not found in native keychain'; exit 1", 0, NULL, NULL, NULL},
		{"printf '{\"Username\":\"\",\"Secret\":\"\"}'", 0, NULL, NULL, NULL},
		{"echo 'keychain is locked'; exit 1", -1, NULL, NULL, NULL},
		{"echo nonsense", -1, NULL, NULL, NULL},
		{"echo '[]'", -1, NULL, NULL, NULL},
		{"kill -9 $$", -1, NULL, NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(home) struct home h = {0};
		AUTO(creds) struct creds c = {0};
		struct error err = {0};

		home_make(&h);
		put_helper(&h, "fake", rows[i].script);
		put(h.docker, "{\"credsStore\":\"fake\"}", 0600);
		cr_expect_eq(creds_find(&h.store, "h.test", NULL, &c, &err), rows[i].rc, "%s: %s",
					 rows[i].script, err.msg);
		cr_assert_eq(c.username != NULL, rows[i].user != NULL, "%s", rows[i].script);
		if (rows[i].user)
			cr_expect_str_eq(c.username, rows[i].user);
		if (rows[i].password)
			cr_expect_str_eq(c.password, rows[i].password);
		if (rows[i].token)
			cr_expect_str_eq(c.identity_token, rows[i].token);
	}
}

Test(creds, a_helper_is_not_waited_for_after_a_cancel)
{
	AUTO(home) struct home h = {0};
	AUTO(creds) struct creds c = {0};
	struct cancel cancel = {.signo = SIGINT, .fd = -1};
	struct error err = {0};

	home_make(&h);
	h.store.cancel = &cancel;
	put_helper(&h, "fake", "sleep 5");
	put(h.docker, "{\"credsStore\":\"fake\"}", 0600);
	cr_assert_eq(creds_find(&h.store, "h.test", NULL, &c, &err), -1);
	cr_expect_eq(err.code, ERR_INTERRUPTED, "%s", err.msg);
	cr_expect_str_eq(err.hint, "");
}

Test(creds, a_helper_that_is_not_there_is_named)
{
	AUTO(home) struct home h = {0};
	AUTO(creds) struct creds c = {0};
	struct error err = {0};

	home_make(&h);
	put(h.docker, "{\"credsStore\":\"absent\"}", 0600);
	cr_assert_eq(creds_find(&h.store, "h.test", NULL, &c, &err), -1);
	cr_expect(strstr(err.msg, "docker-credential-absent") != NULL, "%s", err.msg);
}

Test(creds, the_hub_has_its_own_name_for_helpers)
{
	AUTO(home) struct home h = {0};
	AUTO(creds) struct creds c = {0};
	struct error err = {0};
	AUTO_FREE char *input = NULL;

	home_make(&h);
	put_helper(&h, "fake", "printf '{\"Username\":\"u\",\"Secret\":\"s\"}'");
	put(h.docker, "{\"credHelpers\":{\"https://index.docker.io/v1/\":\"fake\"}}", 0600);
	cr_assert_eq(creds_find(&h.store, "docker.io", NULL, &c, &err), 0, "%s", err.msg);
	input = get_text(&h, "input.get");
	cr_expect_str_eq(input, "https://index.docker.io/v1/");
}

Test(creds, saved_ones_are_found_and_others_stay)
{
	struct creds c = {.username = (char[]){"u"}, .password = (char[]){"p"}};
	AUTO(home) struct home h = {0};
	AUTO(creds) struct creds found = {0};
	AUTO(creds) struct creds gone = {0};
	AUTO_FREE char *where = NULL;
	AUTO_FREE char *from = NULL;
	AUTO_FREE char *nowhere = NULL;
	AUTO_FREE char *text = NULL;
	AUTO_JSON json_t *doc = NULL;
	struct error err = {0};
	struct stat st;

	home_make(&h);
	put(h.docker, "{\"auths\":{\"o.test\":{\"auth\":\"" UP2 "\"}},\"psFormat\":\"table\"}", 0644);
	cr_assert_eq(creds_save(&h.store, "h.test", &c, &where, &err), 0, "%s", err.msg);
	cr_expect_str_eq(where, h.docker);
	cr_assert_eq(stat(h.docker, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	cr_assert_eq(creds_find(&h.store, "h.test", NULL, &found, &err), 0);
	cr_expect_str_eq(found.password, "p");
	cr_assert_eq(creds_erase(&h.store, "h.test", &from, &err), 0, "%s", err.msg);
	cr_assert_eq(creds_find(&h.store, "h.test", NULL, &gone, &err), 0);
	cr_expect_null(gone.username);
	text = get_text(&h, ".docker/config.json");
	cr_assert_eq(doc_json_parse(span_of(text), "file", &doc, &err), 0);
	cr_expect_str_eq(doc_text(doc, "psFormat", ""), "table");
	cr_expect_eq(json_object_size(json_object_get(doc, "auths")), 1);
	cr_assert_eq(creds_erase(&h.store, "h.test", &nowhere, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
}

Test(creds, what_is_saved_is_not_shadowed_by_an_older_entry)
{
	struct creds c = {.username = (char[]){"new"}, .password = (char[]){"p"}};
	AUTO(home) struct home h = {0};
	AUTO(creds) struct creds found = {0};
	AUTO_FREE char *where = NULL;
	struct error err = {0};

	home_make(&h);
	put(h.containers, "{\"auths\":{\"h.test\":{\"auth\":\"" UP "\"}}}", 0600);
	cr_assert_eq(creds_save(&h.store, "h.test", &c, &where, &err), 0, "%s", err.msg);
	cr_assert_eq(creds_find(&h.store, "h.test", NULL, &found, &err), 0);
	cr_expect_str_eq(found.username, "new");
}

Test(creds, where_a_helper_is_named_it_keeps_them)
{
	struct creds c = {.username = (char[]){"u"}, .password = (char[]){"s3cret"}};
	AUTO(home) struct home h = {0};
	AUTO_FREE char *where = NULL;
	AUTO_FREE char *from = NULL;
	AUTO_FREE char *input = NULL;
	AUTO_FREE char *text = NULL;
	struct error err = {0};

	home_make(&h);
	put_helper(&h, "fake", "exit 0");
	put(h.docker, "{\"credsStore\":\"fake\"}", 0600);
	cr_assert_eq(creds_save(&h.store, "h.test", &c, &where, &err), 0, "%s", err.msg);
	cr_expect_str_eq(where, "docker-credential-fake");
	input = get_text(&h, "input.store");
	cr_expect_str_eq(input, "{\"Secret\":\"s3cret\",\"ServerURL\":\"h.test\",\"Username\":\"u\"}");
	text = get_text(&h, ".docker/config.json");
	cr_expect_null(strstr(text, "auths"));
	cr_assert_eq(creds_erase(&h.store, "h.test", &from, &err), 0, "%s", err.msg);
}
