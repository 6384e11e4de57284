#include "http/headers.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void http_headers_release(struct http_headers *h)
{
	for (size_t i = 0; i < h->count; i++) {
		free(h->items[i].name);
		free(h->items[i].value);
	}
	free(h->items);
	*h = (struct http_headers){0};
}

void http_headers_add(struct http_headers *h, const char *name, const char *value)
{
	if (h->count == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 16;
		h->items = xrealloc(h->items, h->cap, sizeof(h->items[0]));
	}
	h->items[h->count].name = xstrndup(name, strcspn(name, "\r\n"));
	h->items[h->count].value = xstrndup(value, strcspn(value, "\r\n"));
	h->count++;
}

const char *http_headers_get(const struct http_headers *h, const char *name)
{
	for (size_t i = 0; i < h->count; i++)
		if (strcasecmp(h->items[i].name, name) == 0)
			return h->items[i].value;
	return NULL;
}
