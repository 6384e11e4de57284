#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/client.h"
#include "tests/http/service.h"

#define ITEMS "/api/v1/items"

static int get_status(int port, const char *path)
{
	struct reply reply = client_call(port, "GET", path, NULL, NULL);
	int status = reply.status;

	reply_release(&reply);
	return status;
}

TEST(health_and_metrics_have_a_port_of_their_own)
{
	struct process service = process_serve(NULL);
	struct reply reply;

	CHECK_INT(get_status(service.management_port, "/livez"), 200);
	CHECK_INT(get_status(service.management_port, "/readyz"), 200);
	CHECK_INT(get_status(service.management_port, "/startupz"), 200);
	CHECK_INT(get_status(service.management_port, "/other"), 404);
	CHECK_INT(get_status(service.port, "/livez"), 404);
	CHECK_INT(get_status(service.port, "/metrics"), 404);
	reply = client_call(service.management_port, "POST", "/livez", NULL, "x");
	CHECK_INT(reply.status, 405);
	reply_release(&reply);
	CHECK_INT(process_stop(&service), 0);
}

TEST(metrics_count_by_route_template)
{
	struct process service = process_serve(NULL);
	struct reply reply;

	for (int i = 0; i < 3; i++) {
		char path[64];

		snprintf(path, sizeof(path), ITEMS "/%d", i);
		CHECK_INT(get_status(service.port, path), 404);
	}
	CHECK_INT(get_status(service.port, "/secret/path"), 404);
	/* a request is counted just after its answer is sent */
	process_wait_log(&service, 0, "/secret/path");
	reply = client_call(service.management_port, "GET", "/metrics", NULL, NULL);
	CHECK_STRING(reply_header(&reply, "Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
	CHECK_CONTAINS(text_string(&reply.body),
		"http_server_request_duration_seconds_count{http_request_method=\"GET\","
		"http_route=\"/api/v1/items/{id}\",http_response_status_code=\"404\"} 3\n");
	CHECK_CONTAINS(text_string(&reply.body), "http_route=\"unmatched\"");
	CHECK_CONTAINS(text_string(&reply.body), "process_resident_memory_bytes ");
	CHECK(strstr(text_string(&reply.body), "/secret/path") == NULL);
	reply_release(&reply);
	CHECK_INT(process_stop(&service), 0);
}

TEST(wrong_settings_are_all_reported_and_end_with_78)
{
	const char *const environment[] = {
		"LOG_LEVEL=loud", "WORKERS=0", "SHUTDOWN_TIMEOUT_MS=soon", NULL};
	struct process service = process_run(NULL, environment);

	CHECK_INT(process_wait(&service), 78);
	CHECK_CONTAINS(
		text_string(&service.log), "LOG_LEVEL: must be one of: debug info warn error; not 'loud'");
	CHECK_CONTAINS(
		text_string(&service.log), "WORKERS: must be a whole number from 1 to 1024, not '0'");
	CHECK_CONTAINS(text_string(&service.log), "SHUTDOWN_TIMEOUT_MS: ");
	process_release(&service);
}

TEST(a_database_that_cannot_be_opened_ends_the_start)
{
	const char *const environment[] = {"DATABASE_PATH=/nowhere/at/all.db", NULL};
	struct process service = process_run(NULL, environment);

	CHECK_INT(process_wait(&service), 1);
	CHECK_CONTAINS(text_string(&service.log), "cannot open the database /nowhere/at/all.db");
	process_release(&service);
}

TEST(a_port_in_use_ends_the_start)
{
	struct process service = process_serve(NULL), second;
	char port[32];
	const char *const environment[] = {port, NULL};

	snprintf(port, sizeof(port), "PORT=%d", service.port);
	second = process_run(NULL, environment);
	CHECK_INT(process_wait(&second), 1);
	CHECK_CONTAINS(text_string(&second.log), "Address already in use");
	process_release(&second);
	CHECK_INT(process_stop(&service), 0);
}

TEST(subcommands)
{
	struct process service = process_serve(NULL), command;
	char port[32];
	const char *const environment[] = {port, NULL};

	snprintf(port, sizeof(port), "MANAGEMENT_PORT=%d", service.management_port);
	command = process_run("healthcheck", environment);
	CHECK_INT(process_wait(&command), 0);
	process_release(&command);
	CHECK_INT(process_stop(&service), 0);

	command = process_run("healthcheck", environment);
	CHECK_INT(process_wait(&command), 1);
	process_release(&command);
	command = process_run("config", NULL);
	CHECK_INT(process_wait(&command), 0);
	CHECK_CONTAINS(text_string(&command.log), "QUEUE_LIMIT=128\n");
	process_release(&command);
	command = process_run("help", NULL);
	CHECK_INT(process_wait(&command), 0);
	CHECK_CONTAINS(text_string(&command.log), "usage: ");
	process_release(&command);
	command = process_run("dance", NULL);
	CHECK_INT(process_wait(&command), 64);
	CHECK_CONTAINS(text_string(&command.log), "usage: ");
	process_release(&command);
}

TEST(not_ready_comes_before_the_end)
{
	const char *const environment[] = {"SHUTDOWN_DELAY_MS=60000", NULL};
	struct process service = process_serve(environment);

	process_signal(&service, SIGTERM);
	CHECK(process_wait_log(&service, 0, "\"msg\":\"stopping\""));
	while (get_status(service.management_port, "/readyz") == 200)
		sched_yield();
	CHECK_INT(get_status(service.management_port, "/readyz"), 503);
	CHECK_INT(get_status(service.management_port, "/livez"), 200);
	CHECK_INT(get_status(service.port, ITEMS), 200);
	process_signal(&service, SIGINT); /* a second signal ends the waiting */
	CHECK_INT(process_wait(&service), 0);
	CHECK_CONTAINS(text_string(&service.log), "\"msg\":\"stopped\"");
	process_release(&service);
}

TEST(what_is_in_progress_is_finished)
{
	static const char head[] =
		"POST " ITEMS " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
		"Content-Length: 12\r\n\r\n{\"name\"";
	struct process service = process_serve(NULL);
	int fd = client_connect(service.port), other;
	struct reply reply;

	CHECK_INT(client_send(fd, head, sizeof(head) - 1), 0);
	for (bool active = false; !active;) {
		reply = client_call(service.management_port, "GET", "/metrics", NULL, NULL);
		active = strstr(text_string(&reply.body), "http_server_active_requests 1\n") != NULL;
		reply_release(&reply);
	}
	process_signal(&service, SIGTERM);
	while ((other = client_connect(service.port)) >= 0) /* until no more connections are accepted */
		close(other);
	/* it is waited for, longer than the drain wants to see nothing in progress */
	CHECK_INT(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 300), 0);
	CHECK_INT(client_send(fd, ":\"x\"}", 5), 0);
	reply = client_read(fd, false);
	CHECK_INT(reply.status, 201);
	CHECK_STRING(reply_header(&reply, "Connection"), "close");
	reply_release(&reply);
	close(fd);
	CHECK_INT(process_wait(&service), 0);
	process_release(&service);
}

TEST(the_drain_has_an_end)
{
	static const char head[] = "POST " ITEMS " HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n";
	const char *const environment[] = {"SHUTDOWN_TIMEOUT_MS=50", NULL};
	struct process service = process_serve(environment);
	int fd = client_connect(service.port);
	struct reply reply;

	CHECK_INT(client_send(fd, head, sizeof(head) - 1), 0);
	for (bool active = false; !active;) {
		reply = client_call(service.management_port, "GET", "/metrics", NULL, NULL);
		active = strstr(text_string(&reply.body), "http_server_active_requests 1\n") != NULL;
		reply_release(&reply);
	}
	process_signal(&service, SIGTERM);
	CHECK_INT(process_wait(&service), 0);
	CHECK_CONTAINS(text_string(&service.log), "\"msg\":\"request aborted\"");
	process_release(&service);
	close(fd);
}
