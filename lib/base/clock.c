#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t system_now(void *user)
{
	struct timespec ts;

	(void)user;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t system_wall(void *user)
{
	(void)user;
	return (int64_t)time(NULL);
}

static void system_sleep(void *user, int64_t ms)
{
	struct timespec ts = {ms / 1000, (ms % 1000) * 1000000};

	(void)user;
	nanosleep(&ts, NULL);
}

const struct clock clock_system = {system_now, system_wall, system_sleep, NULL};

const char *clock_rfc3339(int64_t wall_s, char out[32])
{
	time_t t = (time_t)wall_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(out, 32, "1970-01-01T00:00:00Z");
	return out;
}

int clock_parse_rfc3339(const char *text, int64_t *wall_s)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int hours = 0;
	int minutes = 0;
	int sign = 0;

	if (!rest)
		return -1;
	if (*rest == '.')
		for (rest++; isdigit((unsigned char)*rest); rest++)
			;
	if (*rest == '+' || *rest == '-') {
		sign = *rest == '-' ? -1 : 1;
		if (sscanf(rest + 1, "%2d:%2d", &hours, &minutes) != 2 || strlen(rest) != 6)
			return -1;
	} else if (strcmp(rest, "Z") != 0 && strcmp(rest, "z") != 0) {
		return -1;
	}
	*wall_s = (int64_t)timegm(&tm) - (int64_t)sign * (hours * 3600 + minutes * 60);
	return 0;
}
