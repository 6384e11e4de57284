#include "http/exchange.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/retry.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_TIMEOUT_MS 60000
#define EXPECT_FROM_BYTES (1u << 20)
#define PROGRESS_THAT_COUNTS (1u << 20) /* a resumed body that grew so far does not fail */
#define SHORTEST_SECRET 4               /* shorter ones are no secret, and part of other words */
#define NOTE_FROM_MS 1000               /* shorter waits are not worth a word */
#define UNREACHABLE_TRIES 3             /* nobody there is rarely a passing state: answer soon */

void http_exchange_free(struct http_exchange *x)
{
	url_release(&x->first);
	url_release(&x->url);
	http_headers_release(&x->headers);
	http_response_release(&x->response);
	free(x->authorization);
	free(x->etag);
	free(x);
}

static int give_up(struct http_exchange *x)
{
	x->failed = true;
	return -1;
}

/* "GET https://host/path: what happened": with the request's URL, also where a redirect led
 * elsewhere. */
static void name_request(struct http_exchange *x)
{
	AUTO_FREE char *label = x->first.host ? url_label(&x->first) : NULL;

	if (label)
		err_wrap(&x->err, "%s %s", x->request.method, label);
}

int http_exchange_rewind(struct http_exchange *x, struct error *err)
{
	struct url url = {0};

	if (url_parse(x->request.url, &url, err) < 0)
		return -1;
	if (!x->first.host && url_parse(x->request.url, &x->first, err) < 0)
		return -1;
	url_release(&x->url);
	x->url = url;
	x->host = NULL;
	x->method = x->request.method;
	x->has_body = x->request.has_body;
	x->foreign = false;
	x->redirects = 0;
	free(x->authorization);
	x->authorization = NULL;
	return 0;
}

static int ask_auth(struct http_exchange *x, const struct http_response *denied)
{
	const struct http_auth *auth = x->client->options.auth;
	AUTO(buf) struct buf value = {0};
	int rc;

	if (!auth)
		return 0;
	rc = auth->get(auth->user, &x->request, denied, &value, &x->err);
	if (rc < 0)
		return -1;
	for (size_t i = 0; i < value.len; i++)
		if (iscntrl((unsigned char)value.data[i]))
			return err_set(&x->err, ERR_INPUT, "the credentials contain control characters");
	if (rc == 1) {
		free(x->authorization);
		x->authorization = xstrdup(buf_str(&value));
	}
	return rc;
}

static int check_plain(struct http_exchange *x)
{
	if (strcmp(x->url.scheme, "https") == 0 || x->client->options.allow_plain ||
		url_is_loopback(&x->url))
		return 0;
	err_set(&x->err, ERR_DENIED, "plain http to %s is not allowed", x->url.host);
	return err_hint(&x->err, "use https, or pass --plain-http if you trust the network to %s",
					x->url.host);
}

/* What a stranger may see of the request's own headers. */
static bool is_harmless(const char *name)
{
	return strcasecmp(name, "Accept") == 0 || strcasecmp(name, "Range") == 0;
}

static void add_range(struct http_exchange *x)
{
	AUTO_FREE char *range = NULL;

	x->resumed_at = 0;
	if (!x->request.resume || !x->request.data || x->no_range || x->delivered == 0 ||
		http_headers_get(&x->request.headers, "Range"))
		return;
	x->resumed_at = x->delivered;
	range = xasprintf("bytes=%" PRIu64 "-", x->delivered);
	http_headers_add(&x->headers, "Range", range);
	if (x->etag)
		http_headers_add(&x->headers, "If-Range", x->etag);
}

static void make_headers(struct http_exchange *x)
{
	const struct http_headers *own = &x->request.headers;

	http_headers_release(&x->headers);
	for (size_t i = 0; i < own->count; i++)
		if (!x->foreign || is_harmless(own->items[i].name))
			http_headers_add(&x->headers, own->items[i].name, own->items[i].value);
	if (!x->foreign && x->authorization)
		http_headers_add(&x->headers, "Authorization", x->authorization);
	add_range(x);
	http_headers_add(&x->headers, "User-Agent", x->client->user_agent);
	if (x->has_body && x->request.bulk && x->request.body.len > EXPECT_FROM_BYTES &&
		!x->host->proven)
		http_headers_add(&x->headers, "Expect", "100-continue");
}

