/* The libcurl transport: one multi handle, easy handles reused, libcurl's own clocks replaced by
 * ours where it counts silence in whole seconds and not at all while it waits for an answer. */
#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/curl_api.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_STALL_MS 20000
#define MAX_IDLE_HANDLES 16
/* A registry stores gigabytes before it answers: silence after a large body is no stall yet. */
#define COMMIT_STALLS 6

static void task_clear(struct curl_task *k)
{
	struct curl_api *api = &k->t->api;
	struct curl_task cleared = {.t = k->t, .easy = k->easy, .length = -1};

	api->easy_reset(k->easy);
	api->slist_free_all(k->headers);
	api->slist_free_all(k->connect_to);
	http_headers_release(&k->head);
	*k = cleared;
}

static void task_free(struct curl_task *k)
{
	k->t->api.easy_cleanup(k->easy);
	free(k);
}

static struct curl_task *task_get(struct curl_transport *t, struct error *err)
{
	struct curl_task *k = t->idle;

	if (k) {
		t->idle = k->next;
		t->idle_count--;
		k->next = NULL;
		return k;
	}
	k = xcalloc(1, sizeof(*k));
	k->t = t;
	k->length = -1;
	k->easy = t->api.easy_init();
	if (k->easy)
		return k;
	free(k);
	err_set(err, ERR_SYS, "libcurl gives no handle");
	return NULL;
}

static void task_put(struct curl_task *k)
{
	struct curl_transport *t = k->t;

	task_clear(k);
	if (t->idle_count >= MAX_IDLE_HANDLES) {
		task_free(k);
		return;
	}
	k->next = t->idle;
	t->idle = k;
	t->idle_count++;
}

/* One more connection than bulk bodies may take, so that questions do not queue behind them; and
 * one for each stream. */
static void limit_connections(struct curl_transport *t)
{
	t->api.multi_setopt(t->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
						(long)t->options.max_connections + 1 + t->streams);
}

static void task_end(struct curl_task *k)
{
	struct curl_transport *t = k->t;

	if (k->a->request->stream) {
		t->streams--;
		limit_connections(t);
	}
	t->api.multi_remove_handle(t->multi, k->easy);
	*(k->prev ? &k->prev->next : &t->tasks) = k->next;
	if (k->next)
		k->next->prev = k->prev;
	k->a->handle = NULL;
	task_put(k);
}

static int start(struct http_transport *base, struct http_attempt *a, struct error *err)
{
	struct curl_transport *t = (struct curl_transport *)base;
	struct curl_task *k = task_get(t, err);

	if (!k)
		return -1;
	k->a = a;
	k->begun_ms = clock_now(t->clock);
	if (curl_task_setup(k, err) < 0) {
		task_put(k);
		return -1;
	}
	if (t->api.multi_add_handle(t->multi, k->easy) != CURLM_OK) {
		task_put(k);
		return err_set(err, ERR_SYS, "libcurl takes no more requests");
	}
	a->handle = k;
	if (a->request->stream) {
		t->streams++;
		limit_connections(t);
	}
	k->next = t->tasks;
	if (t->tasks)
		t->tasks->prev = k;
	t->tasks = k;
	return 0;
}

static void stop(struct http_transport *base, struct http_attempt *a)
{
	(void)base;
	if (a->handle)
		task_end(a->handle);
}

static struct http_attempt *report(struct curl_task *k, CURLcode code)
{
	struct http_attempt *a = k->a;

	a->failed = code != CURLE_OK || k->own_failure || k->callee_failure;
	if (a->failed && !k->callee_failure)
		curl_task_explain(k, code);
	if (code == CURLE_OK && !k->in_body && !k->own_failure) {
		a->failed = 1;
		a->can_retry = true;
		err_set(&a->err, ERR_NET, "invalid HTTP answer from %s: no head", a->url->host);
	}
	task_end(k);
	return a;
}

static struct http_attempt *next_finished(struct curl_transport *t)
{
	CURLMsg *message;
	int left;

	while ((message = t->api.multi_info_read(t->multi, &left))) {
		struct curl_task *k = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		t->api.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &k);
		return report(k, code);
	}
	return NULL;
}

/* When silence becomes a failure; INT64_MAX: never. Streams may be silent for ever, keepalives find
 * dead peers. A server may think about a small request (webhooks take 30 s) as long as its total
 * time allows. */
