/* server.h - the API port.
 *
 * One thread reads and writes the network; every handler runs on a worker, while its connection is
 * suspended. A full queue answers 503 with Retry-After at once. Each request gets an id, a log line
 * and a place in the metrics, by route template. */
#pragma once

#include <stddef.h>

#include "chassis/http.h"
#include "chassis/log.h"
#include "chassis/metrics.h"

struct server_options {
	struct log *log;
	struct metrics *metrics;
	const struct http_route *routes; /* ends with a zeroed one */
	void *context;                   /* for the handlers */
	const char *address;
	int port; /* 0: a free one */
	int workers;
	int queue_limit;
	int max_connections;
	int max_body_bytes;
	int header_timeout_ms;
	int body_timeout_ms;
	int idle_timeout_ms;
};

struct server;

int server_start(const struct server_options *options, struct server **out, struct text *why);
int server_port(const struct server *server);

/* Requests between their first header and their last byte of answer. */
int server_active(const struct server *server);

/* Accept no more connections, and close each after the answer to its next request. */
void server_drain(struct server *server);

/* End: what waits in the queue is answered 503, what runs may take `grace_ms`. Returns -1 when a
 * handler is still running then: nothing is freed; call again, or end the process. */
int server_stop(struct server *server, int grace_ms);
