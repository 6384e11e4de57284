#include "chassis/service.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "chassis/management.h"
#include "chassis/probe.h"
#include "chassis/process.h"
#include "chassis/server.h"
#include "chassis/stamp.h"

#define EXIT_USAGE 64
#define EXIT_CONFIG 78

/* How long a handler may go on after the drain is over, before the process ends around it. */
#define STOP_GRACE_MS 1000

/* How long nothing must be in progress before the drain counts as over: a client may be about to
 * use a connection that is kept alive. */
#define QUIET_MS 100

struct settings {
	char *address;
	int port;
	int management_port;
	int log_level;
	int workers;
	int queue_limit;
	int max_connections;
	int max_body_bytes;
	int header_timeout_ms;
	int body_timeout_ms;
	int idle_timeout_ms;
	int shutdown_delay_ms;
	int shutdown_timeout_ms;
};

#define INT_ROW(variable, member, from, to, value, text) \
	{ \
		.name = (variable), .type = CONFIG_INT, .offset = offsetof(struct settings, member), \
		.min = (from), .max = (to), .initial = (value), .summary = (text) \
	}

static const struct config_row setting_rows[] = {
	{.name = "LISTEN_ADDRESS",
		.type = CONFIG_TEXT,
		.offset = offsetof(struct settings, address),
		.initial = "::",
		.summary = "numeric address of both ports; :: is every address"},
	INT_ROW("PORT", port, 0, 65535, NULL, "port of the API; 0 is any free one"),
	INT_ROW("MANAGEMENT_PORT", management_port, 0, 65535, NULL, "port of health and metrics"),
	{.name = "LOG_LEVEL",
		.type = CONFIG_CHOICE,
		.offset = offsetof(struct settings, log_level),
		.initial = "info",
		.choices = LOG_LEVELS,
		.summary = "least level that is logged"},
	INT_ROW("WORKERS", workers, 1, 1024, "16", "handlers that run at the same time"),
	INT_ROW("QUEUE_LIMIT", queue_limit, 1, 100000, "128", "requests that may wait for a worker"),
	INT_ROW("MAX_CONNECTIONS", max_connections, 1, 100000, "1000", "open connections"),
	INT_ROW("MAX_BODY_BYTES", max_body_bytes, 1, 67108864, "1048576", "largest request body"),
	INT_ROW(
		"HEADER_TIMEOUT_MS", header_timeout_ms, 1, 600000, "5000", "time for a request's header"),
	INT_ROW("BODY_TIMEOUT_MS", body_timeout_ms, 1, 3600000, "30000",
		"time for a body, and for an answer"),
	INT_ROW("IDLE_TIMEOUT_MS", idle_timeout_ms, 1, 3600000, "60000", "time between two requests"),
	INT_ROW("SHUTDOWN_DELAY_MS", shutdown_delay_ms, 0, 600000, "0",
		"time to serve on after /readyz says no, for balancers to notice"),
	INT_ROW("SHUTDOWN_TIMEOUT_MS", shutdown_timeout_ms, 0, 600000, "20000",
		"time for requests in progress at the end"),
	CONFIG_DONE,
};

struct run {
	const struct service_app *app;
	struct settings settings;
	struct service service;
	struct management *management;
	struct process *process;
	struct server *server;
	sigset_t signals;
};

static int load_settings(struct run *run, struct text *errors)
{
	int status = config_load(setting_rows, &run->settings, errors);

	if (config_load(run->app->rows, run->app->settings, errors) < 0)
		status = -1;
	return status;
}

static int report_settings(struct run *run, const struct text *errors)
{
	char *lines = must_copy(text_string(errors));
	char *rest = lines;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		if (*line)
			log_event(
				&run->service.log, LOG_LEVEL_ERROR, "wrong setting", LOG_STRING("detail", line));
	free(lines);
	return EXIT_CONFIG;
}

static int fail(struct run *run, const char *msg, const struct text *why)
{
	log_event(&run->service.log, LOG_LEVEL_ERROR, msg, LOG_STRING("detail", text_string(why)));
	return EXIT_FAILURE;
}

/* Wait for a signal; 0 when the time is over. */
static int wait_signal(struct run *run, int timeout_ms)
{
	struct timespec timeout = {
		.tv_sec = timeout_ms / 1000, .tv_nsec = (timeout_ms % 1000) * 1000000L};
	int number;

	if (timeout_ms < 0) {
		while ((number = sigwaitinfo(&run->signals, NULL)) < 0)
			;
		return number;
	}
	number = sigtimedwait(&run->signals, NULL, &timeout);
	return number < 0 ? 0 : number;
}

static void drain(struct run *run)
{
	int64_t end = stamp_monotonic_ns() + (int64_t)run->settings.shutdown_timeout_ms * 1000000;
	int quiet_ms = 0;

	server_drain(run->server);
	while (quiet_ms < QUIET_MS && stamp_monotonic_ns() < end) {
		if (wait_signal(run, 10) != 0)
			return;
		quiet_ms = server_active(run->server) == 0 ? quiet_ms + 10 : 0;
	}
}

static int serve_until_signal(struct run *run)
{
	struct log *log = &run->service.log;
	int number;

	health_started(&run->service.health);
	log_event(log, LOG_LEVEL_INFO, "listening", LOG_INTEGER("port", server_port(run->server)),
		LOG_INTEGER("management_port", run->settings.management_port));
	number = wait_signal(run, -1);
	log_event(log, LOG_LEVEL_INFO, "stopping", LOG_STRING("signal", sigabbrev_np(number)),
		LOG_INTEGER("active", server_active(run->server)));
	health_draining(&run->service.health);
	if (run->settings.shutdown_delay_ms == 0 ||
		wait_signal(run, run->settings.shutdown_delay_ms) == 0)
		drain(run);
	if (server_stop(run->server, STOP_GRACE_MS) == 0)
		return EXIT_SUCCESS;
	log_event(log, LOG_LEVEL_ERROR, "a handler did not end in time");
	_exit(EXIT_FAILURE);
}

