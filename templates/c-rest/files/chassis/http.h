/* http.h - what a handler sees: routes, requests, responses.
 *
 * A handler runs on a worker thread, may block, and answers by filling the response. It never sees
 * a half-read request: the body is complete and within the limit. Errors are answered as
 * application/problem+json (RFC 9457). */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "chassis/text.h"

#define HTTP_MAX_PARAMS 4
#define HTTP_MAX_PARAM_BYTES 256
#define HTTP_MAX_HEADERS 8

struct MHD_Connection;

struct http_param {
	char name[32];
	char value[HTTP_MAX_PARAM_BYTES];
};

struct http_request {
	struct MHD_Connection *connection;
	const char *method;
	const char *path;  /* decoded */
	const char *route; /* the template that matched, or "unmatched" */
	struct http_param params[HTTP_MAX_PARAMS];
	int param_count;
	struct text body;
	char request_id[65];
	char trace_id[33]; /* "" when no valid traceparent came in */
};

struct http_header {
	const char *name; /* a literal */
	char *value;
};

struct http_response {
	int status;
	const char *content_type; /* a literal; NULL without a body */
	struct text body;
	struct http_header headers[HTTP_MAX_HEADERS];
	int header_count;
};

struct http_route {
	const char *method; /* GET also answers HEAD */
	const char *path;   /* "/api/v1/items/{id}": a name in braces matches one segment */
	void (*handle)(
		void *context, const struct http_request *request, struct http_response *response);
};

/* A part of the path by its name in the template, a query parameter, a header; NULL when absent. */
const char *http_param(const struct http_request *request, const char *name);
const char *http_query(const struct http_request *request, const char *name);
const char *http_header(const struct http_request *request, const char *name);

/* The body as a JSON object, to be released by the caller. On NULL the response is already made:
 * 415 unless the type is application/json, 400 for text that is not JSON (a repeated key included),
 * 422 for JSON that is not an object. */
json_t *http_json_body(const struct http_request *request, struct http_response *response);

/* Answer with `body`, which is released. */
void http_respond_json(struct http_response *response, int status, json_t *body);

/* Answer without a body. */
void http_respond_empty(struct http_response *response, int status);

/* Answer with a problem; `detail` says what went wrong with this request. */
void http_respond_problem(const struct http_request *request, struct http_response *response,
	int status, const char *detail, ...) PRINTF(4, 5);

/* Answer 422 with the wrong members; `errors` is an array of http_error() and is released. */
void http_respond_invalid(
	const struct http_request *request, struct http_response *response, json_t *errors);

/* One wrong member: where (a JSON Pointer into the body) and what is wrong. */
json_t *http_error(const char *pointer, const char *detail);

/* Add a header; `name` must be a literal. Control characters in the value become spaces. */
void http_add_header(struct http_response *response, const char *name, const char *format, ...)
	PRINTF(3, 4);

void http_response_release(struct http_response *response);
