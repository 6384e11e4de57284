#include "chassis/server.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chassis/management.h"
#include "chassis/probe.h"
#include "tests/check.h"
#include "tests/client.h"

/* A server whose handlers wait at a gate, with its management port. */
struct bench {
	pthread_mutex_t lock;
	pthread_cond_t change;
	int inside; /* handlers at the gate */
	bool open;
	struct log log;
	struct metrics *metrics;
	struct health health;
	struct server *server;
	struct management *management;
	int port, management_port;
};

static void wait_at_gate(
	void *context, const struct http_request *request, struct http_response *response)
{
	struct bench *bench = context;

	(void)request;
	pthread_mutex_lock(&bench->lock);
	bench->inside++;
	pthread_cond_broadcast(&bench->change);
	while (!bench->open)
		pthread_cond_wait(&bench->change, &bench->lock);
	pthread_mutex_unlock(&bench->lock);
	http_respond_empty(response, 204);
}

static void forget_to_answer(
	void *context, const struct http_request *request, struct http_response *response)
{
	(void)context;
	(void)request;
	(void)response;
}

static const struct http_route bench_routes[] = {
	{"GET", "/gate", wait_at_gate},
	{"GET", "/forget", forget_to_answer},
	{0},
};

static bool start(struct bench *bench)
{
	struct text why = {0};
	struct server_options options = {.log = &bench->log,
		.routes = bench_routes,
		.context = bench,
		.address = "127.0.0.1",
		.workers = 2,
		.queue_limit = 2,
		.max_connections = 50,
		.max_body_bytes = 1000,
		.header_timeout_ms = 300,
		.body_timeout_ms = 300,
		.idle_timeout_ms = 10000};
	bool ok;

	*bench = (struct bench){.lock = PTHREAD_MUTEX_INITIALIZER,
		.change = PTHREAD_COND_INITIALIZER,
		.log = {.fd = -1, .service = "test", .version = "0", .lock = PTHREAD_MUTEX_INITIALIZER}};
	bench->metrics = options.metrics = metrics_new();
	health_init(&bench->health);
	ok = server_start(&options, &bench->server, &why) == 0 &&
		management_start(&bench->health, bench->metrics, "127.0.0.1", &bench->management_port,
			&bench->management, &why) == 0;
	CHECK_STRING(text_string(&why), "");
	if (ok)
		bench->port = server_port(bench->server);
	health_started(&bench->health);
	text_release(&why);
	return ok;
}

static void open_gate(struct bench *bench)
{
	pthread_mutex_lock(&bench->lock);
	bench->open = true;
	pthread_cond_broadcast(&bench->change);
	pthread_mutex_unlock(&bench->lock);
}

static void wait_inside(struct bench *bench, int count)
{
	pthread_mutex_lock(&bench->lock);
	while (bench->inside < count)
		pthread_cond_wait(&bench->change, &bench->lock);
	pthread_mutex_unlock(&bench->lock);
}

static void stop(struct bench *bench)
{
	management_stop(bench->management);
	CHECK_INT(server_stop(bench->server, 5000), 0);
	metrics_free(bench->metrics);
}

static int send_gate(struct bench *bench)
{
	static const char request[] = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";
	int fd = client_connect(bench->port);

	CHECK_INT(client_send(fd, request, sizeof(request) - 1), 0);
	return fd;
}

/* Two handlers at the gate, two requests in the queue. */
static void fill(struct bench *bench, int fds[4])
{
	for (int i = 0; i < 4; i++) {
		fds[i] = send_gate(bench);
		if (i == 1)
			wait_inside(bench, 2);
	}
	while (server_active(bench->server) < 4)
		sched_yield();
}

static void check_replies(const int fds[4], const int statuses[4])
{
	for (int i = 0; i < 4; i++) {
		struct reply reply = client_read(fds[i], false);

		CHECK_INT(reply.status, statuses[i]);
		reply_release(&reply);
		close(fds[i]);
	}
}

