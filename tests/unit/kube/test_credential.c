#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "kube/credential.h"

#include <criterion/criterion.h>
#include <string.h>

#define V1 "client.authentication.k8s.io/v1"
#define ANSWER(status) \
	"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":" status "}"

/* A plugin that counts its runs in a file and answers with token-N. */
struct world {
	char *dir;
	struct kube_config config;
	struct kube_credential credential;
};

static void world_release(struct world *w)
{
	struct error ignored;

	kube_credential_release(&w->credential);
	kube_config_release(&w->config);
	if (w->dir)
		fs_remove_tree(w->dir, &ignored);
	free(w->dir);
}

static void plugin(struct world *w, const char *script)
{
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *text = xasprintf("#!/bin/sh\n%s\n", script);
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "plugin-test-", &w->dir, &err), 0);
	path = fs_join(w->dir, "plugin");
	cr_assert_eq(fs_write_atomic(path, text, strlen(text), 0700, &err), 0);
	strv_add(&w->config.exec.argv, path);
	strv_add(&w->config.exec.argv, "a b;$(touch evil)");
	strv_addf(&w->config.exec.env, "DIR=%s", w->dir);
	w->config.exec.api_version = xstrdup(V1);
	w->config.exec.interactive = KUBE_EXEC_NEVER;
	w->config.server = xstrdup("https://a.test");
	w->config.user = xstrdup("u1");
}

static int open_it(struct world *w, struct error *err)
{
	return kube_credential_open(&w->config, &clock_system, NULL, NULL, &w->credential, err);
}

#define COUNTING                                                                       \
	"n=$(cat $DIR/n 2>/dev/null); n=$((${n:-0}+1)); echo $n >$DIR/n\n"                 \
	"printf '%s' \"$1\" >$DIR/arg; printf '%s' \"$KUBERNETES_EXEC_INFO\" >$DIR/info\n" \
	"echo '" ANSWER("{\"token\":\"token-'$n'\"}") "'"

Test(kube_credential, plugin_is_run_once_and_again_after_a_401)
{
	AUTO(world) struct world w = {0};
	AUTO(buf) struct buf value = {0};
	AUTO(buf) struct buf arg = {0};
	AUTO(buf) struct buf info = {0};
	AUTO_FREE char *arg_path = NULL;
	AUTO_FREE char *info_path = NULL;
	struct http_response denied = {.status = 401};
	struct error err = {0};

	plugin(&w, COUNTING);
	cr_assert_eq(open_it(&w, &err), 0, "%s", err.msg);
	cr_assert_eq(kube_credential_get(&w.credential, NULL, NULL, &value, &err), 1);
	cr_expect_str_eq(buf_str(&value), "Bearer token-1");
	buf_cut(&value, 0);
	cr_assert_eq(kube_credential_get(&w.credential, NULL, NULL, &value, &err), 1);
	cr_expect_str_eq(buf_str(&value), "Bearer token-1", "not run again");
	buf_cut(&value, 0);
	cr_assert_eq(kube_credential_get(&w.credential, NULL, &denied, &value, &err), 1);
	cr_expect_str_eq(buf_str(&value), "Bearer token-2");
	arg_path = fs_join(w.dir, "arg");
	info_path = fs_join(w.dir, "info");
	cr_assert_eq(fs_read(arg_path, 1000, &arg, &err), 0);
	cr_expect_str_eq(buf_str(&arg), "a b;$(touch evil)", "argv, never a shell");
	cr_assert_eq(fs_read(info_path, 1000, &info, &err), 0);
	cr_expect_str_eq(buf_str(&info), "{\"apiVersion\":\"" V1
									 "\",\"kind\":\"ExecCredential\",\"spec\":{\"interactive\":"
									 "false}}");
}

Test(kube_credential, plugin_that_fails)
{
	AUTO(world) struct world w = {0};
	struct error err = {0};

	plugin(&w, "echo first >&2; printf 'please \\033[31mlog in\\n' >&2; exit 3");
	cr_assert_eq(open_it(&w, &err), -1);
	cr_expect_eq(err.code, ERR_DENIED);
	cr_expect(strstr(err.msg, "exited with status 3"), "%s", err.msg);
	cr_expect(strstr(err.msg, "please ?[31mlog in"), "sanitized: %s", err.msg);
}

