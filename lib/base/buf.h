/* buf.h - growing bytes. A zeroed struct is an empty buffer.
 *
 * Invariant: data is NULL while nothing was ever added, and otherwise NUL-terminated behind len
 * bytes. buf_str() hides the difference. Growth is geometric; memory that runs out aborts, so a
 * buffer that is fed from outside is capped by its feeder. */
#pragma once

#include "base/compiler.h"
#include "base/span.h"

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t len;
	size_t cap;
};

void buf_release(struct buf *b);

/* Make room for `more` bytes behind len and return the place; len is the caller's to raise. */
char *buf_grow(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_adds(struct buf *b, const char *text);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) PRINTF(2, 0);

/* Cut to len bytes, which must not be more than there are; keeps the memory. */
void buf_cut(struct buf *b, size_t len);

/* The content as text; "" when empty. Valid until the next change. */
const char *buf_str(const struct buf *b);

static inline struct span buf_span(const struct buf *b)
{
	return (struct span){buf_str(b), b->len};
}

/* Give the content away as heap text (never NULL) and empty the buffer. */
char *buf_take(struct buf *b);
