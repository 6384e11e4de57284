#include "cmd/signals.h"

#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A signal handler can reach nothing but a static: the one exception to the rule. */
static struct cancel cancel = {.fd = -1};

static void on_signal(int signo)
{
	uint64_t one = 1;

	if (cancel.signo)
		_exit(130);
	cancel.signo = signo;
	if (cancel.fd >= 0 && write(cancel.fd, &one, sizeof(one)) < 0)
		_exit(130);
}

const struct cancel *signals_install(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	cancel.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error like a full disk */
	return &cancel;
}
