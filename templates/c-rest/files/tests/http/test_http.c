#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/client.h"
#include "tests/http/service.h"

#define ITEMS "/api/v1/items"
#define MEBIBYTE 1048576

TEST(ambiguous_framing_is_refused)
{
	static const char *const cases[] = {
		"GET /api/v1/items HTTP/1.1\r\n\r\n",
		"GET /api/v1/items HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"GET /api/v1/items HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n",
		"GET /api/v1/items HTTP/1.1\r\nHost : a\r\n\r\n",
		"GET /api/v1/items HTTP/1.1\r\nHost: a\r\nX-A: b\x01\r\n\r\n",
		"POST /api/v1/items HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: "
		"chunked\r\n\r\n0\r\n\r\n",
		"POST /api/v1/items HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: "
		"3\r\n\r\n{}",
		"POST /api/v1/items HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n{}",
		"POST /api/v1/items HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
		"POST /api/v1/items HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n{}",
		"POST /api/v1/items HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST /api/v1/items HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
	};
	struct process service = process_serve(NULL);
	struct reply reply;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reply = client_raw(service.port, cases[i]);
		/* some are libmicrohttpd's to refuse: by version it closes, or calls a size too large */
		CHECK(reply.status == 400 || reply.status == 413 || reply.status == 0);
		reply_release(&reply);
	}
	reply = client_raw(service.port, "GET /api/v1/items HTTP/1.0\r\n\r\n");
	CHECK_INT(reply.status, 200);
	reply_release(&reply);
	CHECK_INT(process_stop(&service), 0);
}

TEST(headers_that_are_too_large_are_refused)
{
	struct process service = process_serve(NULL);
	struct text request = {0};
	struct reply reply;

	text_addf(&request, "GET " ITEMS " HTTP/1.1\r\nHost: a\r\n");
	for (int i = 0; i < 1000; i++)
		text_addf(&request, "X-Filler-%d: %060d\r\n", i, i);
	text_addf(&request, "\r\n");
	reply = client_raw(service.port, request.data);
	CHECK(reply.status == 431 || reply.status == 413 || reply.status == 0);
	reply_release(&reply);
	text_release(&request);
	reply = client_call(service.port, "GET", ITEMS, NULL, NULL);
	CHECK_INT(reply.status, 200);
	reply_release(&reply);
	CHECK_INT(process_stop(&service), 0);
}

/* A JSON body of exactly `size` bytes. */
static char *make_body(size_t size)
{
	char *body = must_alloc(1, size + 1);

	memset(body, ' ', size);
	memcpy(body, "{\"name\":\"x\"", 11);
	body[size - 1] = '}';
	return body;
}

TEST(bodies_over_one_mebibyte_are_refused)
{
	struct process service = process_serve(NULL);
	char *fits = make_body(MEBIBYTE), *over = make_body(MEBIBYTE + 1);
	struct reply reply = client_json(service.port, "POST", ITEMS, fits);

	CHECK_INT(reply.status, 201);
	reply_release(&reply);
	reply = client_json(service.port, "POST", ITEMS, over);
	CHECK_INT(reply.status, 413);
	CHECK_STRING(reply_header(&reply, "Content-Type"), "application/problem+json");
	reply_release(&reply);
	/* what is far over the limit, or asks first, is refused before its body comes */
	reply = client_raw(service.port,
		"POST " ITEMS " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
		"100000000\r\n\r\n");
	CHECK_INT(reply.status, 413);
	reply_release(&reply);
	reply = client_raw(service.port,
		"POST " ITEMS
		" HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
		"Content-Length: 1048577\r\n\r\n");
	CHECK_INT(reply.status, 413);
	reply_release(&reply);
	free(fits);
	free(over);
	CHECK_INT(process_stop(&service), 0);
}

TEST(deep_json_is_refused)
{
	struct process service = process_serve(NULL);
	char *body = make_body(100000);
	struct reply reply;

	memset(body, '[', 100000);
	reply = client_json(service.port, "POST", ITEMS, body);
	CHECK_INT(reply.status, 400);
	reply_release(&reply);
	free(body);
	CHECK_INT(process_stop(&service), 0);
}

