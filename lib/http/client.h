/* client.h - the HTTP client: many exchanges in flight over few connections, one thread.
 *
 * What it takes care of, and nobody else: connection reuse, HTTP/2 where the server offers it (one
 * connection, many streams; bulk bodies go over HTTP/1.1 connections), time limits, bounded bodies,
 * retries with full jitter and Retry-After, shared by all exchanges with one host; one new
 * authorization after a 401; redirects, by hand: 301 302 303 307 308, at most HTTP_MAX_REDIRECTS,
 * the method stays (303: GET, HEAD stays HEAD). To another origin only GET and HEAD go, with no
 * Authorization, no client certificate, no header of the request but Accept and Range, no
 * `insecure`. Never from https to http, never from a public host to a loopback, link-local or
 * private address (ERR_DENIED).
 *
 * http to a host that is not loopback is ERR_DENIED unless allow_plain. "Warning: 299" headers
 * become progress notes, once each. An answer in a Content-Encoding is ERR_NET (none is asked for).
 *
 * The client does not know what a registry or Kubernetes is. It runs on a transport (transport.h),
 * so unit tests script answers and turn a fake clock. netrc, cookies, alt-svc and libcurl's own
 * redirects are off. */
#pragma once

#include "base/auto.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "http/headers.h"
#include "http/url.h"

#include <stdbool.h>
#include <stdint.h>

#define HTTP_MAX_REDIRECTS 5
#define HTTP_MAX_ERROR_BYTES (64u << 10)   /* of a body that only explains a failure */
#define HTTP_MAX_DOCUMENT_BYTES (4u << 20) /* manifests, configs, indexes */
#define HTTP_MAX_TOKEN_BYTES (1u << 20)
#define HTTP_MAX_RETRY_AFTER_MS 60000
#define HTTP_MAX_TRIES 5

struct http_client;
struct http_transport;

/* Bytes to send: from memory, or from a file from offset on. The client can start anew from the
 * beginning. */
struct http_body {
	const void *data; /* NULL: use fd; fd < 0 as well: no body */
	int fd;
	uint64_t offset;
	uint64_t len;
};

struct http_request {
	const char *method;
	const char *url;
	struct http_headers headers; /* never Authorization: that is the auth callback's */
	bool has_body;               /* a body of length 0 is a body */
	struct http_body body;

	/* Where a 2xx body goes. NULL: collected in the response, at most max_bytes (0:
	 * HTTP_MAX_DOCUMENT_BYTES). `start` is called before the first piece of each try with the
	 * status and headers (offset: what of the body was delivered before; 0 unless `resume`: then
	 * begin anew); `data` returns -1 with *err filled to give up. Without `start` there is no retry
	 * once data came. A 206 that continues a body is told as 200. */
	int (*start)(void *user, int status, const struct http_headers *headers, uint64_t offset,
				 struct error *err);
	int (*data)(void *user, const void *data, size_t len, struct error *err);
	void *sink;
	uint64_t max_bytes;      /* more is ERR_INPUT */
	uint64_t expected_bytes; /* 0: unknown. A 2xx body of another length is ERR_NET */
	bool resume; /* a GET with `data` that breaks off goes on with Range where the server can */

	bool bulk;   /* a large body in either direction: HTTP/1.1 */
	bool stream; /* endless answer (watch, log -f): no total time limit, no retry once data came */
	bool no_retry;      /* not idempotent */
	int64_t timeout_ms; /* whole exchange, waiting for the next try not counted; 0: 60 s unless bulk
						   or stream */
	void (*sent)(void *user, uint64_t done, uint64_t total); /* upload progress; may be NULL */
	void *sent_user;
};

void http_request_release(struct http_request *r); /* releases the headers only */

struct http_response {
	int status;
	struct http_headers headers;
	struct buf body; /* of error answers at most HTTP_MAX_ERROR_BYTES */
	char *url;       /* where the answer came from, after redirects */
};

