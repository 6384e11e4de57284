/* client.h - an HTTP client on plain sockets, so that tests can also send what no library would. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "chassis/text.h"

struct reply {
	int status; /* 0: the connection closed without an answer */
	struct text head;
	struct text body;
};

/* Connect to 127.0.0.1. Reads give up after some seconds. */
int client_connect(int port);

int client_send(int fd, const char *bytes, size_t size);

/* Read one answer; `head_only` for the answer to HEAD. The connection stays open. */
struct reply client_read(int fd, bool head_only);

/* One request on a new connection. `headers` are whole lines with \r\n, or NULL. `body` may be
 * NULL. */
struct reply client_call(
	int port, const char *method, const char *path, const char *headers, const char *body);

/* As client_call, with a JSON body. */
struct reply client_json(int port, const char *method, const char *path, const char *body);

/* Send bytes as they are and read one answer. */
struct reply client_raw(int port, const char *bytes);

/* The value of a header, valid until the next call of this function in this thread; NULL when
 * absent. */
const char *reply_header(const struct reply *reply, const char *name);

/* A string member of the JSON body; NULL when absent. `json` is set to what must be released. */
const char *reply_member(const struct reply *reply, const char *name, json_t **json);

void reply_release(struct reply *reply);
