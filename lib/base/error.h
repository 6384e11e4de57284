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

/* Start an error; clears an earlier hint. Like the three below it is a macro that always yields -1,
 * so callers write `return err_set(...)`, and analyzers see that the failure path fails. */
#define err_set(err, code, ...) (err_set_(err, code, __VA_ARGS__), err_failed_())

/* The same, ending in ": <strerror(errno)>". Reads errno first; ENOENT gives ERR_MISSING, EACCES
 * and EPERM ERR_DENIED, everything else ERR_SYS. */
#define err_errno(err, ...) (err_errno_(err, __VA_ARGS__), err_failed_())

/* Put "context: " in front of the message. */
#define err_wrap(err, ...) (err_wrap_(err, __VA_ARGS__), err_failed_())

/* Tell the user what to do next. */
#define err_hint(err, ...) (err_hint_(err, __VA_ARGS__), err_failed_())

void err_set_(struct error *err, enum err_code code, const char *fmt, ...) PRINTF(3, 4);
void err_errno_(struct error *err, const char *fmt, ...) PRINTF(2, 3);
void err_wrap_(struct error *err, const char *fmt, ...) PRINTF(2, 3);
void err_hint_(struct error *err, const char *fmt, ...) PRINTF(2, 3);

static inline int err_failed_(void)
{
	return -1;
}

/* The exit status that belongs to a class. */
int err_exit_status(enum err_code code);

/* The name of a class as it stands in JSON output: "usage", "not-ready" ... */
const char *err_code_name(enum err_code code);
