/* exchange.h - one request and its answer on the way through the server. Private to the chassis. */
#pragma once

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "chassis/deadlines.h"
#include "chassis/http.h"
#include "chassis/log.h"
#include "chassis/metrics.h"
#include "chassis/workers.h"

enum exchange_phase { PHASE_READING, PHASE_RUNNING, PHASE_ANSWERED };

struct exchange {
	struct job job; /* first, so that a job is its exchange */
	struct server *server;
	const struct http_route *route; /* NULL when none fits ... */
	struct text allow;              /* ... then the methods that the path has */
	struct http_request request;
	struct http_response response;
	enum exchange_phase phase;
	bool close;      /* the connection, after the answer */
	bool too_large;  /* the body; what comes is read and dropped */
	size_t received; /* bytes of body */
	int64_t started_ns;
};

/* The url and the method are copied. */
struct exchange *exchange_new(
	struct MHD_Connection *connection, const char *method, const char *url);
void exchange_free(struct exchange *exchange);

/* Hand the answer to the network. */
enum MHD_Result exchange_send(struct exchange *exchange);

/* Write the log line of a finished request. */
void exchange_log(const struct exchange *exchange, struct log *log, bool complete, double seconds);

/* The status that was answered; 499 when the client left before. */
int exchange_status(const struct exchange *exchange);
