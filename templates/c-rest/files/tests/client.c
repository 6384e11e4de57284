#include "tests/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int client_connect(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct timeval patience = {.tv_sec = 15};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int client_send(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);

		if (n <= 0)
			return -1;
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

const char *reply_header(const struct reply *reply, const char *name)
{
	static _Thread_local char value[1024];
	size_t size = strlen(name);

	for (const char *line = text_string(&reply->head); line; line = strstr(line, "\r\n")) {
		line += line[0] == '\r' ? 2 : 0;
		if (strncasecmp(line, name, size) == 0 && line[size] == ':') {
			const char *start = line + size + 1 + strspn(line + size + 1, " ");

			snprintf(value, sizeof(value), "%.*s", (int)strcspn(start, "\r\n"), start);
			return value;
		}
	}
	return NULL;
}

static bool read_head(int fd, struct reply *reply)
{
	char byte;

	while (recv(fd, &byte, 1, 0) == 1) {
		text_add(&reply->head, &byte, 1);
		if (reply->head.size >= 4 &&
			memcmp(reply->head.data + reply->head.size - 4, "\r\n\r\n", 4) == 0)
			return true;
	}
	return false;
}

struct reply client_read(int fd, bool head_only)
{
	struct reply reply = {0};
	const char *length;
	size_t missing;
	char bytes[4096];

	if (!read_head(fd, &reply) || strlen(reply.head.data) < 12)
		return reply;
	reply.status = atoi(reply.head.data + 9);
	if (reply.status == 100) {
		reply_release(&reply);
		return client_read(fd, head_only);
	}
	length = reply_header(&reply, "Content-Length");
	missing = length && !head_only ? strtoul(length, NULL, 10) : 0;
	while (missing > 0) {
		ssize_t n = recv(fd, bytes, missing < sizeof(bytes) ? missing : sizeof(bytes), 0);

		if (n <= 0)
			break;
		text_add(&reply.body, bytes, (size_t)n);
		missing -= (size_t)n;
	}
	return reply;
}

struct reply client_call(
	int port, const char *method, const char *path, const char *headers, const char *body)
{
	struct reply reply = {0};
	struct text request = {0};
	int fd = client_connect(port);

	if (fd < 0)
		return reply;
	text_addf(
		&request, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s", method, path, headers ? headers : "");
	if (body)
		text_addf(&request, "Content-Length: %zu\r\n", strlen(body));
	text_addf(&request, "\r\n%s", body ? body : "");
	if (client_send(fd, request.data, request.size) == 0)
		reply = client_read(fd, strcmp(method, "HEAD") == 0);
	text_release(&request);
	close(fd);
	return reply;
}

struct reply client_json(int port, const char *method, const char *path, const char *body)
{
	return client_call(port, method, path, "Content-Type: application/json\r\n", body);
}

struct reply client_raw(int port, const char *bytes)
{
	struct reply reply = {0};
	int fd = client_connect(port);

	if (fd < 0)
		return reply;
	if (client_send(fd, bytes, strlen(bytes)) == 0)
		reply = client_read(fd, false);
	close(fd);
	return reply;
}

const char *reply_member(const struct reply *reply, const char *name, json_t **json)
{
	*json = json_loads(text_string(&reply->body), JSON_REJECT_DUPLICATES, NULL);
	return json_string_value(json_object_get(*json, name));
}

void reply_release(struct reply *reply)
{
	text_release(&reply->head);
	text_release(&reply->body);
	reply->status = 0;
}
