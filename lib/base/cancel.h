/* cancel.h - "please stop": set once by a signal handler, looked at by everything that waits. */
#pragma once

#include "base/error.h"

#include <signal.h>
#include <stdbool.h>

struct cancel {
	volatile sig_atomic_t signo; /* 0, or the signal that asked to stop */
	int fd;                      /* readable once it was asked (eventfd); -1: none */
};

/* NULL means: never. */
static inline bool cancel_requested(const struct cancel *c)
{
	return c && c->signo != 0;
}

/* Returns -1 with ERR_INTERRUPTED if a stop was asked for, else 0. */
int cancel_check(const struct cancel *c, struct error *err);
