/* build_watch.h - msctl build --watch: build again when the sources change. */
#pragma once

#include "build/build.h"
#include "cmd/command.h"

struct build_watcher {
	const char *dir; /* of the project */
	bool runs;       /* keep the image running, too */
	char **args;     /* of the service */
	int arg_count;
	int (*build)(void *user, struct build_result *out, struct error *err);
	void *user;
};

/* Until a signal ends it: ERR_INTERRUPTED. A build that fails is said, and the next change awaited;
 * only a wrong command line and what cannot be watched are failures. */
int build_watch_run(struct ctx *ctx, const struct build_watcher *watcher, struct error *err);
