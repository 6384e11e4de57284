#include "base/auto.h"
#include "http/client.h"
#include "http/url.h"

#include <stdlib.h>
#include <string.h>

void http_request_release(struct http_request *r)
{
	http_headers_release(&r->headers);
}

void http_response_release(struct http_response *r)
{
	http_headers_release(&r->headers);
	buf_release(&r->body);
	free(r->url);
	*r = (struct http_response){0};
}

static const char *reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{204, "No Content"},
		{206, "Partial Content"},
		{300, "Multiple Choices"},
		{301, "Moved Permanently"},
		{302, "Found"},
		{303, "See Other"},
		{304, "Not Modified"},
		{307, "Temporary Redirect"},
		{308, "Permanent Redirect"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{407, "Proxy Authentication Required"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{410, "Gone"},
		{412, "Precondition Failed"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{416, "Range Not Satisfiable"},
		{422, "Unprocessable Content"},
		{429, "Too Many Requests"},
		{499, "Client Closed Request"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
	};

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return NULL;
}

static enum err_code status_class(int status)
{
	switch (status) {
	case 401:
	case 403:
	case 407:
		return ERR_DENIED;
	case 404:
	case 410:
		return ERR_MISSING;
	case 409:
		return ERR_CONFLICT;
	case 400:
	case 413:
	case 415:
	case 422:
		return ERR_INPUT;
	default:
		return ERR_NET;
	}
}

int http_status_error(const struct http_request *request, const struct http_response *response,
					  struct error *err)
{
	const char *text = reason(response->status);

	err_set(err, status_class(response->status), "%s %.*s: %d%s%s", request->method,
			(int)strcspn(request->url, "?#"), request->url, response->status, text ? " " : "",
			text ? text : "");
	if (response->status == 429)
		err_hint(err, "the server limits how often it may be asked: try again later");
	else if (response->status == 407)
		err_hint(err, "the proxy wants a user and password: put them into https_proxy");
	return -1;
}
