/* The libcurl transport against a server in this process: what a script cannot show. */
#include "base/auto.h"
#include "base/mem.h"
#include "http/client.h"
#include "tests/unit/http/server.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

static int ask(const struct server *s, struct http_options options, struct http_request r,
			   const char *path, struct http_response *response, struct error *err)
{
	AUTO_FREE char *url = server_url(s, path);
	AUTO_PTR(http_client) struct http_client *c = NULL;

	if (!options.max_tries)
		options.max_tries = 1;
	if (!r.method)
		r.method = "GET";
	r.url = url;
	cr_assert_eq(http_client_new(&options, &c, err), 0, "%s", err->msg);
	return http_send(c, &r, response, err);
}

Test(http_curl, answers)
{
	static const struct {
		const char *method, *path;
		int status;
		const char *body;
	} rows[] = {
		{"GET", "/ok", 200, "hello"},    {"HEAD", "/ok", 200, ""},
		{"GET", "/empty", 204, ""},      {"GET", "/chunked", 200, "hello"},
		{"GET", "/early", 200, "hello"}, {"GET", "/same-lengths", 200, "hello"},
		{"GET", "/404", 404, "no"},      {"GET", "/until-close", 200, "hello"},
		{"DELETE", "/ok", 200, "hello"}, {"PUT", "/upload", 201, "0 0"},
		{"POST", "/upload", 201, "0 0"}, {"PATCH", "/upload", 201, "0 0"},
	};
	struct server s;

	server_start(&s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(http_response) struct http_response response = {0};
		struct http_request r = {.method = rows[i].method};
		struct error err = {0};

		if (strcmp(rows[i].method, "HEAD") == 0) /* the server has not heard of HEAD */
			r.expected_bytes = 99;
		cr_expect_eq(ask(&s, (struct http_options){0}, r, rows[i].path, &response, &err), 0,
					 "%s: %s", rows[i].path, err.msg);
		cr_expect_eq(response.status, rows[i].status, "%s", rows[i].path);
		cr_expect_str_eq(buf_str(&response.body), rows[i].body, "%s", rows[i].path);
		if (strcmp(rows[i].path, "/ok") == 0)
			cr_expect_str_eq(http_headers_get(&response.headers, "x-a"), "b");
		cr_expect_null(http_headers_get(&response.headers, "Link"), "of the 103");
		cr_expect_null(http_headers_get(&response.headers, "X-Trailer"));
	}
	server_stop(&s);
}

/* Broken answers: none of them is success, each says whose they are. retried: of the passing kind.
 */
