/* The head of an answer. libcurl lets through what a smuggler sends (two lengths, a length and
 * chunks): not here. */
#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/curl_api.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_HEADERS 1000 /* fields of one answer; libcurl caps their bytes at 300 KB */

static void forget_head(struct curl_task *k)
{
	http_headers_release(&k->head);
	k->status = 0;
	k->length = -1;
	k->chunked = false;
}

static int invalid(struct curl_task *k, const char *why)
{
	return curl_task_fail(k, false, ERR_NET, "invalid HTTP answer from %s: %s", k->a->url->host,
						  why);
}

/* "HTTP/1.1 200 OK", "HTTP/2 200" */
static int take_status(struct curl_task *k, const char *line)
{
	const char *space = strchr(line, ' ');
	int64_t status = 0;
	AUTO_FREE char *digits = NULL;

	forget_head(k);
	if (space)
		digits = xstrndup(space + 1, strspn(space + 1, "0123456789"));
	if (!digits || !text_to_int(digits, 100, 999, &status))
		return invalid(k, "no status");
	k->status = (int)status;
	return 0;
}

static int check_framing(struct curl_task *k, const char *name, const char *value)
{
	int64_t length;

	if (strcasecmp(name, "Content-Length") == 0) {
		if (value[0] == '-' || !text_to_int(value, 0, INT64_MAX, &length))
			return invalid(k, "a Content-Length that is no number");
		if (k->length >= 0 && k->length != length)
			return invalid(k, "two different Content-Length");
		k->length = length;
	} else if (strcasecmp(name, "Transfer-Encoding") == 0) {
		if (strcasecmp(value, "chunked") != 0)
			return invalid(k, "a Transfer-Encoding other than chunked");
		k->chunked = true;
	}
	if (k->chunked && k->length >= 0)
		return invalid(k, "both Content-Length and Transfer-Encoding");
	return 0;
}

static int take_field(struct curl_task *k, char *line)
{
	char *colon = strchr(line, ':');
	char *value;
	size_t len;

	if (!colon || colon == line)
		return invalid(k, "a header line without name");
	if (k->head.count == MAX_HEADERS)
		return invalid(k, "too many headers");
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	len = strlen(value);
	while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		value[--len] = '\0';
	if (check_framing(k, line, value) < 0)
		return -1;
	http_headers_add(&k->head, line, value);
	return 0;
}

/* The empty line behind a head; 1xx heads only announce another one. */
static int end_head(struct curl_task *k)
{
	if (k->status < 200)
		return 0;
	k->in_body = true;
	if (k->a->on_headers(k->a, k->status, &k->head) == 0)
		return 0;
	k->callee_failure = true;
	return -1;
}

size_t curl_task_header(char *line, size_t size, size_t count, void *user)
{
	struct curl_task *k = user;
	size_t len = size * count;
	AUTO_FREE char *text = NULL;
	int rc;

	k->heard_ms = clock_now(k->t->clock);
	if (k->in_body) /* trailers: nobody needs them */
		return len;
	text = xstrndup(line, len);
	text[strcspn(text, "\r\n")] = '\0';
	if (strncmp(text, "HTTP/", 5) == 0)
		rc = take_status(k, text);
	else
		rc = *text ? take_field(k, text) : end_head(k);
	return rc == 0 ? len : 0;
}
