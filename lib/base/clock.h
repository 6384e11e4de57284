/* clock.h - time behind a replaceable clock, so that tests wait for nothing. */
#pragma once

#include <stdint.h>

struct clock {
	int64_t (*now_ms)(void *user);            /* monotonic */
	int64_t (*wall_s)(void *user);            /* seconds since 1970 */
	void (*sleep_ms)(void *user, int64_t ms); /* may return early when interrupted */
	void *user;
};

/* The system's clock. */
extern const struct clock clock_system;

static inline int64_t clock_now(const struct clock *c)
{
	return c->now_ms(c->user);
}

/* "2026-11-23T20:47:00Z" (RFC 3339, UTC), written into out. Returns out. */
const char *clock_rfc3339(int64_t wall_s, char out[32]);

/* Parse RFC 3339 (any offset, fraction ignored) into seconds since 1970. Returns -1 if it is none.
 */
int clock_parse_rfc3339(const char *text, int64_t *wall_s);