Test(http_curl, broken_answers)
{
	static const struct {
		const char *path;
		bool retried;
		uint64_t expected;
	} rows[] = {
		{"/truncated", true, 0},
		{"/chunks-end", true, 0},
		{"/reset", true, 0},
		{"/reset-in-body", true, 0},
		{"/nothing", true, 0},
		{"/only-1xx", true, 0},
		{"/until-close", true, 9},
		{"/stall", true, 0},
		{"/bad-chunk", false, 0},
		{"/two-lengths", false, 0},
		{"/length-and-chunks", false, 0},
		{"/gzip-transfer", false, 0},
		{"/negative", false, 0},
		{"/long-length", false, 0},
		{"/no-colon", false, 0},
		{"/status", false, 0},
		{"/http09", false, 0},
		{"/many-headers", false, 0},
		{"/long-header", false, 0},
		{"/many-1xx", false, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct server s;
		struct http_options options = {.stall_timeout_ms = 100, .max_tries = 2};
		struct http_request r = {.expected_bytes = rows[i].expected};
		struct http_response response = {0};
		struct error err = {0};

		server_start(&s);
		cr_expect_eq(ask(&s, options, r, rows[i].path, &response, &err), -1, "%s", rows[i].path);
		cr_expect_eq(err.code, ERR_NET, "%s: %s", rows[i].path, err.msg);
		cr_expect(strstr(err.msg, "127.0.0.1"), "%s: %s", rows[i].path, err.msg);
		cr_expect_not(strstr(err.msg, "memory"), "%s: %s", rows[i].path, err.msg);
		cr_expect_eq(atomic_load(&s.requests), rows[i].retried ? 2 : 1, "%s: %s", rows[i].path,
					 err.msg);
		server_stop(&s);
	}
}

Test(http_curl, time_limits)
{
	static const struct {
		const char *path;
		bool bulk;
		int64_t timeout_ms, stall_ms;
		const char *says;
	} rows[] = {
		{"/silent", false, 100, 5000, "did not finish within"},
		{"/silent", true, 0, 100, "has been silent for"},
		{"/stall", true, 0, 100, "has been silent for"},
		{"/stall", false, 100, 5000, "did not finish within"},
	};
	struct server s;

	server_start(&s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_options options = {.stall_timeout_ms = rows[i].stall_ms};
		struct http_request r = {.bulk = rows[i].bulk, .timeout_ms = rows[i].timeout_ms};
		struct http_response response = {0};
		struct error err = {0};
		int64_t begun = clock_now(&clock_system);

		cr_expect_eq(ask(&s, options, r, rows[i].path, &response, &err), -1);
		cr_expect_eq(err.code, ERR_NET);
		cr_expect(strstr(err.msg, rows[i].says), "%zu: %s", i, err.msg);
		cr_expect_lt(clock_now(&clock_system) - begun, 2000);
	}
	server_stop(&s);
}

Test(http_curl, nobody_listens)
{
	struct server s;
	struct http_response response = {0};
	struct error err = {0};
	struct http_options options = {.max_tries = 2};

	server_start(&s);
	server_stop(&s);
	cr_expect_eq(ask(&s, options, (struct http_request){0}, "/", &response, &err), -1);
	cr_expect_eq(err.code, ERR_NET);
	cr_expect(strstr(err.msg, "connection refused by 127.0.0.1:"), "%s", err.msg);
	cr_expect_neq(err.hint[0], '\0');
}

static void *raise_cancel(void *user)
{
	struct cancel *cancel = user;
	uint64_t one;

	if (read(cancel->fd, &one, sizeof(one)) == sizeof(one))
		cancel->signo = 2;
	if (write(cancel->fd, &one, sizeof(one)) < 0)
		abort();
	return NULL;
}

/* The server gets the request and says so through an eventfd: Ctrl-C while it keeps silent. */
Test(http_curl, cancel_ends_a_silent_request_at_once)
{
	static const char *const paths[] = {"/silent", "/stall"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct cancel cancel = {.fd = eventfd(0, EFD_CLOEXEC)};
		struct http_options options = {.cancel = &cancel};
		struct http_response response = {0};
		struct error err = {0};
		struct server s;
		pthread_t thread;
		int64_t begun;

		server_start(&s);
		s.notify_fd = cancel.fd;
		cr_assert_eq(pthread_create(&thread, NULL, raise_cancel, &cancel), 0);
		begun = clock_now(&clock_system);
		cr_expect_eq(
			ask(&s, options, (struct http_request){.bulk = true}, paths[i], &response, &err), -1);
		cr_expect_eq(err.code, ERR_INTERRUPTED, "%s", err.msg);
		cr_expect_lt(clock_now(&clock_system) - begun, 1500);
		pthread_join(thread, NULL);
		server_stop(&s);
		close(cancel.fd);
	}
}

static int count_hello(void *user, struct http_response *response, struct error *err)
{
	cr_expect_not_null(response, "%s", err->msg);
	if (response && strcmp(buf_str(&response->body), "hello") == 0)
		++*(int *)user;
	return 0;
}

Test(http_curl, a_hundred_at_once_over_few_connections)
{
	static const bool kinds[] = {false, true};

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct server s;
		AUTO_PTR(http_client) struct http_client *c = NULL;
		AUTO_FREE char *url = NULL;
		struct http_options options = {0};
		struct http_request r = {.method = "GET", .bulk = kinds[k]};
		struct error err = {0};
		int done = 0;

		server_start(&s);
		url = server_url(&s, "/ok");
		r.url = url;
		cr_assert_eq(http_client_new(&options, &c, &err), 0, "%s", err.msg);
		for (int i = 0; i < 100; i++)
			http_start(c, &r, count_hello, &done);
		cr_expect_eq(http_run(c, -1, &err), 0, "%s", err.msg);
		cr_expect_eq(done, 100);
		cr_expect_eq(atomic_load(&s.requests), 100);
		cr_expect_leq(atomic_load(&s.connections), 7);
		server_stop(&s);
	}
}

