/* text.h - small questions about text that several areas ask. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);

/* Parse all of text as a decimal number within [min, max]; no sign but '-', no spaces. False
 * otherwise. */
bool text_to_int(const char *text, int64_t min, int64_t max, int64_t *out);

/* The candidate nearest to word by edit distance, or NULL if none is near enough to suggest.
 * candidates ends with NULL. */
const char *text_nearest(const char *word, const char *const *candidates);

/* "512 B", "4.1 MB" (powers of 1000), written into out. Returns out. */
const char *text_size(uint64_t bytes, char out[16]);

/* "850ms", "2.1s", "3m05s", written into out. Returns out. */
const char *text_duration(int64_t ms, char out[16]);

/* "500ms", "30s", "5m", "1h30m", or plain seconds -> milliseconds. */
int text_parse_duration(const char *text, int64_t *out_ms, struct error *err);

/* Does name match the shell pattern ('*' and '?' only)? Linear in time for any pattern. */
bool text_glob(const char *pattern, const char *name);
