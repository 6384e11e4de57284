/* proc.h - run a child program: argv only, never a shell of our own. */
#pragma once

#include "base/buf.h"
#include "base/cancel.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What a child's stream is connected to. The zero value inherits ours. */
enum proc_stream {
	PROC_INHERIT = 0,
	PROC_NULL,   /* /dev/null */
	PROC_BUFFER, /* collected into the result (stdout, stderr) or fed from `input` (stdin) */
	PROC_LINES,  /* each line handed to `line` (stdout, stderr) */
	PROC_STDERR, /* stdout only: to our stderr */
};

struct proc_spec {
	const char *const *argv;  /* argv[0] is searched in PATH unless it has a slash */
	const char *const *env;   /* "K=V" added to (or replacing in) our environment; NULL: none */
	const char *const *unset; /* names taken out of it; NULL: none */
	bool clean_env;           /* start from an empty environment instead of ours */
	const char *cwd;          /* NULL: ours */
	enum proc_stream in, out, err_out;
	struct span input;
	size_t max_output; /* cap for PROC_BUFFER, each stream; 0: 1 MiB. The rest is dropped */
	void (*line)(void *user, bool is_stderr, const char *line);
	void *user;
	int64_t timeout_ms;          /* 0: none. After it: SIGTERM, 2 s later SIGKILL */
	const struct cancel *cancel; /* passes the signal on to the child; NULL: none */
	bool own_group;              /* child leads its own process group; signals go to all of it */
	/* Sends the signals of timeout_ms and cancel where they belong when that is not the child;
	 * NULL: they go to it, or to its group. */
	void (*send)(void *send_user, pid_t child, int signo);
	void *send_user;
};

struct proc_result {
	int exit_status; /* 0..255, or 128 + signal */
	int signo;       /* 0 unless a signal ended it */
	bool timed_out;
	struct buf out;
	struct buf err_out;
};

void proc_result_release(struct proc_result *r);

/* Run to the end. A child that fails is not an error of this function: look at exit_status.
 * ERR_MISSING when the program does not exist, ERR_SYS otherwise, ERR_INTERRUPTED after cancel.
 * The child gets default signal dispositions and no descriptor but 0, 1, 2. */
int proc_run(const struct proc_spec *spec, struct proc_result *result, struct error *err);

/* Where PATH has the program (skipping empty and relative PATH elements), or NULL. Caller frees. */
char *proc_find(const char *name);

/* "exited with status 3", "was ended by SIGKILL", "took longer than 30s"; written into out. */
const char *proc_describe(const struct proc_result *r, char out[64]);
