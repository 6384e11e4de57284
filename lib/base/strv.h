/* strv.h - an owned list of owned strings, always NULL-terminated, so that items can be an argv. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>

struct strv {
	char **items; /* items[count] is NULL; items itself is NULL while empty */
	size_t count;
	size_t cap;
};

void strv_release(struct strv *v);
void strv_add(struct strv *v, const char *text);
void strv_addf(struct strv *v, const char *fmt, ...) PRINTF(2, 3);
/* Takes ownership of text. */
void strv_take(struct strv *v, char *text);
bool strv_has(const struct strv *v, const char *text);
/* Sort bytewise. */
void strv_sort(struct strv *v);
