/* base64.h - base64 (RFC 4648, section 4). */
#pragma once

#include "base/buf.h"
#include "base/error.h"

void base64_encode(const void *data, size_t len, struct buf *out);
/* Strict alphabet; white space between groups is skipped, padding may be absent. ERR_INPUT. */
int base64_decode(const char *text, size_t len, struct buf *out, struct error *err);
