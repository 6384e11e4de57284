/* headers.h - header fields in order; names compare without case. */
#pragma once

#include <stddef.h>

struct http_header {
	char *name;
	char *value;
};

struct http_headers {
	struct http_header *items;
	size_t count;
	size_t cap;
};

void http_headers_release(struct http_headers *h);
/* Add a field; values with CR, LF or NUL are cut there. */
void http_headers_add(struct http_headers *h, const char *name, const char *value);
/* First value of a name, or NULL. Borrowed. */
const char *http_headers_get(const struct http_headers *h, const char *name);
