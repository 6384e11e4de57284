/* stamp.h - clocks and random identifiers. */
#pragma once

#include <stdint.h>

#define STAMP_TIME_BYTES 32
#define STAMP_UUID_BYTES 37

/* A monotonic clock, for durations and deadlines. */
int64_t stamp_monotonic_ns(void);

/* The time of day in UTC as in RFC 3339, with milliseconds: 2026-01-31T12:00:00.123Z */
void stamp_time(char out[STAMP_TIME_BYTES]);

/* A random UUID (RFC 9562, version 4) in lower case. */
void stamp_uuid(char out[STAMP_UUID_BYTES]);
