/* transport.h - what carries one exchange. libcurl in the product (curl.c), a script in unit tests.
 *
 * A transport moves exactly one request to one origin: no redirects, no retries, no authorization
 * of its own. */
#pragma once

#include "http/client.h"

/* One attempt. The client owns it; the transport fills it and calls the functions. */
struct http_attempt {
	/* in */
	const struct http_request *request; /* for body, bulk, stream, sent; method and URL are below */
	const char *method;                 /* of this attempt: a 303 turns a POST into a GET */
	bool has_body;
	const struct url *url;              /* of this attempt */
	const struct http_headers *headers; /* complete: request's, Authorization, Range, User-Agent */
	bool foreign; /* another origin than the request's: client certificate, server_name, insecure
					 are not for it */
	int64_t timeout_ms; /* 0: none */
	void *owner;        /* the client's */
	/* Called once per attempt when the final header block is complete, then for each piece of body.
	 * -1 ends it; the attempt is then reported failed. The callee may move the content of *headers
	 * away. */
	int (*on_headers)(struct http_attempt *a, int status, struct http_headers *headers);
	int (*on_data)(struct http_attempt *a, const void *data, size_t len);
	/* out, set before the transport reports it done */
	int failed;       /* 0: an answer came completely */
	bool can_retry;   /* the failure is of the passing kind (reset, time out, GOAWAY) */
	bool unreachable; /* no connection came about (refused, no such host): fewer tries */
	struct error err; /* when failed */
	void *handle;     /* the transport's */
};

struct http_transport {
	int (*start)(struct http_transport *t, struct http_attempt *a, struct error *err);
	void (*stop)(struct http_transport *t, struct http_attempt *a); /* forget a running attempt */
	/* Wait at most wait_ms for something to happen (0: only look); returns a finished attempt or
	 * NULL. May return NULL early. Returns soon after a cancel. With nothing running it is how the
	 * client sleeps. */
	struct http_attempt *(*poll)(struct http_transport *t, int64_t wait_ms);
	void (*free)(struct http_transport *t);
};

/* The libcurl transport; loads libcurl. ERR_SYS; ERR_INPUT and the like for a CA or key file that
 * cannot be read. */
int http_curl_new(const struct http_options *options, struct http_transport **out,
				  struct error *err);
