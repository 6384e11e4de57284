#include "kube/credential.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/utf8.h"
#include "crypto/base64.h"
#include "kube/config_files.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* the service account's token rotates about hourly */
#define TOKEN_FILE_TTL_MS 60000

static void wipe_buf(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->len);
	buf_release(b);
	*b = (struct buf){0};
}

static void set_token(struct kube_credential *c, char *token)
{
	if (c->token)
		explicit_bzero(c->token, strlen(c->token));
	free(c->token);
	c->token = token;
}

void kube_credential_release(struct kube_credential *c)
{
	set_token(c, NULL);
	wipe_buf(&c->cert_pem);
	wipe_buf(&c->key_pem);
}

/* ---- exec plugins */

static bool is_interactive(const struct kube_exec *e)
{
	return e->interactive != KUBE_EXEC_NEVER && isatty(STDIN_FILENO);
}

/* KUBERNETES_EXEC_INFO: what the plugin is told (ExecCredential.spec). */
static char *exec_info(const struct kube_config *config, bool interactive)
{
	AUTO_JSON json_t *doc = json_object();
	json_t *spec = json_object();
	AUTO(buf) struct buf text = {0};

	json_object_set_new(doc, "apiVersion", json_string(config->exec.api_version));
	json_object_set_new(doc, "kind", json_string("ExecCredential"));
	json_object_set_new(spec, "interactive", json_boolean(interactive));
	if (config->exec.provide_cluster_info) {
		json_t *cluster = json_object();
		AUTO(buf) struct buf ca = {0};

		json_object_set_new(cluster, "server", json_string(config->server));
		if (config->tls_server_name)
			json_object_set_new(cluster, "tls-server-name", json_string(config->tls_server_name));
		if (config->insecure)
			json_object_set_new(cluster, "insecure-skip-tls-verify", json_true());
		if (config->ca_pem.len > 0) {
			base64_encode(config->ca_pem.data, config->ca_pem.len, &ca);
			json_object_set_new(cluster, "certificate-authority-data", json_string(buf_str(&ca)));
		}
		if (config->proxy_url)
			json_object_set_new(cluster, "proxy-url", json_string(config->proxy_url));
		json_object_set_new(spec, "cluster", cluster);
	}
	json_object_set_new(doc, "spec", spec);
	doc_json_write(doc, &text);
	return xasprintf("KUBERNETES_EXEC_INFO=%s", buf_str(&text));
}

struct plugin_talk {
	const struct progress *progress;
	char last[256]; /* the last line it wrote to stderr */
};

/* What a plugin says is for the user: a code to type in, or why it failed. */
static void plugin_line(void *user, bool is_stderr, const char *line)
{
	struct plugin_talk *talk = user;

	(void)is_stderr;
	if (!*line)
		return;
	snprintf(talk->last, sizeof(talk->last), "%s", line);
	utf8_sanitize(talk->last);
	progress_emit(
		talk->progress,
		&(struct progress_event){.kind = PROGRESS_NOTE, .id = "credentials", .text = talk->last});
}

static int plugin_missing(const struct kube_exec *e, struct error *err)
{
	AUTO_FREE char *hint = NULL;
	size_t out = 0;

	err_set(err, ERR_MISSING, "credential plugin %s is not installed", e->argv.items[0]);
	if (!e->install_hint)
		return err_hint(err, "install it, or use another user in the kubeconfig");
	hint = xstrdup(e->install_hint);
	/* client-go strips terminal sequences, which a kubeconfig could misuse */
	for (size_t i = 0; hint[i]; i++) {
		if (hint[i] == '\033' && hint[i + 1] == '[') {
			while (hint[i + 1] && !isalpha((unsigned char)hint[i + 1]))
				i++;
			if (hint[i + 1])
				i++;
			continue;
		}
		hint[out++] = hint[i] == '\n' ? ' ' : hint[i];
	}
	hint[out] = '\0';
	utf8_sanitize(hint);
	return err_hint(err, "%s", hint);
}

static int run_plugin(struct kube_credential *c, struct error *err)
{
	const struct kube_exec *e = &c->config->exec;
	bool interactive = is_interactive(e);
	AUTO_FREE char *info = exec_info(c->config, interactive);
	AUTO(strv) struct strv env = {0};
	AUTO(proc_result) struct proc_result result = {0};
	struct plugin_talk talk = {.progress = c->progress};
	struct proc_spec spec = {
		.argv = (const char *const *)e->argv.items,
		.in = interactive ? PROC_INHERIT : PROC_NULL,
		.out = PROC_BUFFER,
		.err_out = PROC_LINES,
		.line = plugin_line,
		.user = &talk,
		.max_output = KUBE_EXEC_MAX_BYTES,
		/* a person may be asked to log in */
		.timeout_ms = interactive ? 10 * KUBE_EXEC_TIMEOUT_MS : KUBE_EXEC_TIMEOUT_MS,
		.cancel = c->cancel,
	};
	char how[64];
	int rc;

	if (e->interactive == KUBE_EXEC_ALWAYS && !interactive)
		return err_set(err, ERR_DENIED, "credential plugin %s needs a terminal to ask on",
					   e->argv.items[0]);
	for (size_t i = 0; i < e->env.count; i++)
		strv_add(&env, e->env.items[i]);
	strv_add(&env, info);
	spec.env = (const char *const *)env.items;
	if (proc_run(&spec, &result, err) < 0)
		return err->code == ERR_MISSING ? plugin_missing(e, err) : -1;
	if (result.exit_status != 0 || result.timed_out) {
		err_set(err, ERR_DENIED, "credential plugin %s %s%s%s", e->argv.items[0],
				proc_describe(&result, how), talk.last[0] ? ": " : "", talk.last);
		return err_hint(err, "log in with the tool that belongs to it, then try again");
	}
	rc = kube_credential_read(c, buf_span(&result.out), err);
	if (result.out.data)
		explicit_bzero(result.out.data, result.out.len);
	return rc < 0 ? err_wrap(err, "credential plugin %s", e->argv.items[0]) : 0;
}

