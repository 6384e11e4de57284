#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "kube/config.h"

#include <criterion/criterion.h>
#include <string.h>

#define HEAD "apiVersion: v1\nkind: Config\ncurrent-context: one\n"
#define CONTEXTS                                                                    \
	"contexts:\n- {name: one, context: {cluster: c1, user: u1, namespace: shop}}\n" \
	"- {name: two, context: {cluster: c2, user: u1}}\n"
#define CLUSTERS                                                                              \
	"clusters:\n- {name: c1, cluster: {server: 'https://a.test:6443/'}}\n"                    \
	"- {name: c2, cluster: {server: 'https://b.test/k8s/clusters/c-1?x=1', tls-server-name: " \
	"in.test, "                                                                               \
	"proxy-url: 'socks5://127.0.0.1:1080'}}\n"
#define USER(fields) "users:\n- name: u1\n  user: " fields "\n"
#define WHOLE HEAD CONTEXTS CLUSTERS USER("{token: t0ken}")

static int parse(const char *text, const struct kube_config_options *o, struct kube_config *out,
				 struct error *err)
{
	static const struct kube_config_options none;

	return kube_config_parse(span_of(text), "config", o ? o : &none, out, err);
}

Test(kube_config, current_context)
{
	AUTO(kube_config) struct kube_config c = {0};
	struct error err = {0};

	cr_assert_eq(parse(WHOLE, NULL, &c, &err), 0, "%s", err.msg);
	cr_expect_str_eq(c.context, "one");
	cr_expect_str_eq(c.server, "https://a.test:6443");
	cr_expect_str_eq(c.namespace_, "shop");
	cr_expect_str_eq(c.token, "t0ken");
}

Test(kube_config, chosen_context_keeps_the_path_and_drops_the_query)
{
	AUTO(kube_config) struct kube_config c = {0};
	struct error err = {0};

	cr_assert_eq(parse(WHOLE, &(struct kube_config_options){.context = "two"}, &c, &err), 0);
	cr_expect_str_eq(c.server, "https://b.test/k8s/clusters/c-1");
	cr_expect_str_eq(c.namespace_, "default");
	cr_expect_str_eq(c.tls_server_name, "in.test");
	cr_expect_str_eq(c.proxy_url, "socks5://127.0.0.1:1080");
}

