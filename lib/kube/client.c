#include "kube/client.h"

#include "base/mem.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/utf8.h"
#include "http/url.h"
#include "kube/credential.h"

#include <string.h>
#include <strings.h>

struct kube_client {
	const struct kube_config *config;
	const struct clock *clock;
	const struct cancel *cancel;
	struct kube_credential credential;
	struct http_auth auth;
	struct http_client *http;
	char *origin;
	struct kube_call *calls; /* all that are not done */
	const struct progress *progress;
	struct strv warned; /* what the server warned of, each said once */
};

/* One request on its way. */
struct kube_call {
	struct kube_client *client;
	struct http_exchange *exchange;
	char *method;
	char *path;
	char *url;
	struct http_request request;
	kube_done_fn *done;
	void *user;
	const struct kube_stream *stream;
	struct kube_call *next, *previous;
};

static char *curl_proxy(const char *url)
{
	/* Go resolves names at the SOCKS proxy */
	if (text_starts(url, "socks5://"))
		return xasprintf("socks5h://%s", url + strlen("socks5://"));
	return xstrdup(url);
}

static struct http_tls client_tls(const struct kube_client *c)
{
	const struct kube_config *config = c->config;
	bool plugin = c->credential.cert_pem.len > 0;
	const struct buf *cert = plugin ? &c->credential.cert_pem : &config->cert_pem;
	const struct buf *key = plugin ? &c->credential.key_pem : &config->key_pem;
	struct http_tls tls = {.server_name = config->tls_server_name, .insecure = config->insecure};

	if (config->ca_pem.len > 0)
		tls.ca_pem = buf_span(&config->ca_pem);
	if (cert->len > 0) {
		tls.cert_pem = buf_span(cert);
		tls.key_pem = buf_span(key);
	}
	return tls;
}

static int open_http(struct kube_client *c, const struct kube_client_options *o, struct error *err)
{
	AUTO(url) struct url url = {0};
	AUTO_FREE char *proxy = c->config->proxy_url ? curl_proxy(c->config->proxy_url) : NULL;
	struct http_options http = {
		.transport = o->transport,
		.clock = c->clock,
		.cancel = o->cancel,
		.log = o->log,
		.progress = o->progress,
		.auth = &c->auth,
		.proxy = proxy,
		.connect_timeout_ms = 10000,
		.stall_timeout_ms = 45000,
		.max_connections = 2,
		.deadline_ms = o->deadline_ms,
	};

	if (kube_credential_open(c->config, c->clock, o->cancel, o->progress, &c->credential, err) < 0)
		return -1;
	http.tls = client_tls(c);
	if (url_parse(c->config->server, &url, err) < 0)
		return -1;
	c->origin = url_origin(&url);
	return http_client_new(&http, &c->http, err);
}

int kube_client_new(const struct kube_client_options *options, struct kube_client **out,
					struct error *err)
{
	struct kube_client *c = xcalloc(1, sizeof(*c));

	c->config = options->config;
	c->clock = options->clock ? options->clock : &clock_system;
	c->cancel = options->cancel;
	c->progress = options->progress;
	c->auth = (struct http_auth){kube_credential_get, &c->credential};
	if (open_http(c, options, err) < 0) {
		kube_client_free(c);
		return -1;
	}
	*out = c;
	return 0;
}

const struct kube_config *kube_client_config(const struct kube_client *c)
{
	return c->config;
}

const struct clock *kube_client_clock(const struct kube_client *c)
{
	return c->clock;
}

const char *kube_client_server(const struct kube_client *c)
{
	return c->origin;
}

static void call_free(struct kube_call *call)
{
	if (call->previous)
		call->previous->next = call->next;
	else
		call->client->calls = call->next;
	if (call->next)
		call->next->previous = call->previous;
	http_request_release(&call->request);
	free(call->method);
	free(call->path);
	free(call->url);
	free(call);
}

