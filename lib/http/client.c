/* The queue: who may start now, who waits for whom, who is told. */
#include "http/client.h"

#include "base/auto.h"
#include "base/mem.h"
#include "http/exchange.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_CONNECTIONS 6
#define MAX_SMALL_RUNNING 32 /* requests to one host that are not bulk; they share connections */
#define LONG_WAIT_MS 3600000

int http_client_new(const struct http_options *options, struct http_client **out, struct error *err)
{
	struct http_client *c = xcalloc(1, sizeof(*c));

	c->options = *options;
	if (!c->options.max_tries)
		c->options.max_tries = HTTP_MAX_TRIES;
	if (!c->options.max_connections)
		c->options.max_connections = DEFAULT_CONNECTIONS;
	c->clock = options->clock ? options->clock : &clock_system;
	c->user_agent = xstrdup(options->user_agent ? options->user_agent : "msctl/" MSCTL_VERSION);
	c->transport = options->transport;
	if (!c->transport && http_curl_new(&c->options, &c->transport, err) < 0) {
		http_client_free(c);
		return -1;
	}
	*out = c;
	return 0;
}

static void enqueue(struct http_client *c, struct http_exchange *x)
{
	x->next = NULL;
	x->prev = c->tail;
	*(c->tail ? &c->tail->next : &c->head) = x;
	c->tail = x;
}

static void dequeue(struct http_client *c, struct http_exchange *x)
{
	*(x->prev ? &x->prev->next : &c->head) = x->next;
	*(x->next ? &x->next->prev : &c->tail) = x->prev;
}

static void set_running(struct http_exchange *x, bool running)
{
	int step = running ? 1 : -1;

	x->running = running;
	if (x->request.bulk)
		x->host->running_bulk += step;
	else
		x->host->running += step;
}

void http_abort(struct http_client *c, struct http_exchange *x)
{
	if (x->running) {
		c->transport->stop(c->transport, &x->attempt);
		set_running(x, false);
	}
	dequeue(c, x);
	http_exchange_free(x);
}

static void abort_all(struct http_client *c)
{
	while (c->head)
		http_abort(c, c->head);
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	abort_all(c);
	if (c->transport && c->transport != c->options.transport)
		c->transport->free(c->transport);
	for (size_t i = 0; i < c->hosts.count; i++)
		free(c->hosts.entries[i].value);
	map_release(&c->hosts);
	map_release(&c->warned);
	free(c->user_agent);
	free(c);
}

struct http_exchange *http_start(struct http_client *c, const struct http_request *request,
								 http_done_fn *done, void *user)
{
	struct http_exchange *x = xcalloc(1, sizeof(*x));

	x->client = c;
	x->request = *request;
	x->done = done;
	x->user = user;
	if (!x->request.data && !x->request.max_bytes)
		x->request.max_bytes = HTTP_MAX_DOCUMENT_BYTES;
	x->failed = http_exchange_rewind(x, &x->err) < 0;
	enqueue(c, x);
	return x;
}

static struct http_host *find_host(struct http_client *c, const struct url *url)
{
	AUTO_FREE char *origin = url_origin(url);
	struct http_host *host = map_get(&c->hosts, origin);

	if (!host) {
		host = xcalloc(1, sizeof(*host));
		map_put(&c->hosts, origin, host);
	}
	return host;
}

/* Tell whoever started it; the exchange is gone afterwards. */
static int finish(struct http_client *c, struct http_exchange *x, struct error *err)
{
	int rc;

	dequeue(c, x);
	rc = x->done(x->user, x->failed ? NULL : &x->response, x->failed ? &x->err : err);
	if (rc < 0 && x->failed)
		*err = x->err;
	http_exchange_free(x);
	return rc;
}

static bool has_room(const struct http_client *c, const struct http_exchange *x)
{
	if (x->request.stream) /* lives as long as its user likes: it must not hold up others */
		return true;
	if (x->request.bulk)
		return x->host->running_bulk < c->options.max_connections;
	return x->host->running < MAX_SMALL_RUNNING;
}

