#include "chassis/http.h"

#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *http_param(const struct http_request *request, const char *name)
{
	for (int i = 0; i < request->param_count; i++)
		if (strcmp(request->params[i].name, name) == 0)
			return request->params[i].value;
	return NULL;
}

const char *http_query(const struct http_request *request, const char *name)
{
	const char *value = NULL;

	if (MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, name,
			strlen(name), &value, NULL) == MHD_YES &&
		!value)
		return ""; /* "?name" without "=" */
	return value;
}

const char *http_header(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static int is_json(const char *type)
{
	static const char json[] = "application/json";
	size_t size = sizeof(json) - 1;

	return type && strncasecmp(type, json, size) == 0 &&
		(!type[size] || strchr("; \t", type[size]));
}

json_t *http_json_body(const struct http_request *request, struct http_response *response)
{
	json_error_t error;
	json_t *body;

	if (!is_json(http_header(request, MHD_HTTP_HEADER_CONTENT_TYPE))) {
		http_respond_problem(request, response, 415, "send the body as application/json");
		return NULL;
	}
	if (request->body.size == 0) {
		http_respond_problem(request, response, 400, "the body is empty");
		return NULL;
	}
	body = json_loadb(
		request->body.data, request->body.size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!body) {
		http_respond_problem(request, response, 400,
			"the body is not valid JSON: line %d, column %d", error.line, error.column);
		return NULL;
	}
	if (!json_is_object(body)) {
		json_decref(body);
		http_respond_problem(request, response, 422, "the body must be a JSON object");
		return NULL;
	}
	return body;
}

static void set_body(struct http_response *response, int status, const char *type, json_t *body)
{
	char *dump = json_dumps(body, JSON_COMPACT);

	text_release(&response->body);
	if (dump)
		text_add(&response->body, dump, strlen(dump));
	free(dump);
	json_decref(body);
	response->status = status;
	response->content_type = type;
}

void http_respond_json(struct http_response *response, int status, json_t *body)
{
	set_body(response, status, "application/json", body);
}

void http_respond_empty(struct http_response *response, int status)
{
	text_release(&response->body);
	response->status = status;
	response->content_type = NULL;
}

static json_t *make_problem(const struct http_request *request, int status)
{
	json_t *problem = json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank", "title",
		MHD_get_reason_phrase_for((unsigned)status), "status", status, "request_id",
		request->request_id);

	if (request->trace_id[0])
		json_object_set_new(problem, "trace_id", json_string(request->trace_id));
	return problem;
}

void http_respond_problem(const struct http_request *request, struct http_response *response,
	int status, const char *detail, ...)
{
	json_t *problem = make_problem(request, status);
	char text[512];
	va_list args;

	va_start(args, detail);
	vsnprintf(text, sizeof(text), detail, args);
	va_end(args);
	json_object_set_new(problem, "detail", json_string(text));
	set_body(response, status, "application/problem+json", problem);
}

json_t *http_error(const char *pointer, const char *detail)
{
	return json_pack("{s:s, s:s}", "pointer", pointer, "detail", detail);
}

void http_respond_invalid(
	const struct http_request *request, struct http_response *response, json_t *errors)
{
	json_t *problem = make_problem(request, 422);

	json_object_set_new(problem, "detail", json_string("the body has wrong members"));
	json_object_set_new(problem, "errors", errors);
	set_body(response, 422, "application/problem+json", problem);
}

void http_add_header(struct http_response *response, const char *name, const char *format, ...)
{
	struct http_header *header;
	char value[1024];
	va_list args;

	if (response->header_count == HTTP_MAX_HEADERS)
		return;
	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	for (char *c = value; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	header = &response->headers[response->header_count++];
	header->name = name;
	header->value = must_copy(value);
}

void http_response_release(struct http_response *response)
{
	text_release(&response->body);
	for (int i = 0; i < response->header_count; i++)
		free(response->headers[i].value);
	*response = (struct http_response){0};
}