static int64_t total_timeout(const struct http_exchange *x)
{
	const struct http_request *r = &x->request;

	return r->timeout_ms || r->bulk || r->stream ? r->timeout_ms : DEFAULT_TIMEOUT_MS;
}

/* What is left of the client's time clamps what the request may take. */
static int clamp_to_deadline(struct http_exchange *x)
{
	int64_t deadline = x->client->options.deadline_ms;
	int64_t left = deadline - clock_now(x->client->clock);

	if (!deadline)
		return 0;
	if (left <= 0) {
		err_set(&x->err, ERR_NET, "the time that was set is over");
		return err_hint(&x->err, "give it more with --timeout");
	}
	if (!x->attempt.timeout_ms || x->attempt.timeout_ms > left)
		x->attempt.timeout_ms = left;
	return 0;
}

int http_exchange_prepare(struct http_exchange *x)
{
	struct http_attempt *a = &x->attempt;
	int64_t total = total_timeout(x);

	x->restart = x->body_cut = x->headed = false;
	if (check_plain(x) < 0 || (x->redirects == 0 && !x->authorization && ask_auth(x, NULL) < 0)) {
		name_request(x);
		return give_up(x);
	}
	make_headers(x);
	*a = (struct http_attempt){
		.request = &x->request,
		.method = x->method,
		.has_body = x->has_body,
		.url = &x->url,
		.headers = &x->headers,
		.foreign = x->foreign,
		.owner = x,
		.on_headers = http_answer_headers,
		.on_data = http_answer_data,
	};
	if (total)
		a->timeout_ms = total > x->active_ms ? total - x->active_ms : 1;
	if (clamp_to_deadline(x) < 0) {
		name_request(x);
		return give_up(x);
	}
	if (x->redirects == 0)
		x->tries++;
	x->begun_ms = clock_now(x->client->clock);
	return 0;
}

static void tell_wait(struct http_exchange *x, int64_t delay_ms, const char *why)
{
	struct progress_event event = {.kind = PROGRESS_NOTE};
	AUTO_FREE char *text = NULL;
	char wait[16];

	text = xasprintf("waiting %s: %s", text_duration(delay_ms, wait), why);
	log_line(x->client->options.log, 1, "%s (try %d of %d)", text, x->tries,
			 x->client->options.max_tries);
	if (delay_ms < NOTE_FROM_MS)
		return;
	event.text = text;
	progress_emit(x->client->options.progress, &event);
}

/* Wait, and let everybody wait who wants something of the same host: it is as sick for them. */
static bool back_off(struct http_exchange *x, const char *why, int64_t retry_after)
{
	int64_t now = clock_now(x->client->clock);
	int64_t delay = retry_jitter_ms(x->tries);

	if (retry_after > delay)
		delay = retry_after;
	if (x->client->options.deadline_ms && now + delay >= x->client->options.deadline_ms)
		return false;
	x->not_before_ms = now + delay;
	if (x->host->not_before_ms < x->not_before_ms) {
		x->host->not_before_ms = x->not_before_ms;
		tell_wait(x, delay, why);
	}
	return http_exchange_rewind(x, &x->err) == 0;
}

static bool may_retry(struct http_exchange *x)
{
	const struct http_request *r = &x->request;
	int64_t total = total_timeout(x);

	if (x->resumed_at && x->delivered >= x->resumed_at + PROGRESS_THAT_COUNTS)
		x->tries = 1;
	if (r->no_retry || x->tries >= x->client->options.max_tries || (total && x->active_ms >= total))
		return false;
	if (x->delivered == 0)
		return true;
	return !r->stream && (!r->data || r->start || r->resume);
}

