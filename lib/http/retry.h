/* retry.h - when to try again. Inside lib/http and its tests only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RETRY_BASE_MS 250
#define RETRY_MAX_MS 30000

/* May the same request succeed a little later? 408 429 500 502 503 504 499 520-524. */
bool retry_status(int status);
/* A Retry-After value (seconds or HTTP-date, RFC 9110, section 10.2.3) in milliseconds from now,
 * within [0, HTTP_MAX_RETRY_AFTER_MS]; -1 when there is none that can be read. */
int64_t retry_after_ms(const char *value, int64_t wall_s);
/* Full jitter: evenly within [0, min(RETRY_MAX_MS, RETRY_BASE_MS * 2^(try - 1))]; tries count
 * from 1. */
int64_t retry_jitter_ms(int tries);
