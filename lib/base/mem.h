/* mem.h - allocation that never fails: out of memory ends the process with one line.
 * Everything is released with free(). Sizes that come from outside are capped by the caller. */
#pragma once

#include "base/compiler.h"

#include <stdarg.h>
#include <stddef.h>

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1, 2)));
/* count * size bytes; aborts when the product overflows. */
void *xrealloc(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
/* NULL gives NULL. */
char *xstrdup_opt(const char *text) __attribute__((malloc));
char *xstrndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) PRINTF(1, 2) __attribute__((malloc, returns_nonnull));
char *xvasprintf(const char *fmt, va_list ap) PRINTF(1, 0) __attribute__((malloc, returns_nonnull));