static bool retry_answer(struct http_exchange *x)
{
	const char *value = http_headers_get(&x->response.headers, "Retry-After");
	int status = x->response.status;
	AUTO_FREE char *why = NULL;

	if (!retry_status(status) || !may_retry(x))
		return false;
	why = status == 429 ? xasprintf("rate limited by %s", x->url.host)
						: xasprintf("%s answered %d", x->url.host, status);
	return back_off(x, why,
					retry_after_ms(value, x->client->clock->wall_s(x->client->clock->user)));
}

static bool retry_failure(struct http_exchange *x)
{
	bool passing = x->attempt.can_retry;

	if (x->restart) {
		err_set(&x->err, ERR_NET, "the server continues at another byte than asked");
		x->no_range = true;
		x->delivered = 0;
		passing = true;
	} else {
		x->err = x->attempt.err;
	}
	if (x->attempt.unreachable && x->tries >= UNREACHABLE_TRIES)
		passing = false;
	if (passing && may_retry(x) && back_off(x, x->err.msg, 0))
		return true;
	name_request(x);
	give_up(x);
	return false;
}

static bool follow(struct http_exchange *x)
{
	const char *location = http_headers_get(&x->response.headers, "Location");

	if (!location)
		return false;
	if (http_redirect_follow(x, location, &x->err) < 0) {
		name_request(x);
		give_up(x);
		return false;
	}
	return true;
}

static bool authorize_anew(struct http_exchange *x)
{
	int rc;

	if (!x->client->options.auth || x->reauthorized || x->foreign)
		return false;
	x->reauthorized = true;
	rc = ask_auth(x, &x->response);
	if (rc < 0) {
		name_request(x);
		give_up(x);
	}
	if (rc != 1)
		return false;
	x->tries--; /* the question was not heard: no try is used up */
	if (x->redirects) {
		AUTO_FREE char *value = TAKE(x->authorization);

		if (http_exchange_rewind(x, &x->err) < 0)
			return false;
		x->authorization = TAKE(value);
	}
	return true;
}

/* Some servers repeat in a refusal what they were sent, and refusals are shown. In place: the body
 * stays what it is. */
static void mask_credential(struct http_exchange *x)
{
	const char *secret = x->authorization ? strchr(x->authorization, ' ') : NULL;
	struct buf *body = &x->response.body;
	size_t len = secret ? strlen(++secret) : 0;
	char *at = body->data;

	if (x->response.status < 300 || len < SHORTEST_SECRET)
		return;
	while (at && (at = memmem(at, body->len - (size_t)(at - body->data), secret, len))) {
		memset(at, '*', len);
		at += len;
	}
}

static bool judge_answer(struct http_exchange *x)
{
	int status = x->response.status;

	if (http_is_redirect(status))
		return follow(x);
	if (status == 401)
		return authorize_anew(x);
	if (status == 416 && x->resumed_at) {
		x->restart = true;
		return retry_failure(x);
	}
	if (http_answer_complete(x, &x->attempt.err) < 0) {
		x->attempt.can_retry = true;
		return retry_failure(x);
	}
	if (x->has_body && status < 300)
		x->host->proven = true;
	return retry_answer(x);
}

bool http_exchange_again(struct http_exchange *x)
{
	struct http_client *c = x->client;
	int64_t took = clock_now(c->clock) - x->begun_ms;
	/* an error that was told, if not to its end, is an answer */
	bool told = x->headed && x->response.status >= 300;
	bool broken = x->attempt.failed && !x->body_cut && !told;
	bool again;

	x->active_ms += took;
	if (c->options.log && c->options.log->level >= 2) {
		AUTO_FREE char *label = url_label(&x->url);
		char time[16];

		if (broken)
			log_line(c->options.log, 2, "%s %s: %s (%s)", x->method, label,
					 x->failed ? x->err.msg : x->attempt.err.msg, text_duration(took, time));
		else
			log_line(c->options.log, 2, "%s %s: %d (%s)", x->method, label, x->response.status,
					 text_duration(took, time));
	}
	if (x->failed) {
		name_request(x);
		return false;
	}
	again = broken ? retry_failure(x) : judge_answer(x);
	if (!again && !x->failed) {
		x->response.url = url_text(&x->url);
		mask_credential(x);
	}
	return again;
}
