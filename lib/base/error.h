/* error.h - how every fallible function in msctl reports failure.
 *
 * A function that can fail returns 0 or -1 and takes `struct error *err` as
 * its last parameter, never NULL. On -1 it has filled *err; on 0 it has not
 * touched it. The struct owns no memory: nothing to release, nothing to leak.
 *
 * A message names the thing and the act, in lower case, without a full stop.
 * Control characters and invalid UTF-8 in it are replaced by '?', so text that came from a
 * server or a file may be passed as an argument. */
#pragma once

#include "base/compiler.h"

#define ERR_MSG_MAX 1024
#define ERR_HINT_MAX 512

/* The class decides the exit status (msctl(1), EXIT STATUS). */
enum err_code {
	ERR_NONE = 0,
	ERR_SYS,         /* the system refused: disk, memory, a child   -> 1 */
	ERR_USAGE,       /* the command line is wrong                   -> 2 */
	ERR_INPUT,       /* a file or an answer does not parse          -> 3 */
	ERR_MISSING,     /* the named thing does not exist              -> 4 */
	ERR_DENIED,      /* authentication, permission, policy          -> 5 */
	ERR_NET,         /* no answer, broken answer, server failure    -> 6 */
	ERR_CONFLICT,    /* somebody else holds or changed it           -> 7 */
	ERR_NOT_READY,   /* a rollout did not become ready              -> 8 */
	ERR_DIFFERENT,   /* differences found                           -> 9 */
	ERR_INTERRUPTED, /* Ctrl-C or SIGTERM                         -> 130 */
};

struct error {
	enum err_code code;
	char msg[ERR_MSG_MAX];   /* one line, cut with "..." */
	char hint[ERR_HINT_MAX]; /* one imperative sentence, or "" */
};

/* Start an error; clears an earlier hint. Always returns -1, so callers write `return err_set(...)`. */
int err_set(struct error *err, enum err_code code, const char *fmt, ...) PRINTF(3, 4);

/* The same, ending in ": <strerror(errno)>". Reads errno first; ENOENT, EACCES and EPERM give
 * ERR_MISSING and ERR_DENIED, everything else ERR_SYS. */
int err_errno(struct error *err, const char *fmt, ...) PRINTF(2, 3);

/* Put "context: " in front of the message. Returns -1. */
int err_wrap(struct error *err, const char *fmt, ...) PRINTF(2, 3);

/* Tell the user what to do next. Returns -1. */
int err_hint(struct error *err, const char *fmt, ...) PRINTF(2, 3);

/* The exit status that belongs to a class. */
int err_exit_status(enum err_code code);

/* The name of a class as it stands in JSON output: "usage", "not-ready" ... */
const char *err_code_name(enum err_code code);
