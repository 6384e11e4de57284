#include "registry/session.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

/* https, unless the user says otherwise or a loopback host answers in plain http. */
static int find_api(struct registry *r, bool has_certs, struct error *err)
{
	AUTO(oci_ref) struct oci_ref ref = {.host = xstrdup(r->o.host)};
	AUTO_FREE char *text = xasprintf("https://%s/", oci_ref_api_host(&ref));
	AUTO_FREE char *plain = xasprintf("http://%s/", oci_ref_api_host(&ref));
	AUTO(url) struct url url = {0};

	if (url_parse(text, &url, err) < 0)
		return err_wrap(err, "registry '%s'", r->o.host);
	if (r->o.plain_http || (url_is_loopback(&url) && !has_certs && !r->o.transport &&
							!probe_speaks_tls(url.host, url.port))) {
		url_release(&url);
		if (url_parse(plain, &url, err) < 0)
			return err_wrap(err, "registry '%s'", r->o.host);
	}
	r->api = MOVE(url);
	return 0;
}

void session_http_options(const struct registry *r, struct http_options *out)
{
	*out = (struct http_options){
		.clock = r->clock,
		.log = r->o.log,
		.progress = r->o.progress,
		.tls = {.ca_file = r->o.ca_file},
		.max_connections = REGISTRY_PARALLEL,
		.allow_plain = r->o.plain_http,
		.deadline_ms = r->deadline_ms,
	};
	if (r->ca.len && !r->o.ca_file)
		out->tls.ca_pem = buf_span(&r->ca);
	if (r->cert.len) {
		out->tls.cert_pem = buf_span(&r->cert);
		out->tls.key_pem = buf_span(&r->key);
	}
	if (r->o.timeout_ms > 0 && r->o.timeout_ms < 20000)
		out->connect_timeout_ms = out->stall_timeout_ms = r->o.timeout_ms;
}

static int open_clients(struct registry *r, struct error *err)
{
	struct http_options options;

	session_http_options(r, &options);
	options.cancel = r->o.cancel;
	options.transport = r->o.token_transport;
	options.auth = &r->token_callback;
	if (http_client_new(&options, &r->token_client, err) < 0)
		return -1;
	auth_init(&r->auth, &(struct auth_options){
							.host = r->o.host,
							.api = &r->api,
							.store = r->o.creds,
							.client = r->token_client,
							.clock = r->clock,
							.log = r->o.log,
						});
	options.transport = r->o.transport;
	options.auth = &r->auth_callback;
	return http_client_new(&options, &r->client, err);
}

int registry_open(const struct registry_options *options, struct registry **out, struct error *err)
{
	AUTO_PTR(registry) struct registry *r = xcalloc(1, sizeof(*r));
	bool has_certs = options->ca_file != NULL;

	r->o = *options;
	r->clock = options->clock ? options->clock : &clock_system;
	r->auth_callback = auth_for_registry(&r->auth);
	r->token_callback = auth_for_tokens(&r->auth);
	if (options->timeout_ms > 0)
		r->deadline_ms = clock_now(r->clock) + options->timeout_ms;
	if (certs_load(options->host, r, &has_certs, err) < 0 || find_api(r, has_certs, err) < 0 ||
		open_clients(r, err) < 0)
		return -1;
	*out = TAKE(r);
	return 0;
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	if (r->client)
		http_client_free(r->client);
	if (r->token_client)
		http_client_free(r->token_client);
	auth_release(&r->auth);
	url_release(&r->api);
	buf_release(&r->ca);
	buf_release(&r->cert);
	if (r->key.data)
		explicit_bzero(r->key.data, r->key.cap);
	buf_release(&r->key);
	free(r);
}

char *session_url(const struct registry *r, const char *name, const char *rest)
{
	AUTO_FREE char *origin = url_origin(&r->api);

	if (!name)
		return xasprintf("%s/v2/", origin);
	return xasprintf("%s/v2/%s/%s", origin, name, rest);
}

int session_check_time(const struct registry *r, struct error *err)
{
	char text[16];

	if (!r->deadline_ms || clock_now(r->clock) < r->deadline_ms)
		return 0;
	return err_set(err, ERR_NET, "gave up on %s after %s", r->o.host,
				   text_duration(r->o.timeout_ms, text));
}

int session_send(struct registry *r, const struct http_request *request,
				 struct http_response *response, struct error *err)
{
	struct http_request timed = *request;

	timed.timeout_ms = r->o.timeout_ms;
	if (session_check_time(r, err) < 0)
		return -1;
	if (http_send(r->client, &timed, response, err) == 0)
		return 0;
	session_hint(r, err);
	return -1;
}

int registry_check_login(struct registry *r, const struct creds *c, struct error *err)
{
	AUTO_FREE char *url = session_url(r, NULL, NULL);
	struct http_request request = {.method = "GET", .url = url};
	AUTO(http_response) struct http_response response = {0};

	auth_use(&r->auth, c);
	if (session_send(r, &request, &response, err) < 0)
		return -1;
	if (response.status == 200)
		return 0;
	http_status_error(&request, &response, err);
	if (response.status == 401 || response.status == 403)
		return err_hint(err, "check the user name and the password");
	if (response.status == 404)
		return err_hint(err, "%s may be no registry", r->o.host);
	return -1;
}
