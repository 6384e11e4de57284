/* service.h - the life of the process.
 *
 *     NAME              serve until SIGTERM or SIGINT
 *     NAME migrate      bring the database up to date and end
 *     NAME config       print the settings and their meaning
 *     NAME healthcheck  exit 0 when the instance on this machine is ready
 *     NAME pause N      wait N seconds (for preStop hooks: the image has no shell)
 *     NAME version | help
 *
 * Exit status: 0 done, 1 failed, 64 wrong command line, 78 wrong configuration.
 *
 * At the end: /readyz answers 503, SHUTDOWN_DELAY_MS pass while everything is still served, no more
 * connections are accepted, what is in progress may take SHUTDOWN_TIMEOUT_MS, the application is
 * closed, exit 0. A second signal cuts the waiting short. */
#pragma once

#include "chassis/config.h"
#include "chassis/health.h"
#include "chassis/http.h"
#include "chassis/log.h"
#include "chassis/metrics.h"

/* What the application may use. */
struct service {
	struct log log;
	struct metrics *metrics;
	struct health health;
};

/* What the application gives. */
struct service_app {
	const char *name;
	const char *version;
	const char *summary;
	int port; /* defaults of PORT and MANAGEMENT_PORT */
	int management_port;
	const struct config_row *rows; /* its own settings ... */
	void *settings;                /* ... and where they go */
	const struct http_route *routes;
	void *context; /* for the handlers and the two functions below */

	/* Open what the handlers need (the database, with its migrations). Also called by `migrate`. */
	int (*open)(void *context, struct service *service, struct text *why);
	void (*close)(void *context);
};

/* Run a command line; returns the exit status. */
int service_main(const struct service_app *app, int argc, char **argv);
