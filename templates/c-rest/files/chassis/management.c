#include "chassis/management.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chassis/framing.h"
#include "chassis/listener.h"

struct management {
	struct MHD_Daemon *daemon;
	struct health *health;
	struct metrics *metrics;
};

static unsigned make_answer(struct management *management, const char *url, struct text *body)
{
	bool ok;

	if (strcmp(url, "/metrics") == 0) {
		metrics_write(management->metrics, body);
		return 200;
	}
	if (strcmp(url, "/livez") == 0)
		ok = true;
	else if (strcmp(url, "/readyz") == 0)
		ok = health_is_ready(management->health);
	else if (strcmp(url, "/startupz") == 0)
		ok = health_is_started(management->health);
	else
		return 404;
	health_write(management->health, body);
	return ok ? 200 : 503;
}

static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **state)
{
	bool metrics = strcmp(url, "/metrics") == 0;
	struct MHD_Response *response;
	struct text body = {0};
	enum MHD_Result result;
	unsigned status;

	(void)data;
	(void)size;
	(void)state;
	/* answered at the first call: a body, if any, is never read */
	if (framing_check(connection, version))
		status = 400;
	else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		status = 405;
	else
		status = make_answer(context, url, &body);
	response = MHD_create_response_from_buffer(body.size, body.data, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		text_release(&body);
		return MHD_NO;
	}
	if (status == 405)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	else if (body.size)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
			metrics ? "text/plain; version=0.0.4; charset=utf-8" : "application/json");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

int management_start(struct health *health, struct metrics *metrics, const char *address, int *port,
	struct management **out, struct text *why)
{
	struct management *management;
	int fd;

	if (listener_open(address, port, &fd, why) < 0)
		return -1;
	management = must_alloc(1, sizeof(*management));
	management->health = health;
	management->metrics = metrics;
	management->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_access,
		management, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_CONNECTION_LIMIT, 256U, MHD_OPTION_CONNECTION_TIMEOUT, 10U, MHD_OPTION_END);
	if (!management->daemon) {
		close(fd);
		free(management);
		text_addf(why, "cannot start the management server");
		return -1;
	}
	*out = management;
	return 0;
}

void management_stop(struct management *management)
{
	if (!management)
		return;
	MHD_stop_daemon(management->daemon);
	free(management);
}