static int64_t stall_at(const struct curl_task *k)
{
	const struct http_request *r = k->a->request;
	int64_t limit = k->t->options.stall_timeout_ms;

	if (!k->heard_ms || (r->stream && k->in_body) || (!r->bulk && !k->status && k->a->timeout_ms))
		return INT64_MAX;
	if (!limit)
		limit = DEFAULT_STALL_MS;
	if (r->bulk && k->sent > 0 && k->sent == r->body.len && !k->in_body)
		limit *= COMMIT_STALLS;
	return k->heard_ms + limit;
}

static int64_t total_at(const struct curl_task *k)
{
	return k->a->timeout_ms ? k->begun_ms + k->a->timeout_ms : INT64_MAX;
}

static struct http_attempt *next_overdue(struct curl_transport *t, int64_t now)
{
	char time[16];

	for (struct curl_task *k = t->tasks; k; k = k->next) {
		if (now >= total_at(k))
			curl_task_fail(k, true, ERR_NET, "%s did not finish within %s", k->a->url->host,
						   text_duration(now - k->begun_ms, time));
		else if (now >= stall_at(k))
			curl_task_fail(k, true, ERR_NET, "%s has been silent for %s", k->a->url->host,
						   text_duration(now - k->heard_ms, time));
		else
			continue;
		return report(k, CURLE_OK);
	}
	return NULL;
}

static int64_t until_overdue(const struct curl_transport *t, int64_t now)
{
	int64_t first = INT64_MAX;

	for (const struct curl_task *k = t->tasks; k; k = k->next) {
		if (total_at(k) < first)
			first = total_at(k);
		if (stall_at(k) < first)
			first = stall_at(k);
	}
	return first == INT64_MAX ? INT_MAX : first > now ? first - now : 0;
}

static struct http_attempt *look(struct curl_transport *t)
{
	struct http_attempt *a;
	int running;

	t->api.multi_perform(t->multi, &running);
	a = next_finished(t);
	return a ? a : next_overdue(t, clock_now(t->clock));
}

static struct http_attempt *poll_once(struct http_transport *base, int64_t wait_ms)
{
	struct curl_transport *t = (struct curl_transport *)base;
	const struct cancel *cancel = t->options.cancel;
	struct curl_waitfd extra = {.fd = cancel ? cancel->fd : -1, .events = CURL_WAIT_POLLIN};
	struct http_attempt *a = next_finished(t);
	int64_t most;

	if (!a)
		a = look(t);
	if (a || wait_ms <= 0 || cancel_requested(cancel))
		return a;
	most = until_overdue(t, clock_now(t->clock));
	if (wait_ms < most)
		most = wait_ms;
	t->api.multi_poll(t->multi, extra.fd >= 0 ? &extra : NULL, extra.fd >= 0 ? 1 : 0,
					  most > INT_MAX ? INT_MAX : (int)most, NULL);
	return look(t);
}

static void transport_free(struct http_transport *base)
{
	struct curl_transport *t = (struct curl_transport *)base;

	while (t->tasks)
		task_end(t->tasks);
	while (t->idle) {
		struct curl_task *k = t->idle;

		t->idle = k->next;
		task_free(k);
	}
	if (t->multi)
		t->api.multi_cleanup(t->multi);
	if (t->share)
		t->api.share_cleanup(t->share);
	if (t->api.global_cleanup)
		t->api.global_cleanup();
	curl_keys_release(&t->keys);
	free(t);
}

static int open_handles(struct curl_transport *t, struct error *err)
{
	struct curl_api *api = &t->api;

	if (api->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, ERR_SYS, "libcurl does not start");
	t->multi = api->multi_init();
	t->share = api->share_init();
	if (!t->multi || !t->share)
		return err_set(err, ERR_SYS, "libcurl gives no handle");
	api->share_setopt(t->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	api->multi_setopt(t->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	limit_connections(t);
	return 0;
}

int http_curl_new(const struct http_options *options, struct http_transport **out,
				  struct error *err)
{
	struct curl_transport *t = xcalloc(1, sizeof(*t));

	t->base = (struct http_transport){start, stop, poll_once, transport_free};
	t->options = *options;
	t->clock = options->clock ? options->clock : &clock_system;
	if (curl_keys_load(options, &t->keys, err) < 0 || curl_api_load(&t->api, err) < 0 ||
		open_handles(t, err) < 0) {
		transport_free(&t->base);
		return -1;
	}
	*out = &t->base;
	return 0;
}
