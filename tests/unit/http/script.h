/* script.h - a transport that plays answers from a table, and a clock that only moves when somebody
 *waits.
 *
 *	static const struct script_answer answers[] = {
 *		{"GET", "https://r.test/v2/", 401, .headers = "WWW-Authenticate: Basic realm=x"},
 *		{"GET", "https://r.test/v2/", 200, .body = "{}"},
 *		{0},
 *	};
 *	AUTO(script) struct script s = {0};
 *	script_init(&s, answers);
 *	struct http_options options = {.transport = &s.base, .clock = &s.clock};
 *
 * Each row answers once, the first unused one with this method and URL wins; a request without row
 *fails and says so. */
#pragma once

#include "base/auto.h"
#include "base/list.h"
#include "base/mem.h"
#include "http/transport.h"

#include <stdio.h>
#include <string.h>

/* rows say what matters and leave the rest zero */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct script_answer {
	const char *method, *url;
	int status;
	const char *headers; /* "Name: value" lines */
	const char *body;    /* NULL: empty */
	size_t repeat;       /* the body so many times; 0: once */
	size_t cut;          /* break off after so many bytes of the body, if not 0 */
	const char *fail;    /* no answer but this failure */
	bool fatal;          /* of the kind that is not tried again */
	bool hang;           /* neither answer nor failure */
};

struct script_seen {
	char *method, *url;
	struct http_headers headers;
	struct buf body; /* from memory only */
	bool foreign;
	int64_t at_ms;
};

struct script {
	struct http_transport base;
	struct clock clock;
	int64_t now_ms, wall_s;
	const struct script_answer *answers;
	bool used[256];
	LIST(struct script_seen) seen;
	LIST(struct http_attempt *) running;
	struct cancel *cancel; /* is set at cancel_at_ms */
	int64_t cancel_at_ms;
};

static inline UNUSED void script_release(struct script *s)
{
	for (size_t i = 0; i < s->seen.count; i++) {
		free(s->seen.items[i].method);
		free(s->seen.items[i].url);
		http_headers_release(&s->seen.items[i].headers);
		buf_release(&s->seen.items[i].body);
	}
	list_release(&s->seen);
	list_release(&s->running);
}

static inline int64_t script_now_(void *user)
{
	return ((struct script *)user)->now_ms;
}

static inline int64_t script_wall_(void *user)
{
	struct script *s = user;

	return s->wall_s + s->now_ms / 1000;
}

static inline void script_sleep_(void *user, int64_t ms)
{
	((struct script *)user)->now_ms += ms;
}

static inline int script_start_(struct http_transport *t, struct http_attempt *a, struct error *err)
{
	struct script *s = (struct script *)t;
	const struct http_body *body = &a->request->body;
	struct script_seen seen = {.method = xstrdup(a->method),
							   .url = url_text(a->url),
							   .foreign = a->foreign,
							   .at_ms = s->now_ms};

	(void)err;
	for (size_t i = 0; i < a->headers->count; i++)
		http_headers_add(&seen.headers, a->headers->items[i].name, a->headers->items[i].value);
	if (a->has_body && body->data)
		buf_add(&seen.body, body->data, body->len);
	list_push(&s->seen, seen);
	list_push(&s->running, a);
	return 0;
}

static inline void script_drop_(struct script *s, size_t at)
{
	s->running.count--;
	memmove(s->running.items + at, s->running.items + at + 1,
			(s->running.count - at) * sizeof(s->running.items[0]));
}

static inline void script_stop_(struct http_transport *t, struct http_attempt *a)
{
	struct script *s = (struct script *)t;

	for (size_t i = 0; i < s->running.count; i++)
		if (s->running.items[i] == a)
			script_drop_(s, i--);
}

static inline void script_headers_(const char *lines, struct http_headers *out)
{
	while (lines && *lines) {
		size_t len = strcspn(lines, "\n");
		AUTO_FREE char *line = xstrndup(lines, len);
		char *colon = strchr(line, ':');

		if (colon) {
			*colon = '\0';
			http_headers_add(out, line, colon + 1 + strspn(colon + 1, " "));
		}
		lines += len + (lines[len] == '\n');
	}
}

static inline int script_play_(struct http_attempt *a, const struct script_answer *answer)
{
	AUTO(http_headers) struct http_headers headers = {0};
	size_t len = answer->body ? strlen(answer->body) : 0;
	size_t sent = 0;

	if (answer->fail) {
		a->can_retry = !answer->fatal;
		return err_set(&a->err, ERR_NET, "%s", answer->fail);
	}
	script_headers_(answer->headers, &headers);
	if (a->on_headers(a, answer->status, &headers) < 0)
		return -1;
	if (strcmp(a->method, "HEAD") == 0)
		return 0;
	for (size_t i = 0; len && i < (answer->repeat ? answer->repeat : 1); i++) {
		size_t piece = answer->cut && sent + len > answer->cut ? answer->cut - sent : len;

		if (piece && a->on_data(a, answer->body, piece) < 0)
			return -1;
		sent += piece;
		if (piece < len) {
			a->can_retry = true;
			return err_set(&a->err, ERR_NET, "the connection broke");
		}
	}
	return 0;
}

/* The row for an attempt; NULL: it hangs. */
static inline const struct script_answer *script_find_(struct script *s, struct http_attempt *a)
{
	static const struct script_answer unexpected = {.fail = "unexpected request", .fatal = true};
	AUTO_FREE char *url = url_text(a->url);

	for (size_t i = 0; s->answers[i].method; i++) {
		const struct script_answer *row = &s->answers[i];

		if (s->used[i] || strcmp(row->method, a->method) != 0 || strcmp(row->url, url) != 0)
			continue;
		if (row->hang)
			return NULL;
		s->used[i] = true;
		return row;
	}
	fprintf(stderr, "script: unexpected request %s %s\n", a->method, url);
	return &unexpected;
}

static inline struct http_attempt *script_poll_(struct http_transport *t, int64_t wait_ms)
{
	struct script *s = (struct script *)t;

	for (size_t i = 0; i < s->running.count; i++) {
		struct http_attempt *a = s->running.items[i];
		const struct script_answer *row = script_find_(s, a);

		if (!row)
			continue;
		script_drop_(s, i);
		a->failed = script_play_(a, row) < 0;
		return a;
	}
	s->now_ms += wait_ms > 0 ? wait_ms : 0;
	if (s->cancel && s->now_ms >= s->cancel_at_ms)
		s->cancel->signo = 2;
	return NULL;
}

static inline void script_free_(struct http_transport *t)
{
	(void)t;
}

static inline UNUSED void script_init(struct script *s, const struct script_answer *answers)
{
	s->base = (struct http_transport){script_start_, script_stop_, script_poll_, script_free_};
	s->clock = (struct clock){script_now_, script_wall_, script_sleep_, s};
	s->now_ms = 1000;
	s->wall_s = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT */
	s->answers = answers;
}

/* A header of the n-th request, NULL when it was not sent or there was no such request. */
static inline UNUSED const char *script_header(const struct script *s, size_t n, const char *name)
{
	return n < s->seen.count ? http_headers_get(&s->seen.items[n].headers, name) : NULL;
}

/* Were all rows played? */
static inline UNUSED bool script_is_done(const struct script *s)
{
	for (size_t i = 0; s->answers[i].method; i++)
		if (!s->used[i])
			return false;
	return true;
}
