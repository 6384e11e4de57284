/* workers.h - a fixed number of threads behind a bounded queue.
 *
 * The queue is the bulkhead of the service: network threads only hand work over, so a handler that
 * blocks delays nobody but the requests behind it, and when the queue is full the caller sheds
 * load. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "chassis/text.h"

/* Embedded in the caller's struct; owned by the caller. */
struct job {
	struct job *next;
	void (*run)(struct job *job);    /* on a worker thread */
	void (*cancel)(struct job *job); /* instead of run, when the workers stop first */
};

struct workers;

int workers_start(int threads, int queue_limit, struct workers **out, struct text *why);

/* Take a place in the queue; false when it is full or the workers stop. */
bool workers_reserve(struct workers *workers);

/* Hand over a job for which a place was taken. */
void workers_submit(struct workers *workers, struct job *job);

int workers_waiting(struct workers *workers);

/* Cancel what waits, let what runs finish until `grace_ms` is over, and free everything. Returns -1
 * when a job still runs then: nothing is freed; call again, or end the process. */
int workers_stop(struct workers *workers, int grace_ms);