Test(kube_credential, plugin_that_is_missing_shows_its_hint)
{
	AUTO(world) struct world w = {0};
	struct error err = {0};

	plugin(&w, "exit 0");
	free(w.config.exec.argv.items[0]);
	w.config.exec.argv.items[0] = xstrdup("no-such-plugin-anywhere");
	w.config.exec.install_hint = xstrdup("install it:\n\033[1mapt install x\033[0m");
	cr_assert_eq(open_it(&w, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	cr_expect_str_eq(err.hint, "install it: apt install x");
}

Test(kube_credential, answers)
{
	static const struct {
		const char *answer;
		const char *says; /* NULL: fine */
	} rows[] = {
		{ANSWER("{\"token\":\"t\"}"), NULL},
		{ANSWER("{\"token\":\"t\",\"expirationTimestamp\":\"2030-01-01T00:00:00Z\"}"), NULL},
		{ANSWER("{\"clientCertificateData\":\"c\",\"clientKeyData\":\"k\"}"), NULL},
		{ANSWER("{\"clientCertificateData\":\"c\"}"), "not both"},
		{ANSWER("{\"token\":\"secret\\nX: y\"}"), "control character"},
		{ANSWER("{\"token\":\"t\",\"expirationTimestamp\":\"soon\"}"), "not a time"},
		{ANSWER("{}"), "neither"},
		{"{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/"
		 "v1beta1\",\"status\":{}}",
		 "v1beta1"},
		{"{\"kind\":\"Pod\"}", "not an ExecCredential"},
		{"secret", "not JSON"},
		{"", "not JSON"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(world) struct world w = {0};
		struct error err = {0};
		int rc;

		w.config.exec.api_version = xstrdup(V1);
		w.credential.config = &w.config;
		rc = kube_credential_read(&w.credential, span_of(rows[i].answer), &err);
		cr_expect_eq(rc, rows[i].says ? -1 : 0, "row %zu: %s", i, err.msg);
		if (rows[i].says)
			cr_expect(strstr(err.msg, rows[i].says), "row %zu: %s", i, err.msg);
		cr_expect_null(strstr(err.msg, "secret"), "row %zu: an answer never reaches a message", i);
	}
}

Test(kube_credential, token_file_is_read_again_after_a_401)
{
	AUTO(world) struct world w = {0};
	AUTO(buf) struct buf value = {0};
	struct http_response denied = {.status = 401};
	struct error err = {0};

	plugin(&w, "exit 1");
	strv_release(&w.config.exec.argv);
	w.config.exec.argv = (struct strv){0};
	w.config.token_file = fs_join(w.dir, "token");
	cr_assert_eq(fs_write_atomic(w.config.token_file, "one\n", 4, 0600, &err), 0);
	cr_assert_eq(open_it(&w, &err), 0);
	cr_assert_eq(kube_credential_get(&w.credential, NULL, NULL, &value, &err), 1);
	cr_expect_str_eq(buf_str(&value), "Bearer one");
	cr_assert_eq(fs_write_atomic(w.config.token_file, "two\n", 4, 0600, &err), 0);
	buf_cut(&value, 0);
	cr_assert_eq(kube_credential_get(&w.credential, NULL, NULL, &value, &err), 1);
	cr_expect_str_eq(buf_str(&value), "Bearer one");
	buf_cut(&value, 0);
	cr_assert_eq(kube_credential_get(&w.credential, NULL, &denied, &value, &err), 1);
	cr_expect_str_eq(buf_str(&value), "Bearer two");
}

Test(kube_credential, basic_and_nothing)
{
	AUTO(world) struct world w = {0};
	AUTO(buf) struct buf value = {0};
	struct error err = {0};

	cr_assert_eq(open_it(&w, &err), 0);
	cr_expect_eq(kube_credential_get(&w.credential, NULL, NULL, &value, &err), 0);
	w.config.username = xstrdup("joe");
	w.config.password = xstrdup("x");
	cr_assert_eq(kube_credential_get(&w.credential, NULL, NULL, &value, &err), 1);
	cr_expect_str_eq(buf_str(&value), "Basic am9lOng=");
}
