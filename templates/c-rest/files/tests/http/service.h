/* service.h - the program under test, as a process of its own. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "chassis/text.h"

struct process {
	pid_t pid;
	int out; /* its standard output; of a command with an argument also its standard error */
	struct text log;
	int port;
	int management_port;
};

/* Start it with more environment ("NAME=value", NULL at the end; may be NULL) and an argument (or
 * NULL). */
struct process process_run(const char *argument, const char *const *environment);

/* Start the service on free ports and wait until it listens; process.port is 0 when it does not. */
struct process process_serve(const char *const *environment);

/* Read its output until `part` appears after the position `from`; false at its end. */
bool process_wait_log(struct process *process, size_t from, const char *part);

void process_signal(const struct process *process, int number);

/* Wait until it ends; its exit status, or 128 and the signal. The log can still be read. */
int process_wait(struct process *process);

/* SIGTERM, process_wait, process_release. */
int process_stop(struct process *process);

void process_release(struct process *process);