/* Milliseconds until the next exchange may start, 0: x may start, -1: when another one ends. */
static int64_t until_start(const struct http_client *c, const struct http_exchange *x, int64_t now)
{
	int64_t at =
		x->not_before_ms > x->host->not_before_ms ? x->not_before_ms : x->host->not_before_ms;

	/* waiting longer is of no use: it starts in time to say so */
	if (c->options.deadline_ms && at > c->options.deadline_ms)
		at = c->options.deadline_ms;
	if (at > now)
		return at - now;
	return has_room(c, x) ? 0 : -1;
}

/* Start what may start. 0 with the time until more may (or *wait as it was), 1 after an exchange
 * was finished (the list may be another one now), -1 when `done` failed. */
static int dispatch(struct http_client *c, int64_t *wait, struct error *err)
{
	int64_t now = clock_now(c->clock);

	for (struct http_exchange *x = c->head; x; x = x->next) {
		int64_t ms;

		if (x->running)
			continue;
		if (x->failed)
			return finish(c, x, err) < 0 ? -1 : 1;
		if (!x->host)
			x->host = find_host(c, &x->url);
		ms = until_start(c, x, now);
		if (ms > 0 && ms < *wait)
			*wait = ms;
		if (ms != 0)
			continue;
		if (http_exchange_prepare(x) < 0)
			continue;
		if (c->transport->start(c->transport, &x->attempt, &x->err) < 0)
			x->failed = true;
		else
			set_running(x, true);
	}
	for (struct http_exchange *x = c->head; x; x = x->next)
		if (x->failed && !x->running)
			return finish(c, x, err) < 0 ? -1 : 1;
	return 0;
}

/* Everything that ended meanwhile. */
static int collect(struct http_client *c, int64_t wait, struct error *err)
{
	struct http_attempt *a = c->transport->poll(c->transport, wait);

	for (; a; a = c->transport->poll(c->transport, 0)) {
		struct http_exchange *x = a->owner;

		set_running(x, false);
		if (!http_exchange_again(x) && finish(c, x, err) < 0)
			return -1;
	}
	return 0;
}

/* Run until *until is set (NULL: until nothing is left). */
static int run(struct http_client *c, int64_t wait_ms, const bool *until, struct error *err)
{
	int64_t end = wait_ms < 0 ? 0 : clock_now(c->clock) + wait_ms;

	while (c->head && !(until && *until)) {
		int64_t wait = LONG_WAIT_MS;
		int rc;

		if (cancel_check(c->options.cancel, err) < 0)
			return -1;
		rc = dispatch(c, &wait, err);
		if (rc < 0)
			return -1;
		if (rc > 0)
			continue;
		if (wait_ms >= 0) {
			int64_t left = end - clock_now(c->clock);

			if (left < wait)
				wait = left > 0 ? left : 0;
		}
		if (collect(c, wait, err) < 0)
			return -1;
		if (wait_ms >= 0 && c->head && clock_now(c->clock) >= end)
			return 1;
	}
	return 0;
}

int http_run(struct http_client *c, int64_t wait_ms, struct error *err)
{
	int rc = run(c, wait_ms, NULL, err);

	if (rc < 0)
		abort_all(c);
	return rc;
}

struct sent {
	bool done;
	bool failed;
	struct http_response response;
	struct error err;
};

static int note_answer(void *user, struct http_response *response, struct error *err)
{
	struct sent *s = user;

	s->done = true;
	s->failed = !response;
	if (response)
		s->response = MOVE(*response);
	else
		s->err = *err;
	return 0;
}

int http_send(struct http_client *c, const struct http_request *request,
			  struct http_response *response, struct error *err)
{
	struct sent s = {0};
	struct http_exchange *x = http_start(c, request, note_answer, &s);

	if (run(c, -1, &s.done, err) < 0) {
		if (!s.done)
			http_abort(c, x);
		http_response_release(&s.response);
		return -1;
	}
	if (s.failed) {
		*err = s.err;
		return -1;
	}
	*response = s.response;
	return 0;
}
