#include "chassis/server.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chassis/exchange.h"
#include "chassis/framing.h"
#include "chassis/listener.h"
#include "chassis/route.h"
#include "chassis/stamp.h"

/* A body over the limit is read to its end, so that the client sees the 413; one this many times
 * over the limit is not worth it. */
#define BODY_DROP_FACTOR 8

/* Memory of a connection: bounds the header. */
#define CONNECTION_BYTES 32768

struct server {
	struct server_options options;
	struct MHD_Daemon *daemon;
	struct workers *workers;
	struct deadlines *deadlines;
	struct metric *durations;
	struct metric *active_gauge;
	struct metric *waiting_gauge;
	struct metric *shed_counter;
	int port;
	atomic_int active;
	atomic_bool draining;
};

static struct deadline *get_deadline(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void set_deadline(struct exchange *exchange, int timeout_ms)
{
	struct deadline *deadline = get_deadline(exchange->request.connection);

	if (deadline)
		deadline_set(exchange->server->deadlines, deadline, timeout_ms);
}

static enum MHD_Result answer(struct exchange *exchange)
{
	struct server *server = exchange->server;

	exchange->phase = PHASE_ANSWERED;
	if (atomic_load(&server->draining))
		exchange->close = true;
	set_deadline(exchange, server->options.body_timeout_ms);
	return exchange_send(exchange);
}

static void finish_job(struct exchange *exchange)
{
	exchange->phase = PHASE_ANSWERED;
	MHD_resume_connection(exchange->request.connection);
}

static void run_job(struct job *job)
{
	struct exchange *exchange = (struct exchange *)job;

	exchange->route->handle(
		exchange->server->options.context, &exchange->request, &exchange->response);
	if (!exchange->response.status)
		http_respond_problem(
			&exchange->request, &exchange->response, 500, "the handler gave no answer");
	finish_job(exchange);
}

static void refuse_busy(struct exchange *exchange, const char *detail)
{
	http_respond_problem(&exchange->request, &exchange->response, 503, "%s", detail);
	http_add_header(&exchange->response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
}

static void cancel_job(struct job *job)
{
	struct exchange *exchange = (struct exchange *)job;

	refuse_busy(exchange, "the service is stopping");
	finish_job(exchange);
}

/* The request is complete: answer what needs no handler, hand the rest to a worker. */
static enum MHD_Result dispatch(struct exchange *exchange)
{
	struct server *server = exchange->server;

	if (exchange->too_large) {
		http_respond_problem(&exchange->request, &exchange->response, 413,
			"the body is over %d bytes", server->options.max_body_bytes);
		return answer(exchange);
	}
	if (!exchange->route) {
		bool known = exchange->allow.size > 0;

		http_respond_problem(&exchange->request, &exchange->response, known ? 405 : 404,
			known ? "this path does not have this method" : "there is nothing at this path");
		if (known)
			http_add_header(&exchange->response, MHD_HTTP_HEADER_ALLOW, "%s", exchange->allow.data);
		return answer(exchange);
	}
	if (!workers_reserve(server->workers)) {
		metric_add(server->shed_counter, 1, NULL);
		refuse_busy(exchange, "too many requests are waiting");
		return answer(exchange);
	}
	set_deadline(exchange, 0);
	exchange->phase = PHASE_RUNNING;
	exchange->job.run = run_job;
	exchange->job.cancel = cancel_job;
	/* suspended before the worker can see it: from here on the exchange is the worker's */
	MHD_suspend_connection(exchange->request.connection);
	workers_submit(server->workers, &exchange->job);
	return MHD_YES;
}

static enum MHD_Result refuse_early(struct exchange *exchange, int status, const char *detail)
{
	exchange->close = true;
	http_respond_problem(&exchange->request, &exchange->response, status, "%s", detail);
	return answer(exchange);
}

static bool over_limit(struct exchange *exchange, long long factor)
{
	const char *length = http_header(&exchange->request, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return length && strtoll(length, NULL, 10) > factor * exchange->server->options.max_body_bytes;
}

/* The header is complete. An answer given here closes the connection; the body is not read. */
static enum MHD_Result begin(struct exchange *exchange, const char *version)
{
	const char *refusal = framing_check(exchange->request.connection, version);

	set_deadline(exchange, exchange->server->options.body_timeout_ms);
	if (refusal)
		return refuse_early(exchange, 400, refusal);
	exchange->route =
		route_find(exchange->server->options.routes, &exchange->request, &exchange->allow);
	exchange->too_large = over_limit(exchange, 1);
	if (exchange->too_large &&
		(over_limit(exchange, BODY_DROP_FACTOR) ||
			http_header(&exchange->request, MHD_HTTP_HEADER_EXPECT)))
		return refuse_early(exchange, 413, "the body is too large");
	return MHD_YES;
}

static enum MHD_Result read_body(struct exchange *exchange, const char *data, size_t *size)
{
	size_t limit = (size_t)exchange->server->options.max_body_bytes;

	exchange->received += *size;
	if (exchange->received > limit * BODY_DROP_FACTOR)
		return MHD_NO;
	if (exchange->received > limit) {
		exchange->too_large = true;
		text_release(&exchange->request.body);
	} else {
		text_add(&exchange->request.body, data, *size);
	}
	*size = 0;
	return MHD_YES;
}

static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **state)
{
	struct exchange *exchange = *state;

	if (!exchange) {
		exchange = exchange_new(connection, method, url);
		exchange->server = context;
		atomic_fetch_add(&exchange->server->active, 1);
		*state = exchange;
		return begin(exchange, version);
	}
	if (exchange->phase == PHASE_READING)
		return *size > 0 ? read_body(exchange, data, size) : dispatch(exchange);
	return exchange->phase == PHASE_ANSWERED ? answer(exchange) : MHD_YES;
}

static const char *method_label(const char *method)
{
	static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(method, known[i]) == 0)
			return known[i];
	return "_OTHER";
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode how)
{
	struct server *server = context;
	struct exchange *exchange = *state;
	char status[12];
	double seconds;

	(void)connection;
	if (!exchange)
		return;
	seconds = (double)(stamp_monotonic_ns() - exchange->started_ns) / 1e9;
	snprintf(status, sizeof(status), "%d", exchange_status(exchange));
	metric_observe(server->durations, seconds,
		METRIC_LABELS(method_label(exchange->request.method), exchange->request.route, status));
	exchange_log(
		exchange, server->options.log, how == MHD_REQUEST_TERMINATED_COMPLETED_OK, seconds);
	set_deadline(exchange, server->options.idle_timeout_ms);
	exchange_free(exchange);
	*state = NULL;
	atomic_fetch_sub(&server->active, 1);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_state,
	enum MHD_ConnectionNotificationCode how)
{
	struct server *server = context;

	if (how == MHD_CONNECTION_NOTIFY_STARTED) {
		int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		struct deadline *deadline = deadline_join(server->deadlines, fd);

		deadline_set(server->deadlines, deadline, server->options.header_timeout_ms);
		*socket_state = deadline;
	} else if (*socket_state) {
		deadline_leave(server->deadlines, *socket_state);
		*socket_state = NULL;
	}
}

/* As MHD_http_unescape, but "%00" stays as it is: decoded it would cut the path short. */
static size_t unescape(void *context, struct MHD_Connection *connection, char *text)
{
	char *to = text;

	(void)context;
	(void)connection;
	for (const char *from = text; *from; from++, to++) {
		char digits[3] = {0};
		char *end = NULL;
		long value = 0;

		*to = *from;
		if (*from != '%' || !from[1])
			continue;
		memcpy(digits, from + 1, 2);
		value = strspn(digits, "0123456789abcdefABCDEF") == 2 ? strtol(digits, &end, 16) : 0;
		if (value > 0) {
			*to = (char)value;
			from += 2;
		}
	}
	*to = '\0';
	return (size_t)(to - text);
}

static void collect(void *context)
{
	struct server *server = context;

	metric_set(server->active_gauge, atomic_load(&server->active), NULL);
	metric_set(server->waiting_gauge, workers_waiting(server->workers), NULL);
}

static void add_metrics(struct server *server)
{
	struct metrics *metrics = server->options.metrics;

	server->durations = metrics_seconds(metrics, "http_server_request_duration_seconds",
		"Time from a request's header to the end of its answer.",
		"http_request_method http_route http_response_status_code");
	server->active_gauge =
		metrics_gauge(metrics, "http_server_active_requests", "Requests in progress.", "");
	server->waiting_gauge =
		metrics_gauge(metrics, "worker_queue_waiting", "Requests waiting for a worker.", "");
	server->shed_counter = metrics_counter(
		metrics, "worker_queue_shed_total", "Requests refused because the queue was full.", "");
	metric_set(
		metrics_gauge(metrics, "worker_queue_limit", "Requests that may wait for a worker.", ""),
		server->options.queue_limit, NULL);
	metric_add(server->shed_counter, 0, NULL);
	metrics_collect(metrics, collect, server);
}

static int start_daemon(struct server *server, struct text *why)
{
	const struct server_options *options = &server->options;
	int fd;

	if (listener_open(options->address, &server->port, &fd, why) < 0)
		return -1;
	const struct MHD_OptionItem items[] = {
		{MHD_OPTION_LISTEN_SOCKET, fd, NULL},
		{MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, options->max_connections, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, server},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, server},
		{MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)unescape, NULL},
		{MHD_OPTION_END, 0, NULL},
	};

	server->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0,
		NULL, NULL, on_access, server, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
	if (server->daemon)
		return 0;
	close(fd);
	text_addf(why, "cannot start the HTTP server");
	return -1;
}

