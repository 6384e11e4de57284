#include "kube/config.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/url.h"
#include "kube/config_files.h"

#include <string.h>

#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

static void wipe_text(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void exec_release(struct kube_exec *e)
{
	strv_release(&e->argv);
	strv_release(&e->env);
	free(e->api_version);
	free(e->install_hint);
}

void kube_config_release(struct kube_config *c)
{
	free(c->context);
	free(c->user);
	free(c->server);
	free(c->namespace_);
	free(c->tls_server_name);
	free(c->proxy_url);
	buf_release(&c->ca_pem);
	buf_release(&c->cert_pem);
	if (c->key_pem.data)
		explicit_bzero(c->key_pem.data, c->key_pem.len);
	buf_release(&c->key_pem);
	wipe_text(c->token);
	free(c->token_file);
	free(c->username);
	wipe_text(c->password);
	exec_release(&c->exec);
	strv_release(&c->impersonate);
	strv_release(&c->warnings);
	memset(c, 0, sizeof(*c));
}

static int set_server(const char *server, const char *where, struct kube_config *out,
					  struct error *err)
{
	AUTO(url) struct url url = {0};
	AUTO_FREE char *text = NULL;

	if (!*server)
		return err_set(err, ERR_INPUT, "%s: cluster names no server", where);
	/* client-go takes a bare host as http */
	text = strstr(server, "://") ? xstrdup(server) : xasprintf("http://%s", server);
	text[strcspn(text, "?#")] = '\0';
	while (text[0] && text_ends(text, "/"))
		text[strlen(text) - 1] = '\0';
	if (url_parse(text, &url, err) < 0)
		return err_wrap(err, "%s: server", where);
	out->server = TAKE(text);
	return 0;
}

static int read_cluster(const json_t *cluster, const struct kube_config_file *from,
						struct kube_config *out, struct error *err)
{
	if (set_server(doc_text(cluster, "server", ""), from->path, out, err) < 0 ||
		kube_config_read_bytes(cluster, "certificate-authority", from, &out->ca_pem, err) < 0)
		return -1;
	out->insecure = doc_bool(cluster, "insecure-skip-tls-verify", false);
	if (out->insecure && out->ca_pem.len > 0)
		return err_set(err, ERR_INPUT,
					   "%s: cluster has both insecure-skip-tls-verify and a certificate authority",
					   from->path);
	if (out->insecure)
		strv_addf(&out->warnings, "the certificate of %s is not checked (insecure-skip-tls-verify)",
				  out->server);
	out->tls_server_name = xstrdup_opt(doc_text(cluster, "tls-server-name", NULL));
	out->proxy_url = xstrdup_opt(doc_text(cluster, "proxy-url", NULL));
	return 0;
}

static int choose(const struct kube_config_files *files, const struct kube_config_options *o,
				  struct kube_config *out, struct error *err)
{
	const char *name = o->context ? o->context : kube_config_files_current(files);
	const struct kube_config_file *from = NULL;
	const json_t *context;
	const json_t *cluster;
	const json_t *user;
	const char *cluster_name;
	const char *user_name;

	if (!name) {
		err_set(err, ERR_MISSING, "kubeconfig has no current context");
		return err_hint(err, "choose one with --context NAME");
	}
	context = kube_config_files_find(files, "contexts", name, &from);
	if (!context)
		return kube_config_files_missing(files, "contexts", name, err);
	cluster_name = doc_text(context, "cluster", "");
	user_name = doc_text(context, "user", "");
	out->context = xstrdup(name);
	out->user = xstrdup(user_name);
	out->namespace_ =
		xstrdup(o->namespace_ ? o->namespace_ : doc_text(context, "namespace", "default"));
	cluster = kube_config_files_find(files, "clusters", cluster_name, &from);
	if (!cluster)
		return kube_config_files_missing(files, "clusters", cluster_name, err);
	if (read_cluster(cluster, from, out, err) < 0)
		return -1;
	if (!*user_name)
		return 0;
	user = kube_config_files_find(files, "users", user_name, &from);
	if (!user)
		return kube_config_files_missing(files, "users", user_name, err);
	return kube_config_read_user(user, from, out, err);
}

/* client-go rest.InClusterConfig */
static int in_cluster(const struct kube_config_options *o, struct kube_config *out,
					  struct error *err)
{
	const char *dir = o->service_account_dir ? o->service_account_dir : SERVICE_ACCOUNT_DIR;
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	AUTO_FREE char *ca = fs_join(dir, "ca.crt");
	AUTO_FREE char *namespace_file = fs_join(dir, "namespace");
	AUTO_FREE char *server = NULL;
	AUTO(buf) struct buf namespace_ = {0};
	struct error ignored;

	if (!host || !*host || !port || !*port) {
		err_set(err, ERR_MISSING, "no kubeconfig found");
		return err_hint(err, "set KUBECONFIG, or write --kubeconfig FILE; msctl also looks at "
							 "~/.kube/config");
	}
	server = xasprintf(strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port);
	if (set_server(server, "KUBERNETES_SERVICE_HOST", out, err) < 0 ||
		fs_read(ca, KUBE_CONFIG_MAX_PEM_BYTES, &out->ca_pem, err) < 0)
		return -1;
	out->context = xstrdup("in-cluster");
	out->user = xstrdup("service account");
	out->token_file = fs_join(dir, "token");
	if (o->namespace_)
		out->namespace_ = xstrdup(o->namespace_);
	else if (fs_read(namespace_file, 1024, &namespace_, &ignored) == 0 && namespace_.len > 0)
		out->namespace_ = xstrndup(namespace_.data, strcspn(namespace_.data, "\r\n "));
	else
		out->namespace_ = xstrdup("default");
	return 0;
}

static int load(const struct kube_config_options *o, struct kube_config *out, struct error *err)
{
	AUTO(kube_config_files) struct kube_config_files files = {0};

	if (kube_config_files_load(o->file, &files, err) < 0)
		return -1;
	if (files.list.count == 0) {
		if (o->file)
			return err_set(err, ERR_INPUT, "kubeconfig %s is empty", o->file);
		return in_cluster(o, out, err);
	}
	out->warnings = MOVE(files.warnings);
	return choose(&files, o, out, err);
}

int kube_config_load(const struct kube_config_options *options, struct kube_config *out,
					 struct error *err)
{
	AUTO(kube_config) struct kube_config config = {0};

	if (load(options, &config, err) < 0)
		return -1;
	*out = MOVE(config);
	return 0;
}

int kube_config_parse(struct span text, const char *name, const struct kube_config_options *options,
					  struct kube_config *out, struct error *err)
{
	AUTO(kube_config_files) struct kube_config_files files = {0};
	AUTO(kube_config) struct kube_config config = {0};

	if (kube_config_files_add(&files, name, text, err) < 0)
		return -1;
	if (files.list.count == 0)
		return err_set(err, ERR_INPUT, "%s: empty", name);
	if (choose(&files, options, &config, err) < 0)
		return -1;
	*out = MOVE(config);
	return 0;
}
