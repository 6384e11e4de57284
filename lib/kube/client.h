/* client.h - speak to one API server: one connection, many requests in flight, JSON in and out.
 *
 * Built on http/client.h, which retries, obeys Retry-After and asks for credentials; there is no
 * rate limiter of our own. A Status object (apimachinery meta/v1) in an answer becomes a struct
 * error: its class by the code, its message sanitized, a hint by reason. Bodies of Secrets are
 * never logged. */
#pragma once

#include "base/auto.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"
#include "doc/json.h"
#include "http/client.h"
#include "kube/config.h"

#define KUBE_MAX_ANSWER_BYTES (64u << 20) /* one list page, one OpenAPI document */
#define KUBE_REQUEST_TIMEOUT_MS 34000     /* the server gives up after 30 s itself */

#define KUBE_MAX_WARNINGS 20 /* of the server's, passed on as notes, each once */
#define KUBE_MAX_WARNING_BYTES 400

struct kube_client;

struct kube_client_options {
	const struct kube_config *config; /* borrowed for the client's life */
	struct http_transport *transport; /* NULL: libcurl */
	const struct clock *clock;        /* NULL: the system's */
	const struct cancel *cancel;
	const struct log *log;
	const struct progress *progress;
	int64_t deadline_ms; /* by the clock: no request lives longer; 0: none */
};

int kube_client_new(const struct kube_client_options *options, struct kube_client **out,
					struct error *err);
void kube_client_free(struct kube_client *c);
DEFINE_AUTO_PTR(kube_client)

const struct kube_config *kube_client_config(const struct kube_client *c);
const struct clock *kube_client_clock(const struct kube_client *c);
/* The server's URL without its path prefix: for messages. Borrowed. */
const char *kube_client_server(const struct kube_client *c);

struct kube_request {
	const char *method;       /* NULL: GET */
	const char *path;         /* from the server's root, with the query; copied */
	const char *accept;       /* NULL: application/json */
	const char *content_type; /* of the body; borrowed until done */
	struct span body;         /* borrowed until done; data NULL: none */
	bool no_retry;
};

/* Called once for each request that was started. On an answer 2xx: status and doc (borrowed;
 * json_incref to keep), err empty. On another answer: status, doc (the Status object, or NULL), err
 * filled. Without an answer: status 0, doc NULL, err filled. Returns 0 to go on, or -1 with *err
 * filled to end kube_run. May start further requests. */
typedef int kube_done_fn(void *user, int status, json_t *doc, struct error *err);

struct kube_call;
struct kube_call *kube_start(struct kube_client *c, const struct kube_request *request,
							 kube_done_fn *done, void *user);
/* As http_run: 0 nothing is left, 1 wait_ms passed, -1 ended by an error: then the rest is aborted,
 * and no `done` is called for it. */
int kube_run(struct kube_client *c, int64_t wait_ms, struct error *err);
/* Let things happen for wait_ms, also when nothing is in flight because watches wait for their
 * time. 0, or -1 as kube_run. */
int kube_wait(struct kube_client *c, int64_t wait_ms, struct error *err);

/* One request, waited for, while no other is in flight. *out is the caller's. An answer that
 * is not 2xx is an error (kube_status_error). */
int kube_send(struct kube_client *c, const struct kube_request *request, json_t **out,
			  struct error *err);
/* GET without a body that must exist. */
int kube_get(struct kube_client *c, const char *path, const char *accept, json_t **out,
			 struct error *err);

/* Endless and plain answers. data: each piece of a 2xx body; done: once, status 0 when the
 * connection broke (err filled). */
struct kube_stream {
	int (*data)(void *user, const void *data, size_t len, struct error *err);
	int (*done)(void *user, int status, struct error *err);
	void *user;
};
/* Borrowed until done. */
struct kube_call *kube_start_stream(struct kube_client *c, const char *path, bool endless,
									const struct kube_stream *stream);
/* Forget a call that is not done; `done` is not called. */
void kube_stop(struct kube_client *c, struct kube_call *call);

/* Start an error from an answer that is not 2xx. status_doc may be NULL. Returns -1. */
int kube_status_error(const struct kube_client *c, const char *method, const char *path, int status,
					  const json_t *status_doc, struct error *err);