void kube_client_free(struct kube_client *c)
{
	if (!c)
		return;
	while (c->calls)
		kube_stop(c, c->calls);
	if (c->http)
		http_client_free(c->http);
	kube_credential_release(&c->credential);
	strv_release(&c->warned);
	free(c->origin);
	free(c);
}

/* "Impersonate-User: jane" */
static void add_impersonation(const struct kube_config *config, struct http_headers *headers)
{
	for (size_t i = 0; i < config->impersonate.count; i++) {
		const char *line = config->impersonate.items[i];
		const char *colon = strchr(line, ':');
		AUTO_FREE char *name = xstrndup(line, (size_t)(colon - line));

		http_headers_add(headers, name, colon + 2);
	}
}

static struct kube_call *call_new(struct kube_client *c, const struct kube_request *r)
{
	struct kube_call *call = xcalloc(1, sizeof(*call));

	call->client = c;
	call->next = c->calls;
	if (c->calls)
		c->calls->previous = call;
	c->calls = call;
	call->method = xstrdup(r->method ? r->method : "GET");
	call->path = xstrdup(r->path);
	call->url = xasprintf("%s%s", c->config->server, r->path);
	call->request.method = call->method;
	call->request.url = call->url;
	call->request.max_bytes = KUBE_MAX_ANSWER_BYTES;
	call->request.timeout_ms = KUBE_REQUEST_TIMEOUT_MS;
	call->request.no_retry = r->no_retry;
	call->request.body.fd = -1;
	http_headers_add(&call->request.headers, "Accept", r->accept ? r->accept : "application/json");
	add_impersonation(c->config, &call->request.headers);
	if (r->body.data) {
		call->request.has_body = true;
		call->request.body.data = r->body.data;
		call->request.body.len = r->body.len;
		http_headers_add(&call->request.headers, "Content-Type",
						 r->content_type ? r->content_type : "application/json");
	}
	return call;
}

/* Parse an answer and fill *err unless it is 2xx JSON. */
static json_t *read_answer(const struct kube_call *call, const struct http_response *response,
						   struct error *err)
{
	AUTO_FREE char *name = xasprintf("%s %s", call->method, call->path);
	json_t *doc = NULL;
	struct error parse = {0};
	bool ok = response->status >= 200 && response->status < 300;

	name[strcspn(name, "?")] = '\0';
	if (doc_json_parse(buf_span(&response->body), name, &doc, &parse) < 0) {
		if (ok) {
			*err = parse;
			err_hint(err, "is %s really a Kubernetes API server?", call->client->origin);
		} else {
			kube_status_error(call->client, call->method, call->path, response->status, NULL, err);
		}
		return NULL;
	}
	if (!ok)
		kube_status_error(call->client, call->method, call->path, response->status, doc, err);
	else if (strcmp(doc_text(doc, "kind", ""), "Status") == 0 &&
			 strcmp(doc_text(doc, "status", ""), "Failure") == 0)
		kube_status_error(call->client, call->method, call->path, (int)doc_int(doc, "code", 500),
						  doc, err);
	return doc;
}

/* Warning: 299 - "policy/v1beta1 PodDisruptionBudget is deprecated ..." (RFC 7234, section 5.5) */
static void pass_warnings(struct kube_client *c, const struct http_headers *headers)
{
	for (size_t i = 0; i < headers->count; i++) {
		const char *start = strchr(headers->items[i].value, '"');
		const char *end = start ? strrchr(headers->items[i].value, '"') : NULL;
		AUTO_FREE char *text = NULL;

		if (strcasecmp(headers->items[i].name, "Warning") != 0 || !start || end <= start)
			continue;
		text = xstrndup(start + 1, (size_t)(end - start - 1));
		if (strlen(text) > KUBE_MAX_WARNING_BYTES)
			text[KUBE_MAX_WARNING_BYTES] = '\0';
		utf8_sanitize(text);
		if (c->warned.count >= KUBE_MAX_WARNINGS || strv_has(&c->warned, text))
			continue;
		strv_addf(&c->warned, "%s", text);
		progress_emit(c->progress, &(struct progress_event){
									   .kind = PROGRESS_NOTE, .id = "warning", .text = text});
	}
}

