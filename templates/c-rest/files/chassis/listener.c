#include "chassis/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t parse_address(const char *text, int port, union address *address)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons((uint16_t)port);
		return sizeof(address->v4);
	}
	if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons((uint16_t)port);
		return sizeof(address->v6);
	}
	return 0;
}

static int open_socket(const union address *address, socklen_t size, int *port)
{
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	union address bound = {0};
	socklen_t bound_size = sizeof(bound);
	int on = 1, off = 0;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (address->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, &address->any, size) < 0 || listen(fd, SOMAXCONN) < 0 ||
		getsockname(fd, &bound.any, &bound_size) < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	*port = ntohs(bound.any.sa_family == AF_INET ? bound.v4.sin_port : bound.v6.sin6_port);
	return fd;
}

int listener_open(const char *address, int *port, int *fd, struct text *why)
{
	union address parsed;
	socklen_t size = parse_address(address, *port, &parsed);
	int opened;

	if (size == 0) {
		text_addf(why, "'%s' is not a numeric address", address);
		return -1;
	}
	opened = open_socket(&parsed, size, port);
	if (opened < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL) &&
		strcmp(address, "::") == 0) {
		size = parse_address("0.0.0.0", *port, &parsed);
		opened = open_socket(&parsed, size, port);
	}
	if (opened < 0) {
		text_addf(why, "cannot listen on port %d: %s", *port, strerror(errno));
		return -1;
	}
	*fd = opened;
	return 0;
}