static int take_status(struct kube_credential *c, const json_t *status, struct error *err)
{
	const char *token = doc_text(status, "token", NULL);
	const char *cert = doc_text(status, "clientCertificateData", NULL);
	const char *key = doc_text(status, "clientKeyData", NULL);
	const char *expires = doc_text(status, "expirationTimestamp", NULL);
	int64_t expires_s = 0;

	if (!token && !cert)
		return err_set(err, ERR_INPUT, "the answer has neither a token nor a certificate");
	if (!cert != !key)
		return err_set(err, ERR_INPUT, "the answer has a certificate or a key, but not both");
	if (token && kube_config_check_header("the token", token, err) < 0)
		return -1;
	if (expires && clock_parse_rfc3339(expires, &expires_s) < 0)
		return err_set(err, ERR_INPUT, "expirationTimestamp is not a time");
	set_token(c, xstrdup_opt(token));
	wipe_buf(&c->cert_pem);
	wipe_buf(&c->key_pem);
	if (cert) {
		buf_adds(&c->cert_pem, cert);
		buf_adds(&c->key_pem, key);
	}
	c->expires_s = expires_s;
	c->asked = true;
	return 0;
}

int kube_credential_read(struct kube_credential *c, struct span answer, struct error *err)
{
	AUTO_JSON json_t *doc = NULL;
	const char *version;

	/* a parser's message could quote the token */
	if (doc_json_parse(answer, "answer", &doc, err) < 0)
		return err_set(err, ERR_INPUT, "the answer is not JSON");
	if (strcmp(doc_text(doc, "kind", ""), "ExecCredential") != 0)
		return err_set(err, ERR_INPUT, "the answer is not an ExecCredential");
	version = doc_text(doc, "apiVersion", "");
	if (strcmp(version, c->config->exec.api_version) != 0) {
		err_set(err, ERR_INPUT, "it answers with apiVersion '%s', the kubeconfig says '%s'",
				version, c->config->exec.api_version);
		return err_hint(err, "update the plugin, then write the kubeconfig again with its tool");
	}
	return take_status(c, json_object_get(doc, "status"), err);
}

/* ---- asked by the HTTP client */

int kube_credential_open(const struct kube_config *config, const struct clock *clock,
						 const struct cancel *cancel, const struct progress *progress,
						 struct kube_credential *c, struct error *err)
{
	struct kube_credential made = {
		.config = config, .clock = clock, .cancel = cancel, .progress = progress};

	if (config->exec.argv.count > 0 && run_plugin(&made, err) < 0)
		return -1;
	*c = made;
	return 0;
}

static int read_token_file(struct kube_credential *c, struct error *err)
{
	AUTO(buf) struct buf text = {0};
	size_t len;

	if (fs_read(c->config->token_file, KUBE_CONFIG_MAX_TOKEN_BYTES, &text, err) < 0)
		return err_wrap(err, "token");
	len = text.len;
	while (len > 0 && isspace((unsigned char)text.data[len - 1]))
		text.data[--len] = '\0';
	if (kube_config_check_header(c->config->token_file, buf_str(&text), err) < 0)
		return -1;
	set_token(c, xstrdup(buf_str(&text)));
	explicit_bzero(text.data, len);
	c->read_at_ms = clock_now(c->clock);
	return 0;
}

static int from_plugin(struct kube_credential *c, bool denied, struct error *err)
{
	bool expired = c->expires_s > 0 && c->clock->wall_s(c->clock->user) >= c->expires_s;
	AUTO(buf) struct buf old_cert = {0};

	if (c->asked && !expired && !denied)
		return 0;
	buf_add(&old_cert, buf_str(&c->cert_pem), c->cert_pem.len);
	if (run_plugin(c, err) < 0)
		return -1;
	if (strcmp(buf_str(&old_cert), buf_str(&c->cert_pem)) != 0) {
		/* the connections stand with the old certificate */
		err_set(err, ERR_DENIED, "the client certificate of user %s has been renewed meanwhile",
				c->config->user);
		return err_hint(err, "run the command again");
	}
	return 0;
}

static int add_basic(const struct kube_config *config, struct buf *value)
{
	AUTO_FREE char *pair =
		xasprintf("%s:%s", config->username, config->password ? config->password : "");

	buf_adds(value, "Basic ");
	base64_encode(pair, strlen(pair), value);
	explicit_bzero(pair, strlen(pair));
	return 1;
}

int kube_credential_get(void *user, const struct http_request *request,
						const struct http_response *denied, struct buf *value, struct error *err)
{
	struct kube_credential *c = user;
	const struct kube_config *config = c->config;
	const char *token = config->token;

	(void)request;
	if (config->exec.argv.count > 0) {
		if (from_plugin(c, denied != NULL, err) < 0)
			return -1;
		token = c->token;
	} else if (config->token_file) {
		bool old = !c->token || clock_now(c->clock) - c->read_at_ms > TOKEN_FILE_TTL_MS;

		if ((old || denied) && read_token_file(c, err) < 0)
			return -1;
		token = c->token;
	} else if (denied) {
		return 0;
	}
	if (token && *token) {
		buf_addf(value, "Bearer %s", token);
		return 1;
	}
	return config->username ? add_basic(config, value) : 0;
}
