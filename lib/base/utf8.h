/* utf8.h - the UTF-8 checks that borders need (RFC 3629: no overlong forms, no surrogates). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Length in bytes of the valid sequence at text[0..len), or 0 if there is none. */
size_t utf8_sequence(const char *text, size_t len);

bool utf8_is_valid(const char *text, size_t len);

/* Replace, in place, control characters (tab and newline too), marks that turn text around or are
 * invisible, and invalid bytes by '?'. */
void utf8_sanitize(char *text);

/* Columns that text takes on a terminal, one for each code point: good enough for tables. */
size_t utf8_width(const char *text);
