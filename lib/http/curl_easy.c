/* One attempt as libcurl wants it told. */
#include "base/auto.h"
#include "base/mem.h"
#include "http/curl_api.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* from memory in one piece; libcurl writes it with the head */
#define INLINE_BODY_BYTES (1u << 20)
#define BULK_RECEIVE_BYTES (256L << 10)
#define BULK_SEND_BYTES (512L << 10)
#define DEFAULT_CONNECT_MS 15000

/* A refused option is a libcurl without the feature; what must hold (TLS, protocols) is checked by
 * the caller. */
#define SET(k, option, value) ((k)->t->api.easy_setopt((k)->easy, option, value))

static size_t receive(char *data, size_t size, size_t count, void *user)
{
	struct curl_task *k = user;
	size_t len = size * count;

	k->heard_ms = clock_now(k->t->clock);
	if (k->a->on_data(k->a, data, len) == 0)
		return len;
	k->callee_failure = true;
	return 0;
}

/* Also while libcurl sends what it has, so that a slow upload of one large buffer counts as alive.
 */
static size_t send_more(char *data, size_t size, size_t count, void *user)
{
	struct curl_task *k = user;
	const struct http_body *body = &k->a->request->body;
	uint64_t left = body->len - k->sent;
	size_t want = size * count < left ? size * count : (size_t)left;
	ssize_t n = (ssize_t)want;

	k->heard_ms = clock_now(k->t->clock);
	if (want && body->data) {
		memcpy(data, (const char *)body->data + k->sent, want);
	} else if (want) {
		do
			n = pread(body->fd, data, want, (off_t)(body->offset + k->sent));
		while (n < 0 && errno == EINTR);
		if (n <= 0) {
			curl_task_fail(k, false, ERR_SYS, "cannot read what is to be sent: %s",
						   n < 0 ? strerror(errno) : "the file became shorter");
			return CURL_READFUNC_ABORT;
		}
	}
	k->sent += (uint64_t)n;
	if (k->a->request->sent)
		k->a->request->sent(k->a->request->sent_user, k->sent, body->len);
	return (size_t)n;
}

/* libcurl rewinds when a kept connection turns out to be dead. */
static int seek(void *user, curl_off_t offset, int origin)
{
	struct curl_task *k = user;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > k->a->request->body.len)
		return CURL_SEEKFUNC_FAIL;
	k->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* The connection stands and the request goes out: from now on silence is counted. */
static int connected(void *user, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct curl_task *k = user;

	(void)remote_ip;
	(void)local_ip;
	(void)remote_port;
	(void)local_port;
	k->heard_ms = clock_now(k->t->clock);
	return CURL_PREREQFUNC_OK;
}

static void add_header(struct curl_task *k, const char *line)
{
	k->headers = k->t->api.slist_append(k->headers, line);
}

static void set_headers(struct curl_task *k, bool override_host)
{
	const struct http_headers *h = k->a->headers;
	AUTO(buf) struct buf line = {0};

	for (size_t i = 0; i < h->count; i++) {
		const char *value = h->items[i].value;

		if (line.data)
			buf_cut(&line, 0);
		buf_addf(&line, *value ? "%s: %s" : "%s;", h->items[i].name, value);
		add_header(k, line.data);
	}
	if (!http_headers_get(h,
						  "Expect")) /* libcurl would wait for a server that never says continue */
		add_header(k, "Expect:");
	if (!http_headers_get(h, "Content-Type"))
		add_header(k, "Content-Type:");
	if (override_host) {
		AUTO_FREE char *origin = url_origin(k->a->url);
		AUTO_FREE char *host = xasprintf("Host: %s", strstr(origin, "://") + 3);

		add_header(k, host);
	}
	SET(k, CURLOPT_HTTPHEADER, k->headers);
}

/* The name for SNI and certificate goes into the URL; the connection goes to where the URL really
 * points. */
static void set_url(struct curl_task *k, const char *server_name)
{
	const struct url *u = k->a->url;
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *to = NULL;

	if (!server_name) {
		text = url_text(u);
		SET(k, CURLOPT_URL, text);
		return;
	}
	text = xasprintf("%s://%s:%u%s", u->scheme, server_name, u->port, u->path);
	to = xasprintf("%s:%u:%s:%u", server_name, u->port, u->host, u->port);
	k->connect_to = k->t->api.slist_append(NULL, to);
	SET(k, CURLOPT_CONNECT_TO, k->connect_to);
	SET(k, CURLOPT_URL, text);
}

static bool wants_body(const char *method)
{
	return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
		   strcmp(method, "PATCH") == 0;
}

