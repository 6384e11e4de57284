/* What comes in: the head is checked before a byte of the body is believed, the body goes to the
 * sink or is collected. */
#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "http/exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_WARNINGS 64
#define MAX_WARNING_BYTES 4096

static bool is_success(int status)
{
	return status >= 200 && status <= 299;
}

static bool has_no_body(const struct http_exchange *x)
{
	return strcmp(x->method, "HEAD") == 0 || x->response.status == 204;
}

static int fail(struct http_exchange *x)
{
	x->failed = true;
	return -1;
}

/* Warning: 299 - "text" */
static void note_warning(struct http_exchange *x, const char *value)
{
	struct http_client *c = x->client;
	const char *start = strncmp(value, "299 ", 4) == 0 ? strchr(value, '"') : NULL;
	const char *end = start ? strrchr(value, '"') : NULL;
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *shown = NULL;
	struct progress_event event = {.kind = PROGRESS_NOTE};
	size_t len;

	if (!start || end <= start || c->warned.count >= MAX_WARNINGS)
		return;
	len = (size_t)(end - start) - 1;
	text = xstrndup(start + 1, len > MAX_WARNING_BYTES ? MAX_WARNING_BYTES : len);
	utf8_sanitize(text);
	if (!map_put(&c->warned, text, NULL))
		return;
	shown = xasprintf("%s warns: %s", x->url.host, text);
	event.text = shown;
	progress_emit(c->options.progress, &event);
	log_line(c->options.log, 1, "%s", shown);
}

/* "bytes 100-199/200": where it begins; false when it cannot be read. */
static bool content_range_start(const char *value, uint64_t *start)
{
	uint64_t first;
	uint64_t last;

	if (!value || sscanf(value, "bytes %" SCNu64 "-%" SCNu64 "/", &first, &last) != 2 ||
		last < first)
		return false;
	*start = first;
	return true;
}

/* Does the answer to our Range continue where the last one broke off? Else the body begins anew. */
static int place_body(struct http_exchange *x)
{
	bool asked = x->resumed_at > 0;
	uint64_t start = 0;

	if (asked && x->response.status == 206) {
		if (!content_range_start(http_headers_get(&x->response.headers, "Content-Range"), &start) ||
			start != x->resumed_at) {
			x->restart = true;
			return -1;
		}
		x->response.status = 200;
	}
	if (start == 0 && x->delivered > 0 && x->request.data && !x->request.start) {
		err_set(&x->err, ERR_NET, "the connection broke and the answer began anew");
		return fail(x);
	}
	x->delivered = start;
	return 0;
}

/* A length that contradicts what the caller knows is told before the body is read. */
static int check_length(struct http_exchange *x)
{
	const char *value = http_headers_get(&x->response.headers, "Content-Length");
	uint64_t expected = x->request.expected_bytes;
	int64_t length;

	if (!value || has_no_body(x))
		return 0;
	if (!text_to_int(value, 0, INT64_MAX, &length)) {
		err_set(&x->err, ERR_NET, "the server's Content-Length is no number");
		return fail(x);
	}
	if (expected && x->delivered + (uint64_t)length != expected) {
		err_set(&x->err, ERR_NET,
				"the server announces %" PRIu64 " bytes where %" PRIu64 " are expected",
				x->delivered + (uint64_t)length, expected);
		return fail(x);
	}
	if (!x->request.data && (uint64_t)length <= x->request.max_bytes)
		buf_grow(&x->response.body, (size_t)length + 1);
	return 0;
}

static int check_encoding(struct http_exchange *x)
{
	const char *value = http_headers_get(&x->response.headers, "Content-Encoding");

	if (!value || !*value || strcasecmp(value, "identity") == 0)
		return 0;
	err_set(&x->err, ERR_NET, "the server encoded its answer (%.40s), which was not asked for",
			value);
	return fail(x);
}

static void keep_etag(struct http_exchange *x)
{
	const char *etag = http_headers_get(&x->response.headers, "ETag");

	free(x->etag);
	x->etag = etag && etag[0] == '"' ? xstrdup(etag) : NULL;
}

int http_answer_headers(struct http_attempt *a, int status, struct http_headers *headers)
{
	struct http_exchange *x = a->owner;
	struct http_request *r = &x->request;

	http_headers_release(&x->response.headers);
	x->response.headers = MOVE(*headers);
	x->response.status = status;
	x->headed = true;
	if (x->response.body.data)
		buf_cut(&x->response.body, 0);
	for (size_t i = 0; i < x->response.headers.count; i++)
		if (strcasecmp(x->response.headers.items[i].name, "Warning") == 0)
			note_warning(x, x->response.headers.items[i].value);
	if (!is_success(status))
		return 0;
	if (place_body(x) < 0 || check_encoding(x) < 0 || check_length(x) < 0)
		return -1;
	keep_etag(x);
	if (!r->start ||
		r->start(r->sink, x->response.status, &x->response.headers, x->delivered, &x->err) == 0)
		return 0;
	return fail(x);
}

static int take_error_body(struct http_exchange *x, const void *data, size_t len)
{
	size_t room = HTTP_MAX_ERROR_BYTES - x->response.body.len;

	buf_add(&x->response.body, data, len < room ? len : room);
	if (len <= room)
		return 0;
	x->body_cut = true;
	return -1;
}

int http_answer_data(struct http_attempt *a, const void *data, size_t len)
{
	struct http_exchange *x = a->owner;
	struct http_request *r = &x->request;

	if (!is_success(x->response.status))
		return take_error_body(x, data, len);
	if (r->expected_bytes && len > r->expected_bytes - x->delivered) {
		err_set(&x->err, ERR_NET,
				"the server sends more than the %" PRIu64 " bytes that are expected",
				r->expected_bytes);
		return fail(x);
	}
	if (r->max_bytes && (x->delivered > r->max_bytes || len > r->max_bytes - x->delivered)) {
		err_set(&x->err, ERR_INPUT, "an answer of more than %" PRIu64 " bytes", r->max_bytes);
		return fail(x);
	}
	if (r->data && r->data(r->sink, data, len, &x->err) < 0)
		return fail(x);
	if (!r->data)
		buf_add(&x->response.body, data, len);
	x->delivered += len;
	return 0;
}

int http_answer_complete(const struct http_exchange *x, struct error *err)
{
	uint64_t expected = x->request.expected_bytes;

	if (!is_success(x->response.status) || has_no_body(x) || !expected || x->delivered == expected)
		return 0;
	return err_set(err, ERR_NET, "the answer ended after %" PRIu64 " of %" PRIu64 " bytes",
				   x->delivered, expected);
}
