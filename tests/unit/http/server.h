/* server.h - a tiny HTTP server in the test process, on a free loopback port, that misbehaves by
 * path. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct server {
	uint16_t port;
	int fd;
	atomic_int connections;  /* accepted */
	atomic_int requests;     /* heads read */
	atomic_ulong body_bytes; /* of requests */
	int notify_fd;           /* eventfd written when a request for /silent came; -1: none */
	unsigned long thread;
};

void server_start(struct server *s);
void server_stop(struct server *s);
/* "http://127.0.0.1:PORT/path"; the caller frees. */
char *server_url(const struct server *s, const char *path);
