/* health.h - what the probes answer.
 *
 * live: the process answers at all. started: the start is over. ready: started, not draining, and
 * no named dependency reported as broken. Reports are pushed by whoever uses the dependency, so
 * that a probe never waits for one. Safe from every thread. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "chassis/text.h"

#define HEALTH_MAX_CHECKS 8

struct health {
	pthread_mutex_t lock;
	bool started;
	bool draining;
	int check_count;
	struct {
		const char *name; /* a literal */
		bool ok;
	} checks[HEALTH_MAX_CHECKS];
};

void health_init(struct health *health);
void health_started(struct health *health);
void health_draining(struct health *health);

/* Say whether a dependency works. */
void health_report(struct health *health, const char *name, bool ok);

bool health_is_started(struct health *health);
bool health_is_ready(struct health *health);

/* Write the state as a JSON object. */
void health_write(struct health *health, struct text *out);
