#include "kube/client.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

static enum err_code class_of(int status, const char *reason)
{
	static const struct {
		int status;
		enum err_code code;
	} classes[] = {{400, ERR_INPUT}, {401, ERR_DENIED}, {403, ERR_DENIED},   {404, ERR_MISSING},
				   {405, ERR_INPUT}, {406, ERR_INPUT},  {409, ERR_CONFLICT}, {413, ERR_INPUT},
				   {415, ERR_INPUT}, {422, ERR_INPUT}};

	if (strcmp(reason, "AlreadyExists") == 0)
		return ERR_CONFLICT;
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (classes[i].status == status)
			return classes[i].code;
	return ERR_NET;
}

/* Old servers call it an internal error when they cannot read what they were sent. */
static enum err_code class_of_answer(int status, const char *reason, const char *message)
{
	if (status == 500 && strstr(message, "failed to create typed patch object"))
		return ERR_INPUT;
	return class_of(status, reason);
}

static int hint_forbidden(const char *message, struct error *err)
{
	if (strstr(message, "exceeded quota"))
		return err_hint(err, "free some of the namespace's quota, or ask for more");
	if (strstr(message, "violates PodSecurity"))
		return err_hint(err, "change the pod's securityContext as the message says, or the "
							 "namespace's level");
	if (strstr(message, "is being terminated"))
		return err_hint(err, "wait until the namespace is gone, create it again, then try "
							 "again");
	if (strstr(message, "admission webhook"))
		return err_hint(err,
						"the cluster's policy refuses it: change the manifest as the message says");
	if (strstr(message, "cannot "))
		return err_hint(err,
						"ask for a Role or ClusterRole that allows exactly this, or choose another "
						"user with --context");
	return err_hint(err, "ask the cluster's administrator for the permission");
}

static int hint_missing(const json_t *doc, struct error *err)
{
	const char *kind = doc_text(doc, "details.kind", "");
	const char *name = doc_text(doc, "details.name", "");

	if (strcmp(kind, "namespaces") == 0 && *name)
		return err_hint(err,
						"run 'kubectl create namespace %s', or put the Namespace into the "
						"manifests",
						name);
	return 0;
}

static int add_hint(const struct kube_client *c, int status, const char *message, const json_t *doc,
					struct error *err)
{
	const struct kube_config *config = kube_client_config(c);

	switch (status) {
	case 401:
		return err_hint(err,
						"user '%s' of context '%s' was not accepted: log in again, or fetch a new "
						"kubeconfig",
						config->user ? config->user : "", config->context);
	case 403:
		return hint_forbidden(message, err);
	case 404:
		return hint_missing(doc, err);
	case 429:
	case 503:
	case 504:
		return err_hint(err, "the server is overloaded or starting: try again in a minute");
	default:
		if (strstr(message, "failed calling webhook"))
			return err_hint(err, "the webhook's service does not answer: see whether its pods run");
		return 0;
	}
}

/* "Invalid value: core.PodTemplateSpec{...}: field is immutable" shows a whole pod with the values
 * of its environment, which may be secret: only what is said of it stays. Caller frees. */
static char *without_dump(const char *message)
{
	static const char mark[] = "Invalid value: ";
	const char *value = strstr(message, mark);
	const char *end = NULL;

	value = value ? value + strlen(mark) : NULL;
	if (!value || *value == '"' || !strchr(value, '{'))
		return xstrdup(message);
	for (const char *p = strstr(value, "}: "); p; p = strstr(p + 1, "}: "))
		end = p + 3;
	return xasprintf("%.*s%s", (int)(value - message), message, end ? end : "...");
}

/* The field errors of a 422, as far as they fit. */
static void add_causes(const json_t *doc, struct buf *out)
{
	const json_t *causes = doc_get(doc, "details.causes");

	for (size_t i = 0; i < json_array_size(causes) && i < 4; i++) {
		const json_t *cause = json_array_get(causes, i);
		const char *field = doc_text(cause, "field", "");
		AUTO_FREE char *message = without_dump(doc_text(cause, "message", ""));

		buf_addf(out, "%s%s%s%s", i ? "; " : "", field, *field ? ": " : "", message);
	}
}

int kube_status_error(const struct kube_client *c, const char *method, const char *path, int status,
					  const json_t *status_doc, struct error *err)
{
	const char *reason = doc_text(status_doc, "reason", "");
	AUTO_FREE char *message = without_dump(doc_text(status_doc, "message", ""));
	enum err_code code = class_of_answer(status, reason, message);
	AUTO(buf) struct buf causes = {0};

	if (strcmp(reason, "Invalid") == 0)
		add_causes(status_doc, &causes);
	if (causes.len > 0)
		err_set(err, code, "invalid: %s", buf_str(&causes));
	else if (*message && *reason)
		err_set(err, code, "%s", message);
	else if (*message) /* not the API server's own words: a proxy's, or a broken answer */
		err_set(err, code, "%s %s%.*s: the server answers %d: %s", method, kube_client_server(c),
				(int)strcspn(path, "?"), path, status, message);
	else
		err_set(err, code, "%s %s%.*s: the server answers %d", method, kube_client_server(c),
				(int)strcspn(path, "?"), path, status);
	add_hint(c, status, message, status_doc, err);
	return -1;
}