Test(kube_config, refusals)
{
	static const struct {
		const char *text;
		const char *context;
		enum err_code code;
		const char *says; /* in the message or the hint */
	} rows[] = {
		{WHOLE, "onne", ERR_MISSING, "did you mean 'one'?"},
		{HEAD CLUSTERS USER("{}"), NULL, ERR_MISSING, "no context 'one'"},
		{HEAD CONTEXTS USER("{}"), NULL, ERR_MISSING, "no cluster 'c1'"},
		{HEAD CONTEXTS CLUSTERS, NULL, ERR_MISSING, "no user 'u1'"},
		{"kind: Config\n", NULL, ERR_MISSING, "no current context"},
		{"kind: Pod\n", NULL, ERR_INPUT, "not a kubeconfig file but a Pod"},
		{"[]\n", NULL, ERR_INPUT, "not a kubeconfig"},
		{"", NULL, ERR_INPUT, "empty"},
		{"kind: Config\nkind: Config\n", NULL, ERR_INPUT, "config:2"},
		{HEAD CONTEXTS CLUSTERS USER("{token: \"a\\r\\nX-Evil: 1\"}"), NULL, ERR_INPUT,
		 "control character"},
		{HEAD CONTEXTS CLUSTERS USER("{as: \"a\\nb\"}"), NULL, ERR_INPUT, "control character"},
		{HEAD CONTEXTS CLUSTERS USER("{as-groups: [\"a\\rb\"]}"), NULL, ERR_INPUT,
		 "control character"},
		{HEAD CONTEXTS CLUSTERS USER("{client-certificate-data: '%%%'}"), NULL, ERR_INPUT,
		 "client-certificate-data"},
		{HEAD CONTEXTS CLUSTERS USER("{client-certificate-data: YQ==}"), NULL, ERR_INPUT,
		 "not both"},
		{HEAD CONTEXTS CLUSTERS USER("{auth-provider: {name: gcp}}"), NULL, ERR_INPUT,
		 "gke-gcloud-auth-plugin"},
		{HEAD CONTEXTS CLUSTERS USER("{auth-provider: {name: oidc}}"), NULL, ERR_INPUT,
		 "not supported"},
		{HEAD CONTEXTS CLUSTERS USER(
			 "{exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}}"),
		 NULL, ERR_INPUT, "v1alpha1"},
		{HEAD CONTEXTS CLUSTERS USER("{exec: {apiVersion: client.authentication.k8s.io/v1}}"), NULL,
		 ERR_INPUT, "no command"},
		{HEAD CONTEXTS "clusters: [{name: c1, cluster: {}}]\n" USER("{}"), NULL, ERR_INPUT,
		 "no server"},
		{HEAD CONTEXTS "clusters: [{name: c1, cluster: {server: 'ftp://a'}}]\n" USER("{}"), NULL,
		 ERR_INPUT, "server"},
		{HEAD CONTEXTS "clusters: [{name: c1, cluster: {server: 'https://a.test', "
					   "insecure-skip-tls-verify: true, "
					   "certificate-authority-data: YQ==}}]\n" USER("{}"),
		 NULL, ERR_INPUT, "both"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct kube_config_options o = {.context = rows[i].context};
		struct kube_config c = {0};
		struct error err = {0};

		cr_assert_eq(parse(rows[i].text, &o, &c, &err), -1, "row %zu", i);
		cr_expect_eq(err.code, rows[i].code, "row %zu: %s", i, err.msg);
		cr_expect(strstr(err.msg, rows[i].says) || strstr(err.hint, rows[i].says),
				  "row %zu: %s | %s", i, err.msg, err.hint);
		cr_expect_null(c.server, "a failed load leaves *out alone");
		cr_expect_null(strstr(err.msg, "t0ken"));
	}
}

Test(kube_config, exec_and_impersonation)
{
	AUTO(kube_config) struct kube_config c = {0};
	struct error err = {0};

	cr_assert_eq(parse(HEAD CONTEXTS CLUSTERS USER(
						   "{as: jane, as-groups: [dev, ops], as-user-extra: "
						   "{Acme.com/Project: [p1]}, exec: {command: "
						   "bin/plugin, args: [get, --now], env: [{name: A, value: b}], "
						   "apiVersion: "
						   "client.authentication.k8s.io/v1beta1, provideClusterInfo: "
						   "true, interactiveMode: Never}}"),
					   NULL, &c, &err),
				 0, "%s", err.msg);
	cr_assert_eq(c.exec.argv.count, 3u);
	cr_expect_str_eq(c.exec.argv.items[0], "./bin/plugin");
	cr_expect_str_eq(c.exec.argv.items[2], "--now");
	cr_expect_str_eq(c.exec.env.items[0], "A=b");
	cr_expect(c.exec.provide_cluster_info);
	cr_expect_eq(c.exec.interactive, KUBE_EXEC_NEVER);
	cr_assert_eq(c.impersonate.count, 4u);
	cr_expect_str_eq(c.impersonate.items[0], "Impersonate-User: jane");
	cr_expect_str_eq(c.impersonate.items[3], "Impersonate-Extra-acme.com%2fproject: p1");
}

Test(kube_config, a_token_makes_the_plugin_unneeded)
{
	AUTO(kube_config) struct kube_config c = {0};
	struct error err = {0};

	cr_assert_eq(parse(HEAD CONTEXTS CLUSTERS USER("{token: t, exec: {command: x, apiVersion: "
												   "client.authentication.k8s.io/v1}}"),
					   NULL, &c, &err),
				 0);
	cr_expect_eq(c.exec.argv.count, 0u);
}

/* ---- files */

struct place {
	char *dir;
};

static void place_release(struct place *p)
{
	struct error ignored;

	if (p->dir)
		fs_remove_tree(p->dir, &ignored);
	free(p->dir);
}

static char *write_file(const struct place *p, const char *name, const char *text, mode_t mode)
{
	char *path = fs_join(p->dir, name);
	struct error err = {0};

	cr_assert_eq(fs_write_atomic(path, text, strlen(text), mode, &err), 0, "%s", err.msg);
	return path;
}

static void make_place(struct place *p)
{
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "kubeconfig-test-", &p->dir, &err), 0);
}