static void set_method(struct curl_task *k)
{
	const struct http_attempt *a = k->a;
	const struct http_body *body = &a->request->body;
	bool has_body = a->has_body;

	if (!has_body && strcmp(a->method, "HEAD") == 0) {
		SET(k, CURLOPT_NOBODY, 1L);
		return;
	}
	if (!has_body && !wants_body(a->method)) {
		SET(k, CURLOPT_HTTPGET, 1L);
		SET(k, CURLOPT_CUSTOMREQUEST, a->method);
		return;
	}
	if (!has_body || body->len == 0 || (body->data && body->len <= INLINE_BODY_BYTES)) {
		bool empty = !has_body || body->len == 0;

		SET(k, CURLOPT_POSTFIELDSIZE_LARGE, empty ? (curl_off_t)0 : (curl_off_t)body->len);
		SET(k, CURLOPT_POSTFIELDS, empty ? "" : body->data);
		k->sent = empty ? 0 : body->len;
	} else {
		SET(k, CURLOPT_UPLOAD, 1L);
		SET(k, CURLOPT_INFILESIZE_LARGE, (curl_off_t)body->len);
		SET(k, CURLOPT_READFUNCTION, send_more);
		SET(k, CURLOPT_READDATA, k);
		SET(k, CURLOPT_SEEKFUNCTION, seek);
		SET(k, CURLOPT_SEEKDATA, k);
		SET(k, CURLOPT_UPLOAD_BUFFERSIZE, BULK_SEND_BYTES);
	}
	SET(k, CURLOPT_CUSTOMREQUEST, a->method);
}

static int set_blob(struct curl_task *k, CURLoption option, const struct buf *pem)
{
	struct curl_blob blob = {pem->data, pem->len, CURL_BLOB_NOCOPY};

	return SET(k, option, &blob) == CURLE_OK ? 0 : -1;
}

static int set_tls(struct curl_task *k)
{
	const struct curl_keys *keys = &k->t->keys;
	bool verify = k->a->foreign || !k->t->options.tls.insecure;
	int rc = 0;

	if (SET(k, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L) != CURLE_OK ||
		SET(k, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L) != CURLE_OK ||
		SET(k, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) != CURLE_OK)
		return -1;
	/* A given CA replaces the system's, for the given origin. Without the folder of certificates
	 * libcurl keeps the parsed system bundle between connections, which saves 10 ms each. */
	if (!(k->a->foreign && keys->has_ca))
		SET(k, CURLOPT_CAPATH, NULL);
	if (keys->has_ca)
		rc |= set_blob(k, CURLOPT_CAINFO_BLOB, &keys->ca);
	if (keys->cert.data && !k->a->foreign) {
		rc |= set_blob(k, CURLOPT_SSLCERT_BLOB, &keys->cert);
		rc |= set_blob(k, CURLOPT_SSLKEY_BLOB, keys->key.data ? &keys->key : &keys->cert);
	}
	return rc;
}

static void set_reach(struct curl_task *k)
{
	const struct http_options *o = &k->t->options;
	bool tls = strcmp(k->a->url->scheme, "https") == 0;

	if (url_is_loopback(k->a->url))
		SET(k, CURLOPT_PROXY, "");
	else if (k->t->keys.proxy)
		SET(k, CURLOPT_PROXY, k->t->keys.proxy);
	SET(k, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(k, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(o->connect_timeout_ms ? o->connect_timeout_ms : DEFAULT_CONNECT_MS));
	if (k->a->request->bulk || !tls) {
		SET(k, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	} else {
		SET(k, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
		SET(k, CURLOPT_PIPEWAIT, 1L);
	}
	if (k->a->request->bulk)
		SET(k, CURLOPT_BUFFERSIZE, BULK_RECEIVE_BYTES);
	SET(k, CURLOPT_TCP_KEEPALIVE, 1L);
	SET(k, CURLOPT_TCP_KEEPIDLE, 15L);
	SET(k, CURLOPT_TCP_KEEPINTVL, 10L);
	SET(k, CURLOPT_QUICK_EXIT, 1L); /* do not wait for a resolver thread after Ctrl-C */
}

int curl_task_setup(struct curl_task *k, struct error *err)
{
	const char *server_name = k->a->foreign ? NULL : k->t->keys.server_name;

	SET(k, CURLOPT_PRIVATE, k);
	SET(k, CURLOPT_ERRORBUFFER, k->errbuf);
	SET(k, CURLOPT_NOSIGNAL, 1L);
	SET(k, CURLOPT_PATH_AS_IS, 1L);
	SET(k, CURLOPT_SHARE, k->t->share);
	SET(k, CURLOPT_HEADERFUNCTION, curl_task_header);
	SET(k, CURLOPT_HEADERDATA, k);
	SET(k, CURLOPT_WRITEFUNCTION, receive);
	SET(k, CURLOPT_WRITEDATA, k);
	SET(k, CURLOPT_PREREQFUNCTION, connected);
	SET(k, CURLOPT_PREREQDATA, k);
	set_url(k, server_name);
	set_headers(k, server_name != NULL);
	set_method(k);
	set_reach(k);
	if (SET(k, CURLOPT_FOLLOWLOCATION, 0L) != CURLE_OK ||
		SET(k, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) != CURLE_OK ||
		SET(k, CURLOPT_PROTOCOLS_STR, k->a->url->scheme) != CURLE_OK || set_tls(k) < 0)
		return err_set(err, ERR_SYS, "this libcurl lacks an option that is needed");
	return 0;
}