static void keep_sent(void *user, uint64_t done, uint64_t total)
{
	cr_expect_leq(done, total);
	*(uint64_t *)user = done;
}

/* From memory in one piece, from memory in pieces, from a file with an offset; known and unknown
 * hosts. */
Test(http_curl, uploads)
{
	enum { SIZE = 5 << 20, OFFSET = 100 };
	static const size_t lengths[] = {0, 1, 1000, 1 << 20, (1 << 20) + 1, SIZE - OFFSET};
	AUTO_CLOSE int fd = memfd_create("body", MFD_CLOEXEC);
	AUTO_FREE unsigned char *bytes = xmalloc(SIZE);
	AUTO_FREE char *url = NULL;
	AUTO_PTR(http_client) struct http_client *c = NULL;
	struct http_options options = {.max_tries = 1};
	struct error err = {0};
	struct server s;

	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 251);
	cr_assert_eq(write(fd, bytes, SIZE), SIZE);
	server_start(&s);
	url = server_url(&s, "/upload");
	cr_assert_eq(http_client_new(&options, &c, &err), 0, "%s", err.msg);
	for (size_t i = 0; i < 2 * ARRAY_LEN(lengths); i++) {
		AUTO(http_response) struct http_response response = {0};
		size_t len = lengths[i / 2];
		uint64_t sent = 0;
		struct http_request r = {.method = "PUT",
								 .url = url,
								 .has_body = true,
								 .bulk = true,
								 .sent = keep_sent,
								 .sent_user = &sent};
		unsigned long sum = 0;
		char want[64];

		r.body = i % 2 ? (struct http_body){.fd = fd, .offset = OFFSET, .len = len}
					   : (struct http_body){.data = bytes + OFFSET, .fd = -1, .len = len};
		for (size_t n = 0; n < len; n++)
			sum += bytes[OFFSET + n];
		snprintf(want, sizeof(want), "%zu %lu", len, sum);
		cr_expect_eq(http_send(c, &r, &response, &err), 0, "%s", err.msg);
		cr_expect_str_eq(buf_str(&response.body), want);
		if (len > 1 << 20)
			cr_expect_eq(sent, len);
	}
	cr_expect_eq(atomic_load(&s.connections), 1);
	server_stop(&s);
}

Test(http_curl, a_file_that_became_shorter_is_told)
{
	AUTO_CLOSE int fd = memfd_create("body", MFD_CLOEXEC);
	struct http_request r = {.method = "PUT", .has_body = true, .bulk = true};
	struct http_response response = {0};
	struct error err = {0};
	struct server s;

	cr_assert_eq(ftruncate(fd, 2 << 20), 0);
	r.body = (struct http_body){.fd = fd, .len = 3 << 20};
	server_start(&s);
	cr_expect_eq(ask(&s, (struct http_options){0}, r, "/upload", &response, &err), -1);
	cr_expect_eq(err.code, ERR_SYS);
	cr_expect(strstr(err.msg, "became shorter"), "%s", err.msg);
	server_stop(&s);
}