TEST(server_sheds_when_the_queue_is_full_and_health_does_not_notice)
{
	struct bench bench;
	int fds[4];
	struct reply reply;
	struct text why = {0};

	REQUIRE(start(&bench));
	fill(&bench, fds);
	reply = client_call(bench.port, "GET", "/gate", NULL, NULL);
	CHECK_INT(reply.status, 503);
	CHECK_STRING(reply_header(&reply, "Retry-After"), "1");
	CHECK_STRING(reply_header(&reply, "Content-Type"), "application/problem+json");
	reply_release(&reply);

	CHECK_INT(probe_ready(bench.management_port, &why), 0);
	reply = client_call(bench.management_port, "GET", "/metrics", NULL, NULL);
	CHECK_INT(reply.status, 200);
	CHECK_CONTAINS(text_string(&reply.body), "worker_queue_waiting 2\n");
	CHECK_CONTAINS(text_string(&reply.body), "worker_queue_shed_total 1\n");
	CHECK_CONTAINS(text_string(&reply.body), "http_server_active_requests 4\n");
	reply_release(&reply);

	open_gate(&bench);
	check_replies(fds, (const int[]){204, 204, 204, 204});
	stop(&bench);
	text_release(&why);
}

TEST(server_answers_503_to_the_queue_when_it_stops)
{
	struct bench bench;
	int fds[4], served = 0, refused = 0;

	REQUIRE(start(&bench));
	fill(&bench, fds);
	CHECK_INT(server_stop(bench.server, 0), -1); /* two handlers are still running */
	open_gate(&bench);
	for (int i = 0; i < 4; i++) {
		struct reply reply = client_read(fds[i], false);

		served += reply.status == 204;
		refused += reply.status == 503;
		reply_release(&reply);
		close(fds[i]);
	}
	CHECK_INT(served, 2);
	CHECK_INT(refused, 2);
	stop(&bench);
}

TEST(server_answers_500_for_a_handler_that_forgets)
{
	struct bench bench;
	struct reply reply;

	REQUIRE(start(&bench));
	reply = client_call(bench.port, "GET", "/forget", NULL, NULL);
	CHECK_INT(reply.status, 500);
	reply_release(&reply);
	stop(&bench);
}

/* Send a byte now and then until the server has enough; how often, or -1 when it never had. */
static int drip(int fd)
{
	for (int i = 0; i < 200; i++) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		char byte;

		if (poll(&ready, 1, 50) > 0 && recv(fd, &byte, 1, 0) <= 0)
			return i;
		if (send(fd, "x", 1, MSG_NOSIGNAL) < 0)
			return i;
	}
	return -1;
}

TEST(server_cuts_a_client_that_drips_its_header)
{
	static const char part[] = "GET /gate HTTP/1.1\r\nHost: a\r\nX-Slow: ";
	struct bench bench;
	int fd, drops;

	REQUIRE(start(&bench));
	fd = client_connect(bench.port);
	CHECK_INT(client_send(fd, part, sizeof(part) - 1), 0);
	drops = drip(fd);
	CHECK(drops >= 0 && drops < 100);
	close(fd);
	stop(&bench);
}

TEST(server_cuts_a_client_that_drips_its_body)
{
	static const char part[] = "GET /gate HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n";
	struct bench bench;
	int fd, drops;

	REQUIRE(start(&bench));
	fd = client_connect(bench.port);
	CHECK_INT(client_send(fd, part, sizeof(part) - 1), 0);
	drops = drip(fd);
	CHECK(drops >= 0 && drops < 100);
	close(fd);
	stop(&bench);
}

TEST(server_does_not_cut_a_slow_handler)
{
	struct bench bench;
	struct pollfd ready;
	struct reply reply;

	REQUIRE(start(&bench));
	ready = (struct pollfd){.fd = send_gate(&bench), .events = POLLIN};
	wait_inside(&bench, 1);
	CHECK_INT(poll(&ready, 1, 900), 0); /* three times the deadlines */
	open_gate(&bench);
	reply = client_read(ready.fd, false);
	CHECK_INT(reply.status, 204);
	reply_release(&reply);
	close(ready.fd);
	stop(&bench);
}

TEST(health_follows_what_is_reported)
{
	struct bench bench;
	struct reply reply;

	REQUIRE(start(&bench));
	health_report(&bench.health, "store", false);
	reply = client_call(bench.management_port, "GET", "/readyz", NULL, NULL);
	CHECK_INT(reply.status, 503);
	CHECK_STRING(
		text_string(&reply.body), "{\"status\":\"failing\",\"checks\":{\"store\":\"failing\"}}\n");
	reply_release(&reply);
	reply = client_call(bench.management_port, "GET", "/livez", NULL, NULL);
	CHECK_INT(reply.status, 200);
	reply_release(&reply);
	health_report(&bench.health, "store", true);
	reply = client_call(bench.management_port, "GET", "/readyz", NULL, NULL);
	CHECK_INT(reply.status, 200);
	reply_release(&reply);
	stop(&bench);
}
