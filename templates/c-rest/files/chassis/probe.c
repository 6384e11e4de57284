#include "chassis/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int ask(int fd, int port, struct text *why)
{
	static const char request[] =
		"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct timeval patience = {.tv_sec = 3};
	char answer[64] = "";

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0 ||
		recv(fd, answer, sizeof(answer) - 1, MSG_WAITALL) < 0) {
		text_addf(why, "no answer on port %d: %s", port, strerror(errno));
		return -1;
	}
	if (strncmp(answer, "HTTP/1.1 200", 12) != 0) {
		text_addf(why, "not ready: %.*s", (int)strcspn(answer, "\r\n"), answer);
		return -1;
	}
	return 0;
}

int probe_ready(int management_port, struct text *why)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int status;

	if (fd < 0) {
		text_addf(why, "cannot open a socket: %s", strerror(errno));
		return -1;
	}
	status = ask(fd, management_port, why);
	close(fd);
	return status;
}