static int call_done(void *user, struct http_response *response, struct error *err)
{
	struct kube_call *call = user;
	struct error result = {0};
	AUTO_JSON json_t *doc = NULL;
	int status = 0;
	int rc;

	if (response) {
		status = response->status;
		pass_warnings(call->client, &response->headers);
		doc = read_answer(call, response, &result);
	} else {
		result = *err;
		/* kubectl's world keeps a cluster's CA in the kubeconfig, and knows no --ca */
		if (result.code == ERR_DENIED && strstr(result.hint, "--ca"))
			err_hint(&result,
					 "check certificate-authority-data and server of context '%s' in the "
					 "kubeconfig",
					 call->client->config->context);
	}
	rc = call->done(call->user, status, doc, &result);
	call_free(call);
	if (rc < 0)
		*err = result;
	return rc;
}

struct kube_call *kube_start(struct kube_client *c, const struct kube_request *request,
							 kube_done_fn *done, void *user)
{
	struct kube_call *call = call_new(c, request);

	call->done = done;
	call->user = user;
	call->exchange = http_start(c->http, &call->request, call_done, call);
	return call;
}

int kube_run(struct kube_client *c, int64_t wait_ms, struct error *err)
{
	int rc = http_run(c->http, wait_ms, err);

	/* what was left is aborted; the handles stay valid until they are stopped */
	if (rc < 0)
		for (struct kube_call *call = c->calls; call; call = call->next)
			call->exchange = NULL;
	return rc;
}

int kube_wait(struct kube_client *c, int64_t wait_ms, struct error *err)
{
	int rc = kube_run(c, wait_ms, err);

	if (rc == 0)
		c->clock->sleep_ms(c->clock->user, wait_ms);
	return rc < 0 ? -1 : cancel_check(c->cancel, err);
}

struct one_answer {
	json_t *doc;
};

static int one_done(void *user, int status, json_t *doc, struct error *err)
{
	struct one_answer *one = user;

	(void)status;
	if (err->code != ERR_NONE)
		return -1;
	one->doc = json_incref(doc);
	return 0;
}

int kube_send(struct kube_client *c, const struct kube_request *request, json_t **out,
			  struct error *err)
{
	struct one_answer one = {0};

	kube_start(c, request, one_done, &one);
	if (kube_run(c, -1, err) < 0) {
		json_decref(one.doc);
		return -1;
	}
	*out = one.doc;
	return 0;
}

int kube_get(struct kube_client *c, const char *path, const char *accept, json_t **out,
			 struct error *err)
{
	struct kube_request request = {.path = path, .accept = accept};

	return kube_send(c, &request, out, err);
}

static int stream_data(void *user, const void *data, size_t len, struct error *err)
{
	struct kube_call *call = user;

	return call->stream->data(call->stream->user, data, len, err);
}

static int stream_done(void *user, struct http_response *response, struct error *err)
{
	struct kube_call *call = user;
	const struct kube_stream *stream = call->stream;
	struct error result = {0};
	int status = 0;
	int rc;

	if (response) {
		status = response->status;
		if (status < 200 || status >= 300)
			json_decref(read_answer(call, response, &result));
	} else {
		result = *err;
	}
	call_free(call);
	rc = stream->done(stream->user, status, &result);
	if (rc < 0)
		*err = result;
	return rc;
}

struct kube_call *kube_start_stream(struct kube_client *c, const char *path, bool endless,
									const struct kube_stream *stream)
{
	struct kube_call *call = call_new(c, &(struct kube_request){.path = path});

	call->stream = stream;
	call->request.stream = endless;
	call->request.data = stream_data;
	call->request.sink = call;
	if (endless) {
		call->request.timeout_ms = 0;
		call->request.max_bytes = UINT64_MAX;
	}
	call->exchange = http_start(c->http, &call->request, stream_done, call);
	return call;
}

void kube_stop(struct kube_client *c, struct kube_call *call)
{
	if (call->exchange)
		http_abort(c->http, call->exchange);
	call_free(call);
}