int server_start(const struct server_options *options, struct server **out, struct text *why)
{
	struct server *server = must_alloc(1, sizeof(*server));

	server->options = *options;
	server->port = options->port;
	if (deadlines_start(&server->deadlines, why) < 0) {
		free(server);
		return -1;
	}
	if (workers_start(options->workers, options->queue_limit, &server->workers, why) < 0) {
		deadlines_stop(server->deadlines);
		free(server);
		return -1;
	}
	add_metrics(server);
	if (start_daemon(server, why) < 0) {
		server_stop(server, 1000);
		return -1;
	}
	*out = server;
	return 0;
}

int server_port(const struct server *server)
{
	return server->port;
}

int server_active(const struct server *server)
{
	return atomic_load(&server->active);
}

void server_drain(struct server *server)
{
	int fd;

	if (atomic_exchange(&server->draining, true))
		return;
	fd = MHD_quiesce_daemon(server->daemon);
	if (fd >= 0)
		close(fd);
}

int server_stop(struct server *server, int grace_ms)
{
	if (server->daemon)
		server_drain(server);
	metrics_forget(server->options.metrics, server);
	/* first the workers: libmicrohttpd aborts when it is stopped while a connection is suspended */
	if (workers_stop(server->workers, grace_ms) < 0)
		return -1;
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	deadlines_stop(server->deadlines);
	free(server);
	return 0;
}