Test(kube_config, files_of_a_list_are_merged_like_kubectl)
{
	AUTO(place) struct place p = {0};
	AUTO(kube_config) struct kube_config c = {0};
	AUTO_FREE char *first = NULL;
	AUTO_FREE char *second = NULL;
	AUTO_FREE char *empty = NULL;
	AUTO_FREE char *list = NULL;
	struct error err = {0};

	make_place(&p);
	empty = write_file(&p, "empty", "", 0600);
	first = write_file(&p, "first",
					   "current-context: ''\nusers:\n- {name: u1, user: {username: joe}}\n", 0600);
	second = write_file(&p, "second", WHOLE, 0600);
	list = xasprintf("%s/absent:%s:%s::%s:%s", p.dir, empty, first, second, second);
	setenv("KUBECONFIG", list, 1);
	cr_assert_eq(kube_config_load(&(struct kube_config_options){0}, &c, &err), 0, "%s", err.msg);
	cr_expect_str_eq(c.context, "one", "the first that is not empty");
	cr_expect_str_eq(c.username, "joe");
	cr_expect_null(c.token, "the second file's user of that name is ignored whole");
}

Test(kube_config, paths_are_relative_to_their_file)
{
	AUTO(place) struct place p = {0};
	AUTO(kube_config) struct kube_config c = {0};
	AUTO_FREE char *file = NULL;
	AUTO_FREE char *ca = NULL;
	AUTO_FREE char *token = NULL;
	struct error err = {0};

	make_place(&p);
	ca = write_file(&p, "ca.pem", "PEM", 0600);
	token = fs_join(p.dir, "token");
	file = write_file(
		&p, "config",
		HEAD CONTEXTS
		"clusters: [{name: c1, cluster: {server: 'https://a.test', certificate-authority: "
		"ca.pem}}]\n" USER("{tokenFile: token}"),
		0600);
	cr_assert_eq(kube_config_load(&(struct kube_config_options){.file = file}, &c, &err), 0, "%s",
				 err.msg);
	cr_expect_str_eq(buf_str(&c.ca_pem), "PEM");
	cr_expect_str_eq(c.token_file, token);
}

Test(kube_config, who_may_write_and_read_the_file)
{
	AUTO(place) struct place p = {0};
	AUTO(kube_config) struct kube_config c = {0};
	AUTO_FREE char *file = NULL;
	struct error err = {0};

	make_place(&p);
	file = write_file(&p, "config", WHOLE, 0600);
	cr_assert_eq(chmod(file, 0666), 0);
	cr_expect_eq(kube_config_load(&(struct kube_config_options){.file = file}, &c, &err), -1);
	cr_expect_eq(err.code, ERR_DENIED);
	cr_assert_eq(chmod(file, 0644), 0);
	cr_assert_eq(kube_config_load(&(struct kube_config_options){.file = file}, &c, &err), 0);
	cr_expect_eq(c.warnings.count, 1u);
}

Test(kube_config, nothing_at_all)
{
	AUTO(place) struct place p = {0};
	struct kube_config c = {0};
	struct error err = {0};

	make_place(&p);
	setenv("HOME", p.dir, 1);
	unsetenv("KUBECONFIG");
	unsetenv("KUBERNETES_SERVICE_HOST");
	cr_expect_eq(kube_config_load(&(struct kube_config_options){0}, &c, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	cr_expect(err.hint[0]);
}

Test(kube_config, in_cluster)
{
	AUTO(place) struct place p = {0};
	AUTO(kube_config) struct kube_config c = {0};
	AUTO_FREE char *ca = NULL;
	AUTO_FREE char *ns = NULL;
	struct error err = {0};

	make_place(&p);
	ca = write_file(&p, "ca.crt", "PEM", 0600);
	ns = write_file(&p, "namespace", "shop\n", 0600);
	setenv("HOME", p.dir, 1);
	unsetenv("KUBECONFIG");
	setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
	setenv("KUBERNETES_SERVICE_PORT", "443", 1);
	cr_assert_eq(
		kube_config_load(&(struct kube_config_options){.service_account_dir = p.dir}, &c, &err), 0,
		"%s", err.msg);
	cr_expect_str_eq(c.server, "https://[fd00::1]:443");
	cr_expect_str_eq(c.namespace_, "shop");
	cr_expect_str_eq(buf_str(&c.ca_pem), "PEM");
}