static int serve(struct run *run)
{
	const struct service_app *app = run->app;
	const struct settings *settings = &run->settings;
	struct server_options options = {
		.log = &run->service.log,
		.metrics = run->service.metrics,
		.routes = app->routes,
		.context = app->context,
		.address = settings->address,
		.port = settings->port,
		.workers = settings->workers,
		.queue_limit = settings->queue_limit,
		.max_connections = settings->max_connections,
		.max_body_bytes = settings->max_body_bytes,
		.header_timeout_ms = settings->header_timeout_ms,
		.body_timeout_ms = settings->body_timeout_ms,
		.idle_timeout_ms = settings->idle_timeout_ms,
	};
	struct text why = {0};
	int status;

	run->process = process_metrics(run->service.metrics);
	metric_set(
		metrics_gauge(run->service.metrics, "build_info", "The program's version.", "version"), 1,
		METRIC_LABELS(app->version));
	if (management_start(&run->service.health, run->service.metrics, settings->address,
			&run->settings.management_port, &run->management, &why) < 0) {
		status = fail(run, "cannot start the management port", &why);
	} else if (app->open(app->context, &run->service, &why) < 0) {
		status = fail(run, "cannot start", &why);
	} else {
		status = server_start(&options, &run->server, &why) < 0
			? fail(run, "cannot start the API port", &why)
			: serve_until_signal(run);
		app->close(app->context);
	}
	management_stop(run->management);
	process_free(run->process);
	if (status == EXIT_SUCCESS)
		log_event(&run->service.log, LOG_LEVEL_INFO, "stopped");
	text_release(&why);
	return status;
}

static int migrate(struct run *run)
{
	struct text why = {0};
	int status = EXIT_SUCCESS;

	if (run->app->open(run->app->context, &run->service, &why) < 0)
		status = fail(run, "cannot migrate", &why);
	else
		run->app->close(run->app->context);
	text_release(&why);
	return status;
}

static int print_config(struct run *run)
{
	config_print(setting_rows, &run->settings, stdout);
	config_print(run->app->rows, run->app->settings, stdout);
	return EXIT_SUCCESS;
}

static int check_health(struct run *run)
{
	struct text why = {0};
	int status = EXIT_SUCCESS;

	if (probe_ready(run->settings.management_port, &why) < 0) {
		fprintf(stderr, "%s: %s\n", run->app->name, text_string(&why));
		status = EXIT_FAILURE;
	}
	text_release(&why);
	return status;
}

/* Run `command` between loading the settings and giving everything back. */
static int run_command(const struct service_app *app, int (*command)(struct run *run))
{
	struct run run = {
		.app = app,
		.settings = {.port = app->port, .management_port = app->management_port},
		.service.log = {.fd = STDOUT_FILENO,
			.service = app->name,
			.version = app->version,
			.lock = PTHREAD_MUTEX_INITIALIZER},
	};
	struct text errors = {0};
	int status;

	sigemptyset(&run.signals);
	sigaddset(&run.signals, SIGTERM);
	sigaddset(&run.signals, SIGINT);
	/* before the first thread, so that all inherit it; a blocked signal also reaches process 1 */
	pthread_sigmask(SIG_BLOCK, &run.signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	health_init(&run.service.health);
	run.service.metrics = metrics_new();
	if (load_settings(&run, &errors) < 0) {
		status = report_settings(&run, &errors);
	} else {
		run.service.log.level = (enum log_level)run.settings.log_level;
		status = command(&run);
	}
	metrics_free(run.service.metrics);
	config_release(setting_rows, &run.settings);
	config_release(app->rows, app->settings);
	text_release(&errors);
	return status;
}

static int pause_seconds(const char *text)
{
	char *end;
	unsigned long seconds = strtoul(text, &end, 10);

	if (*end || end == text || seconds > 3600)
		return EXIT_USAGE;
	sleep((unsigned)seconds);
	return EXIT_SUCCESS;
}

static int print_help(const struct service_app *app, FILE *out, int status)
{
	fprintf(out,
		"%s %s - %s\n\n"
		"usage: %s              serve until SIGTERM or SIGINT\n"
		"       %s migrate      bring the database up to date\n"
		"       %s config       print the settings (environment variables) and their meaning\n"
		"       %s healthcheck  exit 0 when the instance on this machine is ready\n"
		"       %s pause N      wait N seconds\n"
		"       %s version\n",
		app->name, app->version, app->summary, app->name, app->name, app->name, app->name,
		app->name, app->name);
	return status;
}

int service_main(const struct service_app *app, int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "serve";

	if (argc == 3 && strcmp(command, "pause") == 0)
		return pause_seconds(argv[2]);
	if (argc > 2)
		return print_help(app, stderr, EXIT_USAGE);
	if (strcmp(command, "serve") == 0)
		return run_command(app, serve);
	if (strcmp(command, "migrate") == 0)
		return run_command(app, migrate);
	if (strcmp(command, "config") == 0)
		return run_command(app, print_config);
	if (strcmp(command, "healthcheck") == 0)
		return run_command(app, check_health);
	if (strcmp(command, "version") == 0)
		return printf("%s %s\n", app->name, app->version) < 0;
	if (strcmp(command, "help") == 0 || strcmp(command, "--help") == 0)
		return print_help(app, stdout, EXIT_SUCCESS);
	return print_help(app, stderr, EXIT_USAGE);
}
