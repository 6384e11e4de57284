#include "chassis/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "chassis/stamp.h"
#include "chassis/trace.h"

struct exchange *exchange_new(
	struct MHD_Connection *connection, const char *method, const char *url)
{
	struct exchange *exchange = must_alloc(1, sizeof(*exchange));
	struct http_request *request = &exchange->request;
	const char *id;

	exchange->started_ns = stamp_monotonic_ns();
	request->connection = connection;
	request->method = must_copy(method);
	request->path = must_copy(url);
	request->route = "unmatched";
	id = http_header(request, "X-Request-Id");
	if (request_id_is_valid(id))
		memcpy(request->request_id, id, strlen(id) + 1);
	else
		stamp_uuid(request->request_id);
	trace_id_parse(http_header(request, "traceparent"), request->trace_id);
	return exchange;
}

void exchange_free(struct exchange *exchange)
{
	free((char *)exchange->request.method);
	free((char *)exchange->request.path);
	text_release(&exchange->request.body);
	text_release(&exchange->allow);
	http_response_release(&exchange->response);
	free(exchange);
}

enum MHD_Result exchange_send(struct exchange *exchange)
{
	struct http_response *answer = &exchange->response;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		answer->body.size, answer->body.data, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	if (answer->content_type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
	MHD_add_response_header(response, "X-Request-Id", exchange->request.request_id);
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	for (int i = 0; i < answer->header_count; i++)
		MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
	if (exchange->close)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	result = MHD_queue_response(exchange->request.connection, (unsigned)answer->status, response);
	MHD_destroy_response(response);
	return result;
}

int exchange_status(const struct exchange *exchange)
{
	return exchange->response.status ? exchange->response.status : 499;
}

void exchange_log(const struct exchange *exchange, struct log *log, bool complete, double seconds)
{
	const struct http_request *request = &exchange->request;
	int status = exchange_status(exchange);

	log_event(log, status >= 500 ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO,
		complete ? "request" : "request aborted", LOG_STRING("request_id", request->request_id),
		LOG_STRING("trace_id", request->trace_id[0] ? request->trace_id : NULL),
		LOG_STRING("method", request->method), LOG_STRING("route", request->route),
		LOG_STRING("path", request->path), LOG_INTEGER("status", status),
		LOG_NUMBER("duration_ms", seconds * 1000),
		LOG_INTEGER("bytes", (int64_t)exchange->response.body.size));
}
