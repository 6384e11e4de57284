#include "base/auto.h"
#include "registry/session.h"

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define PROBE_MS 1000

/* A ClientHello of TLS 1.2. The last two cipher suites are no suites but an empty line: a server
 * that reads HTTP answers at once, one that reads TLS skips what it does not know. */
/* clang-format off */
static const unsigned char hello[] = {
	0x16, 0x03, 0x01, 0x00, 0x37,                   /* record: handshake, 55 bytes */
	0x01, 0x00, 0x00, 0x33, 0x03, 0x03,             /* ClientHello, 51 bytes, TLS 1.2 */
	'm', 's', 'c', 't', 'l', ' ', 'a', 's', 'k', 's', ' ', 'w', 'h', 'e', 't', 'h', 'e', 'r', ' ',
	't', 'h', 'i', 's', ' ', 'i', 's', ' ', 'T', 'L', 'S', ' ', ' ', /* random, 32 bytes */
	0x00,                                           /* no session */
	0x00, 0x0c,                                     /* 6 cipher suites */
	0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30, 0x0d, 0x0a, 0x0d, 0x0a,
	0x01, 0x00,                                     /* no compression */
};
/* clang-format on */

static int connect_to(const char *host, uint16_t port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *list = NULL;
	char service[8];
	int fd = -1;

	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(host, service, &hints, &list) != 0)
		return -1;
	for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
		AUTO_CLOSE int s = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);

		/* loopback: connects or refuses at once */
		if (s >= 0 && connect(s, a->ai_addr, a->ai_addrlen) == 0)
			fd = TAKE_FD(s);
	}
	freeaddrinfo(list);
	return fd;
}

bool probe_speaks_tls(const char *host, uint16_t port)
{
	char name[64];
	size_t len = strlen(host);
	bool bracketed = len > 2 && host[0] == '[';
	unsigned char first = 0;

	snprintf(name, sizeof(name), "%.*s", bracketed ? (int)len - 2 : (int)len,
			 host + (bracketed ? 1 : 0));
	AUTO_CLOSE int fd = connect_to(name, port);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (fd < 0 || send(fd, hello, sizeof(hello), MSG_NOSIGNAL) != (ssize_t)sizeof(hello))
		return false;
	if (poll(&p, 1, PROBE_MS) != 1 || recv(fd, &first, 1, 0) != 1)
		return false;
	return first == 0x16 || first == 0x15; /* handshake or alert */
}
