/* trace.h - identifiers that come in with a request. */
#pragma once

#include <stdbool.h>

/* The trace id of a W3C traceparent header, or "" when there is none or it is not valid. */
void trace_id_parse(const char *traceparent, char out[33]);

/* Whether a client's X-Request-Id may be used: 1 to 64 letters, digits, '.', '_' and '-'. */
bool request_id_is_valid(const char *id);
