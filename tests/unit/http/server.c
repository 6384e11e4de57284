#include "tests/unit/http/server.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_MAX 8192

struct connection {
	struct server *server;
	int fd;
};

static void say(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* Until the other side closes: a silent server without a clock. */
static void wait_for_close(int fd)
{
	char drop[4096];

	while (recv(fd, drop, sizeof(drop), 0) > 0)
		;
}

static void reset(int fd)
{
	struct linger hard = {1, 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
}

static const struct {
	const char *path, *answer;
	bool keep; /* the connection goes on */
} answers[] = {
	{"/ok", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello", true},
	{"/empty", "HTTP/1.1 204 No Content\r\n\r\n", true},
	{"/chunked",
	 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	 "3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: t\r\n\r\n",
	 true},
	{"/early",
	 "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n"
	 "Content-Length: 5\r\n\r\nhello",
	 true},
	{"/same-lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
	 true},
	{"/404", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", true},
	{"/until-close", "HTTP/1.1 200 OK\r\n\r\nhello", false},
	{"/truncated", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", false},
	{"/chunks-end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", false},
	{"/bad-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n", false},
	{"/two-lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 4\r\n\r\nhello",
	 false},
	{"/length-and-chunks",
	 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
	 "\r\n5\r\nhello\r\n0\r\n\r\n",
	 false},
	{"/gzip-transfer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	 false},
	{"/negative", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", false},
	{"/long-length", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello", false},
	{"/no-colon", "HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 5\r\n\r\nhello", false},
	{"/status", "HTTP/1.1 99999 OK\r\nContent-Length: 5\r\n\r\nhello", false},
	{"/http09", "hello", false},
	{"/nothing", "", false},
	{"proxied.test:443", "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
	 false},
	{"/only-1xx", "HTTP/1.1 100 Continue\r\n\r\n", false},
};

static void repeat(int fd, const char *text, int times)
{
	size_t len = strlen(text);
	char *all = xmalloc(len * 1000 + 1);

	for (int i = 0; i < 1000; i++)
		memcpy(all + (size_t)i * len, text, len + 1);
	for (int i = 0; i < times / 1000; i++)
		say(fd, all);
	free(all);
}

/* True when the connection goes on. */
static bool answer(struct connection *c, const char *path)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (strcmp(answers[i].path, path) == 0) {
			say(c->fd, answers[i].answer);
			return answers[i].keep;
		}
	if (strcmp(path, "/reset") == 0) {
		reset(c->fd);
	} else if (strcmp(path, "/reset-in-body") == 0) {
		say(c->fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
		reset(c->fd);
	} else if (strcmp(path, "/many-headers") == 0) {
		say(c->fd, "HTTP/1.1 200 OK\r\n");
		repeat(c->fd, "A: b\r\n", 100000);
	} else if (strcmp(path, "/long-header") == 0) {
		say(c->fd, "HTTP/1.1 200 OK\r\nA: ");
		repeat(c->fd, "aaaaaaaaaa", 100000);
	} else if (strcmp(path, "/many-1xx") == 0) {
		repeat(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 200000);
	} else {
		if (strcmp(path, "/stall") == 0)
			say(c->fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
		if (c->server->notify_fd >= 0) {
			uint64_t one = 1;

			if (write(c->server->notify_fd, &one, sizeof(one)) < 0)
				abort();
		}
		wait_for_close(c->fd);
	}
	return false;
}

/* Take a body of this length and say how long it was and what its bytes add up to. */
static bool take_body(struct connection *c, const char *rest, size_t have, unsigned long length)
{
	unsigned long sum = 0;
	unsigned long got = 0;
	char text[128];
	char body[64];
	char piece[65536];

	for (;;) {
		for (size_t i = 0; i < have; i++)
			sum += (unsigned char)rest[i];
		got += have;
		if (got >= length)
			break;
		ssize_t n = recv(c->fd, piece, sizeof(piece), 0);
		if (n <= 0)
			return false;
		rest = piece;
		have = (size_t)n;
	}
	atomic_fetch_add(&c->server->body_bytes, got);
	snprintf(body, sizeof(body), "%lu %lu", got, sum);
	snprintf(text, sizeof(text), "HTTP/1.1 201 Created\r\nContent-Length: %zu\r\n\r\n%s",
			 strlen(body), body);
	say(c->fd, text);
	return true;
}

/* One request; false when the connection ends. */
static bool serve_one(struct connection *c)
{
	char head[HEAD_MAX + 1];
	char path[256] = "";
	size_t len = 0;
	char *end = NULL;
	char *field;

	while (!end && len < HEAD_MAX) {
		ssize_t n = recv(c->fd, head + len, HEAD_MAX - len, 0);

		if (n <= 0)
			return false;
		len += (size_t)n;
		head[len] = '\0';
		end = strstr(head, "\r\n\r\n");
	}
	if (!end)
		return false;
	atomic_fetch_add(&c->server->requests, 1);
	sscanf(head, "%*15s %255s", path);
	if (strcmp(path, "/upload") != 0)
		return answer(c, path);
	end += 4;
	field = strcasestr(head, "\r\nContent-Length:");
	if (strcasestr(head, "\r\nExpect: 100-continue"))
		say(c->fd, "HTTP/1.1 100 Continue\r\n\r\n");
	return take_body(c, end, len - (size_t)(end - head), field ? strtoul(field + 17, NULL, 10) : 0);
}

static void *serve(void *user)
{
	struct connection *c = user;

	while (serve_one(c))
		;
	close(c->fd);
	free(c);
	return NULL;
}

static void *accept_all(void *user)
{
	struct server *s = user;
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (;;) {
		int fd = accept(s->fd, NULL, NULL);
		struct connection *c;
		pthread_t thread;

		if (fd < 0)
			break;
		atomic_fetch_add(&s->connections, 1);
		c = xcalloc(1, sizeof(*c));
		*c = (struct connection){s, fd};
		if (pthread_create(&thread, &attr, serve, c) != 0)
			abort();
	}
	pthread_attr_destroy(&attr);
	return NULL;
}

void server_start(struct server *s)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	pthread_t thread;

	memset(s, 0, sizeof(*s));
	s->notify_fd = -1;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&address, len) < 0 || listen(s->fd, 128) < 0 ||
		getsockname(s->fd, (struct sockaddr *)&address, &len) < 0 ||
		pthread_create(&thread, NULL, accept_all, s) != 0)
		abort();
	s->thread = thread;
	s->port = ntohs(address.sin_port);
}

void server_stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

char *server_url(const struct server *s, const char *path)
{
	return xasprintf("http://127.0.0.1:%u%s", s->port, path);
}
