/* exchange.h - one request on its way, through tries, redirects and authorization. Inside lib/http
 * only. */
#pragma once

#include "base/map.h"
#include "http/transport.h"

struct http_host {
	int running, running_bulk;
	int64_t not_before_ms; /* nobody asks this host again before */
	bool proven;           /* took a body from us: no need to ask with Expect first */
};

struct http_client {
	struct http_options options;
	struct http_transport *transport;
	const struct clock *clock;
	char *user_agent;
	struct http_exchange *head, *tail;
	struct map hosts;  /* origin -> struct http_host */
	struct map warned; /* texts of Warning headers that were shown */
};

struct http_exchange {
	struct http_exchange *prev, *next;
	struct http_client *client;
	struct http_request request;
	http_done_fn *done;
	void *user;

	/* the hop: reset by each try */
	struct url first, url;
	const char *method;
	bool has_body, foreign;
	int redirects;
	struct http_headers headers;
	struct http_host *host; /* NULL: to be found */
	int64_t begun_ms;

	/* over all tries */
	int tries;
	bool running, reauthorized, no_range;
	char *authorization;
	char *etag; /* strong; for If-Range */
	int64_t not_before_ms, active_ms;
	uint64_t delivered, resumed_at; /* of the 2xx body; where the last Range began */

	/* the try's outcome */
	struct http_response response;
	bool failed;   /* err says why; no retry */
	bool restart;  /* the answer does not continue what was delivered: once more, from 0 */
	bool headed;   /* the head of an answer came */
	bool body_cut; /* enough of an error's body */
	struct error err;
	struct http_attempt attempt;
};

/* Get ready for the next hop: checks, authorization, headers. -1: x->err. */
int http_exchange_prepare(struct http_exchange *x);
/* After an attempt ended: true when it is to be started again (not before x->not_before_ms), false
 * when it is done: x->failed and x->err, or x->response. */
bool http_exchange_again(struct http_exchange *x);
/* Forget where redirects led: the next attempt begins at the request's URL. */
int http_exchange_rewind(struct http_exchange *x, struct error *err);
void http_exchange_free(struct http_exchange *x);
/* Callbacks of the transport (answer.c). */
int http_answer_headers(struct http_attempt *a, int status, struct http_headers *headers);
int http_answer_data(struct http_attempt *a, const void *data, size_t len);
/* Did the whole body come? -1 with *err. */
int http_answer_complete(const struct http_exchange *x, struct error *err);
/* Point x at where the answer redirects it. -1 with *err when that is refused. */
int http_redirect_follow(struct http_exchange *x, const char *location, struct error *err);
bool http_is_redirect(int status);
