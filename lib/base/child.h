/* child.h - a child program that runs beside us until it ends or is stopped; what runs to its end
 * while we wait is proc.h's. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
	pid_t pid; /* 0: none runs */
	int fd;    /* readable once it ended; valid while pid is not 0 */
};

/* Start argv[0], a path, with our environment, stdout and stderr, in a process group of its own:
 * Ctrl-C does not reach it. Its stdin is /dev/null. It gets default signal dispositions and no
 * other descriptor. ERR_MISSING, ERR_SYS. */
int child_start(const char *const *argv, struct child *out, struct error *err);
/* Has it ended? Then *status is 0..255, or 128 + signal, and none runs any more. */
bool child_has_ended(struct child *c, int *status);
/* End it: SIGTERM; after grace_ms SIGTERM again, for what takes that as "at once"; after as long
 * again SIGKILL to its whole group. Returns its status; 0 when none runs. */
int child_stop(struct child *c, int64_t grace_ms);
