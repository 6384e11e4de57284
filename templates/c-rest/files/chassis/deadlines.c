#include "chassis/deadlines.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "chassis/stamp.h"

#define TICK_NS 250000000L

struct deadline {
	struct deadline *next;
	struct deadline *previous;
	int64_t at_ns; /* 0: none */
	int fd;
};

struct deadlines {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	struct deadline *first;
	bool stopping;
};

static void cut_late(struct deadlines *deadlines)
{
	int64_t now = stamp_monotonic_ns();

	for (struct deadline *d = deadlines->first; d; d = d->next)
		if (d->at_ns && d->at_ns <= now) {
			d->at_ns = 0;
			shutdown(d->fd, SHUT_RDWR);
		}
}

static void *watch(void *context)
{
	struct deadlines *deadlines = context;

	pthread_mutex_lock(&deadlines->lock);
	while (!deadlines->stopping) {
		int64_t until = stamp_monotonic_ns() + TICK_NS;
		struct timespec tick = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};

		pthread_cond_timedwait(&deadlines->wake, &deadlines->lock, &tick);
		cut_late(deadlines);
	}
	pthread_mutex_unlock(&deadlines->lock);
	return NULL;
}

int deadlines_start(struct deadlines **out, struct text *why)
{
	struct deadlines *deadlines = must_alloc(1, sizeof(*deadlines));
	pthread_condattr_t attributes;
	int failure;

	pthread_mutex_init(&deadlines->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&deadlines->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	failure = pthread_create(&deadlines->thread, NULL, watch, deadlines);
	if (failure) {
		text_addf(why, "cannot start the deadline thread: %s", strerror(failure));
		free(deadlines);
		return -1;
	}
	*out = deadlines;
	return 0;
}

void deadlines_stop(struct deadlines *deadlines)
{
	if (!deadlines)
		return;
	pthread_mutex_lock(&deadlines->lock);
	deadlines->stopping = true;
	pthread_cond_signal(&deadlines->wake);
	pthread_mutex_unlock(&deadlines->lock);
	pthread_join(deadlines->thread, NULL);
	pthread_cond_destroy(&deadlines->wake);
	pthread_mutex_destroy(&deadlines->lock);
	free(deadlines);
}

struct deadline *deadline_join(struct deadlines *deadlines, int fd)
{
	struct deadline *deadline = must_alloc(1, sizeof(*deadline));

	deadline->fd = fd;
	pthread_mutex_lock(&deadlines->lock);
	deadline->next = deadlines->first;
	if (deadline->next)
		deadline->next->previous = deadline;
	deadlines->first = deadline;
	pthread_mutex_unlock(&deadlines->lock);
	return deadline;
}

void deadline_leave(struct deadlines *deadlines, struct deadline *deadline)
{
	pthread_mutex_lock(&deadlines->lock);
	if (deadline->next)
		deadline->next->previous = deadline->previous;
	if (deadline->previous)
		deadline->previous->next = deadline->next;
	else
		deadlines->first = deadline->next;
	pthread_mutex_unlock(&deadlines->lock);
	free(deadline);
}

void deadline_set(struct deadlines *deadlines, struct deadline *deadline, int timeout_ms)
{
	pthread_mutex_lock(&deadlines->lock);
	deadline->at_ns = timeout_ms ? stamp_monotonic_ns() + (int64_t)timeout_ms * 1000000 : 0;
	pthread_mutex_unlock(&deadlines->lock);
}
