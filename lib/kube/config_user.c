#include "kube/config_files.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "crypto/base64.h"
#include "http/url.h"

#include <ctype.h>
#include <string.h>

int kube_config_check_header(const char *what, const char *value, struct error *err)
{
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(err, ERR_INPUT, "%s contains a control character", what);
	return 0;
}

int kube_config_read_bytes(const json_t *entry, const char *key,
						   const struct kube_config_file *from, struct buf *out, struct error *err)
{
	AUTO_FREE char *data_key = xasprintf("%s-data", key);
	const char *data = json_string_value(json_object_get(entry, data_key));
	const char *file = json_string_value(json_object_get(entry, key));
	AUTO_FREE char *path = NULL;

	if (data && *data) {
		if (base64_decode(data, strlen(data), out, err) < 0)
			return err_wrap(err, "%s: %s", from->path, data_key);
		if (out->len > KUBE_CONFIG_MAX_PEM_BYTES)
			return err_set(err, ERR_INPUT, "%s: %s is too large", from->path, data_key);
		return 0;
	}
	if (!file || !*file)
		return 0;
	path = fs_join(from->dir, file);
	if (fs_read(path, KUBE_CONFIG_MAX_PEM_BYTES, out, err) < 0)
		return err_wrap(err, "%s: %s", from->path, key);
	return 0;
}

static int read_exec_env(const json_t *exec, struct kube_exec *out)
{
	const json_t *env = json_object_get(exec, "env");

	for (size_t i = 0; i < json_array_size(env); i++) {
		const json_t *item = json_array_get(env, i);

		strv_addf(&out->env, "%s=%s", doc_text(item, "name", ""), doc_text(item, "value", ""));
	}
	return 0;
}

static int check_exec_version(const char *version, const char *file, struct error *err)
{
	if (strcmp(version, "client.authentication.k8s.io/v1") == 0 ||
		strcmp(version, "client.authentication.k8s.io/v1beta1") == 0)
		return 0;
	err_set(err, ERR_INPUT, "%s: exec.apiVersion '%s' is not supported", file, version);
	return err_hint(err,
					"write the kubeconfig again with a current version of the tool that made it "
					"(client.authentication.k8s.io/v1)");
}

static int read_exec(const json_t *exec, const struct kube_config_file *from, struct kube_exec *out,
					 struct error *err)
{
	const char *command = doc_text(exec, "command", "");
	const char *mode = doc_text(exec, "interactiveMode", "IfAvailable");
	const json_t *args = json_object_get(exec, "args");

	if (!*command)
		return err_set(err, ERR_INPUT, "%s: exec names no command", from->path);
	if (check_exec_version(doc_text(exec, "apiVersion", ""), from->path, err) < 0)
		return -1;
	/* client-go: a command with a slash is relative to its file, others are found in PATH */
	if (strchr(command, '/'))
		strv_take(&out->argv, fs_join(from->dir, command));
	else
		strv_add(&out->argv, command);
	for (size_t i = 0; i < json_array_size(args); i++) {
		const char *arg = json_string_value(json_array_get(args, i));

		if (!arg)
			return err_set(err, ERR_INPUT, "%s: exec.args[%zu] is not text", from->path, i);
		strv_add(&out->argv, arg);
	}
	out->api_version = xstrdup(doc_text(exec, "apiVersion", ""));
	out->install_hint = xstrdup_opt(doc_text(exec, "installHint", NULL));
	out->provide_cluster_info = doc_bool(exec, "provideClusterInfo", false);
	out->interactive = strcmp(mode, "Never") == 0    ? KUBE_EXEC_NEVER
					   : strcmp(mode, "Always") == 0 ? KUBE_EXEC_ALWAYS
													 : KUBE_EXEC_IF_AVAILABLE;
	return read_exec_env(exec, out);
}

/* "Impersonate-Extra-<key>": lower case, percent-encoded (client-go transport/round_trippers.go).
 */
static void add_extra(const char *key, const char *value, struct kube_config *out)
{
	AUTO(buf) struct buf name = {0};

	url_encode(key, &name);
	for (size_t i = 0; i < name.len; i++)
		name.data[i] = (char)tolower((unsigned char)name.data[i]);
	strv_addf(&out->impersonate, "Impersonate-Extra-%s: %s", buf_str(&name), value);
}

static int read_impersonation(const json_t *user, struct kube_config *out, struct error *err)
{
	const char *as = doc_text(user, "as", "");
	const char *uid = doc_text(user, "as-uid", "");
	json_t *groups = json_object_get(user, "as-groups");
	json_t *extra = json_object_get(user, "as-user-extra");
	const char *key;
	json_t *values;

	if (*as)
		strv_addf(&out->impersonate, "Impersonate-User: %s", as);
	if (*uid)
		strv_addf(&out->impersonate, "Impersonate-Uid: %s", uid);
	for (size_t i = 0; i < json_array_size(groups); i++) {
		const char *group = json_string_value(json_array_get(groups, i));

		strv_addf(&out->impersonate, "Impersonate-Group: %s", group ? group : "");
	}
	json_object_foreach(extra, key, values) for (size_t i = 0; i < json_array_size(values); i++)
	{
		const char *value = json_string_value(json_array_get(values, i));

		add_extra(key, value ? value : "", out);
	}
	for (size_t i = 0; i < out->impersonate.count; i++)
		if (kube_config_check_header("impersonation in kubeconfig", out->impersonate.items[i],
									 err) < 0)
			return -1;
	return 0;
}

static int refuse_auth_provider(const json_t *user, const char *file, struct error *err)
{
	const char *name = doc_text(user, "auth-provider.name", NULL);

	if (!name)
		return 0;
	err_set(err, ERR_INPUT, "%s: auth-provider '%s' is not supported any more", file, name);
	if (strcmp(name, "gcp") == 0)
		return err_hint(err, "install gke-gcloud-auth-plugin and fetch the kubeconfig again");
	if (strcmp(name, "azure") == 0)
		return err_hint(err, "install kubelogin and run 'kubelogin convert-kubeconfig'");
	return err_hint(err, "use an exec credential plugin (client.authentication.k8s.io/v1) instead");
}

int kube_config_read_user(const json_t *user, const struct kube_config_file *from,
						  struct kube_config *out, struct error *err)
{
	const json_t *exec = json_object_get(user, "exec");
	const char *token_file = doc_text(user, "tokenFile", "");

	if (refuse_auth_provider(user, from->path, err) < 0 ||
		kube_config_read_bytes(user, "client-certificate", from, &out->cert_pem, err) < 0 ||
		kube_config_read_bytes(user, "client-key", from, &out->key_pem, err) < 0)
		return -1;
	if ((out->cert_pem.len == 0) != (out->key_pem.len == 0))
		return err_set(err, ERR_INPUT, "%s: user has a client certificate or a key, but not both",
					   from->path);
	out->token = xstrdup_opt(doc_text(user, "token", NULL));
	if (*token_file)
		out->token_file = fs_join(from->dir, token_file);
	out->username = xstrdup_opt(doc_text(user, "username", NULL));
	out->password = xstrdup_opt(doc_text(user, "password", NULL));
	if (out->token && kube_config_check_header("the token in kubeconfig", out->token, err) < 0)
		return -1;
	/* client-go runs no plugin where credentials stand already */
	if (json_is_object(exec) && !out->token && !out->token_file && !out->username &&
		out->cert_pem.len == 0 && read_exec(exec, from, &out->exec, err) < 0)
		return -1;
	return read_impersonation(user, out, err);
}
