/* hello - the program that the end-to-end tests put into images.
 *
 * hello                  print a greeting, the user and the version of zlib
 * hello env              print the environment
 * hello exit STATUS      end with that status
 * hello serve PORT       answer HTTP until SIGTERM, then say so and end with 7 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	stop = number;
}

static void answer(int client)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 17\r\nConnection: close\r\n"
							   "\r\nhello from msctl\n";
	char request[4096];

	if (read(client, request, sizeof(request)) > 0 && write(client, text, sizeof(text) - 1) < 0)
		perror("hello: write");
	close(client);
}

static int serve(int port)
{
	/* no SA_RESTART: accept() has to return when a signal arrives */
	struct sigaction action = {.sa_handler = on_signal};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 16)) {
		perror("hello: listen");
		return 1;
	}
	printf("listening on %d\n", port);
	fflush(stdout);
	while (!stop) {
		int client = accept(listener, NULL, NULL);

		if (client >= 0)
			answer(client);
	}
	printf("ended by signal %d\n", (int)stop);
	return 7;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "exit") == 0)
		return atoi(argv[2]);
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve(atoi(argv[2]));
	for (char **e = environ; argc == 2 && strcmp(argv[1], "env") == 0 && *e; e++)
		puts(*e);
	printf("hello from msctl, user %d, zlib %s, GREETING=%s\n", (int)getuid(), zlibVersion(),
		   getenv("GREETING") ? getenv("GREETING") : "");
	for (int i = 1; i < argc; i++)
		printf("argument %d: %s\n", i, argv[i]);
	return 0;
}