static void send_chunks(int fd, int count)
{
	static const char head[] =
		"POST " ITEMS " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
		"Transfer-Encoding: chunked\r\n\r\n";
	struct text chunk = {0};

	text_addf(&chunk, "10000\r\n%065536d\r\n", 0);
	CHECK_INT(client_send(fd, head, sizeof(head) - 1), 0);
	for (int i = 0; i < count; i++)
		CHECK_INT(client_send(fd, chunk.data, chunk.size), 0);
	CHECK_INT(client_send(fd, "0\r\n\r\n", 5), 0);
	text_release(&chunk);
}

TEST(chunked_bodies_have_the_same_limit)
{
	struct process service = process_serve(NULL);
	struct reply reply = client_raw(service.port,
		"POST " ITEMS " HTTP/1.1\r\nHost: a\r\nContent-Type: "
		"application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
		"8\r\n{\"name\":\r\n5\r\n\"x\"}\n\r\n0\r\n\r\n");
	int fd;

	CHECK_INT(reply.status, 201);
	reply_release(&reply);
	fd = client_connect(service.port);
	send_chunks(fd, 17);
	reply = client_read(fd, false);
	CHECK_INT(reply.status, 413);
	reply_release(&reply);
	close(fd);
	CHECK_INT(process_stop(&service), 0);
}

TEST(one_connection_serves_many_requests)
{
	static const char two[] =
		"GET " ITEMS " HTTP/1.1\r\nHost: a\r\n\r\nGET /none HTTP/1.1\r\nHost: a\r\n\r\n";
	struct process service = process_serve(NULL);
	int fd = client_connect(service.port);
	struct reply reply;

	CHECK_INT(client_send(fd, two, sizeof(two) - 1), 0);
	reply = client_read(fd, false);
	CHECK_INT(reply.status, 200);
	reply_release(&reply);
	reply = client_read(fd, false);
	CHECK_INT(reply.status, 404);
	reply_release(&reply);
	close(fd);
	CHECK_INT(process_stop(&service), 0);
}

TEST(request_and_trace_ids_go_through)
{
	struct process service = process_serve(NULL);
	struct reply reply = client_call(service.port, "GET", ITEMS "/nobody",
		"X-Request-Id: my-id.1\r\ntraceparent: "
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n",
		NULL);
	json_t *json;
	const char *line;

	CHECK_STRING(reply_header(&reply, "X-Request-Id"), "my-id.1");
	CHECK_STRING(reply_member(&reply, "trace_id", &json), "4bf92f3577b34da6a3ce929d0e0e4736");
	json_decref(json);
	reply_release(&reply);
	CHECK(process_wait_log(&service, 0, "my-id.1"));
	CHECK(process_wait_log(&service, 0, "\"bytes\""));
	line =
		strstr(service.log.data, "my-id.1") ? strstr(service.log.data, "\"msg\":\"request\"") : "";
	CHECK_CONTAINS(line, "\"request_id\":\"my-id.1\"");
	CHECK_CONTAINS(line, "\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\"");
	CHECK_CONTAINS(line, "\"method\":\"GET\",\"route\":\"/api/v1/items/{id}\"");
	CHECK_CONTAINS(line, "\"status\":404,\"duration_ms\":");

	reply = client_call(service.port, "GET", ITEMS, "X-Request-Id: not \"good\"\r\n", NULL);
	CHECK(
		reply_header(&reply, "X-Request-Id") && strlen(reply_header(&reply, "X-Request-Id")) == 36);
	reply_release(&reply);
	CHECK_INT(process_stop(&service), 0);
}

TEST(every_log_line_is_json)
{
	struct process service = process_serve(NULL);
	struct reply reply = client_call(service.port, "GET", "/%22%0a%ff%5c", NULL, NULL);
	char *line, *rest;
	int lines = 0;

	CHECK_INT(reply.status, 404);
	reply_release(&reply);
	process_signal(&service, 15);
	CHECK_INT(process_wait(&service), 0);
	rest = service.log.data;
	while ((line = strsep(&rest, "\n")) && *line) {
		json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

		CHECK(json_is_string(json_object_get(json, "ts")));
		CHECK(json_is_string(json_object_get(json, "level")));
		CHECK(json_is_string(json_object_get(json, "msg")));
		json_decref(json);
		lines++;
	}
	CHECK(lines >= 5);
	process_release(&service);
}
