/* text.h - a growing, always NUL-terminated buffer, and small helpers for memory.
 *
 * Running out of memory ends the process with one line: a service without memory cannot answer, and
 * its orchestrator starts it anew. So none of these functions can fail. */
#pragma once

#include <stddef.h>

#define PRINTF(string, first) __attribute__((format(printf, string, first)))

struct text {
	char *data; /* NULL while empty */
	size_t size;
	size_t room;
};

void text_add(struct text *text, const void *bytes, size_t size);
void text_addf(struct text *text, const char *format, ...) PRINTF(2, 3);

/* Append `string` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
void text_add_json(struct text *text, const char *string);

/* The contents, never NULL; valid until the next change. */
const char *text_string(const struct text *text);

void text_release(struct text *text);

/* Zeroed memory; the caller frees it. */
void *must_alloc(size_t count, size_t size);
char *must_copy(const char *string);