/* netrc, proxies from the environment for loopback, cookies: none of it. */
Test(http_curl, loopback_is_never_proxied)
{
	AUTO(http_response) struct http_response response = {0};
	struct error err = {0};
	struct server s;

	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
	server_start(&s);
	cr_expect_eq(
		ask(&s, (struct http_options){0}, (struct http_request){0}, "/ok", &response, &err), 0,
		"%s", err.msg);
	server_stop(&s);
}

/* It is the proxy that does not work, and the message says so. */
Test(http_curl, proxies_are_told_apart_from_hosts)
{
	static const struct {
		bool listens;
		enum err_code want;
		const char *says;
	} rows[] = {
		{true, ERR_DENIED, "the proxy refused to connect to proxied.test:443: status 407"},
		{false, ERR_NET, "cannot connect to the proxy 127.0.0.1:"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_PTR(http_client) struct http_client *c = NULL;
		AUTO_FREE char *proxy = NULL;
		struct http_options options = {.max_tries = 1};
		struct http_request r = {.method = "GET", .url = "https://proxied.test/x"};
		struct http_response response = {0};
		struct error err = {0};
		struct server s;

		server_start(&s);
		proxy = server_url(&s, "/");
		options.proxy = proxy;
		if (!rows[i].listens)
			server_stop(&s);
		cr_assert_eq(http_client_new(&options, &c, &err), 0, "%s", err.msg);
		cr_expect_eq(http_send(c, &r, &response, &err), -1);
		cr_expect_eq(err.code, rows[i].want, "%s", err.msg);
		cr_expect(strstr(err.msg, rows[i].says), "%s", err.msg);
		cr_expect(strstr(err.hint, "proxy"), "%s", err.hint);
		if (rows[i].listens)
			server_stop(&s);
	}
}

/* Streams live long: twenty of them on HTTP/1.1 must leave a connection to everybody else. */
Test(http_curl, streams_do_not_hold_up_others)
{
	AUTO_PTR(http_client) struct http_client *c = NULL;
	AUTO_FREE char *silent = NULL;
	AUTO_FREE char *ok = NULL;
	AUTO(http_response) struct http_response response = {0};
	struct http_options options = {.max_connections = 2};
	struct http_request stream = {.method = "GET", .stream = true};
	struct http_request r = {.method = "GET"};
	struct error err = {0};
	struct server s;

	server_start(&s);
	silent = server_url(&s, "/stall");
	ok = server_url(&s, "/ok");
	stream.url = silent;
	r.url = ok;
	cr_assert_eq(http_client_new(&options, &c, &err), 0, "%s", err.msg);
	for (int i = 0; i < 20; i++)
		http_start(c, &stream, count_hello, &err);
	cr_expect_eq(http_send(c, &r, &response, &err), 0, "%s", err.msg);
	cr_expect_eq(response.status, 200);
	http_client_free(TAKE(c));
	server_stop(&s);
}

Test(http_curl, keys_that_cannot_be_used)
{
	static const struct {
		struct http_tls tls;
		enum err_code want;
	} rows[] = {
		{{.ca_file = "/nonexistent/ca.pem"}, ERR_MISSING},
		{{.ca_file = "/tmp"}, ERR_INPUT},
		{{.ca_file = "/dev/zero"}, ERR_INPUT},
		{{.ca_file = "/dev/null"}, ERR_INPUT},
		{{.ca_pem = {"garbage", 7}}, ERR_INPUT},
		{{.ca_pem = {"", 0}}, ERR_INPUT},
		{{.key_pem = {"-----BEGIN X", 12}}, ERR_INPUT},
		{{.cert_file = "/etc/hostname"}, ERR_INPUT},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_options options = {.tls = rows[i].tls};
		struct http_client *c = NULL;
		struct error err = {0};

		cr_expect_eq(http_client_new(&options, &c, &err), -1, "%zu", i);
		cr_expect_eq(err.code, rows[i].want, "%zu: %s", i, err.msg);
		cr_expect_null(c);
	}
}