void http_response_release(struct http_response *r);

/* Who may speak for whom. `get` is asked before each request with denied == NULL, and once more
 * after a 401 with the answer. It returns 1 with the value of the Authorization header, 0 for none
 * (or: no better one), -1 with *err. It is never asked for a redirect to another origin. It may
 * send requests of its own, on another client. */
struct http_auth {
	int (*get)(void *user, const struct http_request *request, const struct http_response *denied,
			   struct buf *value, struct error *err);
	void *user;
};

/* TLS and reach of one client. Read when the client is made. Zeroed: the system's CAs, environment
 * proxies. */
struct http_tls {
	const char *ca_file; /* replaces the system's roots when set */
	struct span ca_pem;  /* the same from memory; wins over ca_file */
	const char *cert_file, *key_file;
	struct span cert_pem, key_pem;
	const char *server_name; /* name in SNI and certificate when it is not the URL's host */
	bool insecure;           /* no verification at all */
};

struct http_options {
	struct http_transport *transport; /* NULL: libcurl */
	const struct clock *clock;        /* NULL: the system's */
	const struct cancel *cancel;
	const struct log *log;
	const struct progress *progress; /* notes such as "waiting 20s: rate limited by HOST" */
	const struct http_auth *auth;
	struct http_tls tls;
	const char *proxy;          /* URL; NULL: from the environment; "" none */
	const char *user_agent;     /* NULL: "msctl/VERSION" */
	int max_tries;              /* 0: HTTP_MAX_TRIES */
	int64_t connect_timeout_ms; /* 0: 15 s */
	int64_t stall_timeout_ms;   /* no byte for so long; 0: 20 s */
	int64_t
		deadline_ms; /* by the clock: nothing is tried, waited for or received after it; 0: none */
	int max_connections; /* to one host; 0: 6 */
	bool allow_plain;    /* http to hosts that are not loopback */
};

/* Options are copied, proxy, user_agent and tls with what they point to; the rest that they point
 * to is borrowed. ERR_SYS when libcurl cannot be loaded. */
int http_client_new(const struct http_options *options, struct http_client **out,
					struct error *err);
void http_client_free(struct http_client *c);
DEFINE_AUTO_PTR(http_client)

/* Send one request and wait. 0 whenever an HTTP answer came, whatever its status (also one that
 * kept failing after the retries); -1: ERR_NET (no answer, broken answer, time limit), ERR_DENIED
 * (TLS verification), ERR_INPUT (body over its cap), ERR_INTERRUPTED, or what auth or the sink
 * returned. */
int http_send(struct http_client *c, const struct http_request *request,
			  struct http_response *response, struct error *err);

/* Many at once. http_start queues a copy of *request (what it points to is borrowed until done).
 * `done` is called from http_run exactly once for each: with the response (the callee may MOVE its
 * members out) or, response NULL, with the error. It may start further requests. It returns -1 with
 * *err filled to end http_run. */
typedef int http_done_fn(void *user, struct http_response *response, struct error *err);
struct http_exchange;
struct http_exchange *http_start(struct http_client *c, const struct http_request *request,
								 http_done_fn *done, void *user);
/* Forget an exchange that was started and is not done; `done` is not called. */
void http_abort(struct http_client *c, struct http_exchange *x);
/* Run until nothing is left (0), `done` failed (-1), cancel (-1, ERR_INTERRUPTED), or wait_ms
 * passed (1; negative: no limit). After -1 all that is left is aborted. */
int http_run(struct http_client *c, int64_t wait_ms, struct error *err);

/* "GET https://host/path: 403 Forbidden" started in *err with the class of the status: 401 403
 * DENIED, 404 MISSING, 409 CONFLICT, 400 413 415 422 INPUT, else NET. Query values are left out.
 * Returns -1. */
int http_status_error(const struct http_request *request, const struct http_response *response,
					  struct error *err);
