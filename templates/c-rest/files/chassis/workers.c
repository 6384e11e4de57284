#include "chassis/workers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job *first;
	struct job **last;
	int waiting; /* places taken */
	int limit;
	bool stopping;
	int threads;
	pthread_t ids[];
};

static struct job *take_job(struct workers *workers, bool *cancel)
{
	struct job *job;

	pthread_mutex_lock(&workers->lock);
	while (!workers->first && !workers->stopping)
		pthread_cond_wait(&workers->wake, &workers->lock);
	job = workers->first;
	if (job) {
		workers->first = job->next;
		if (!workers->first)
			workers->last = &workers->first;
		workers->waiting--;
	}
	*cancel = workers->stopping;
	pthread_mutex_unlock(&workers->lock);
	return job;
}

static void *work(void *context)
{
	struct workers *workers = context;
	struct job *job;
	bool cancel;

	while ((job = take_job(workers, &cancel)) != NULL) {
		if (cancel)
			job->cancel(job);
		else
			job->run(job);
	}
	return NULL;
}

int workers_start(int threads, int queue_limit, struct workers **out, struct text *why)
{
	struct workers *workers =
		must_alloc(1, sizeof(*workers) + (size_t)threads * sizeof(workers->ids[0]));

	pthread_mutex_init(&workers->lock, NULL);
	pthread_cond_init(&workers->wake, NULL);
	workers->last = &workers->first;
	workers->limit = queue_limit;
	for (; workers->threads < threads; workers->threads++) {
		int failure = pthread_create(&workers->ids[workers->threads], NULL, work, workers);

		if (failure) {
			text_addf(why, "cannot start worker threads: %s", strerror(failure));
			workers_stop(workers, 1000);
			return -1;
		}
	}
	*out = workers;
	return 0;
}

bool workers_reserve(struct workers *workers)
{
	bool room;

	pthread_mutex_lock(&workers->lock);
	room = !workers->stopping && workers->waiting < workers->limit;
	if (room)
		workers->waiting++;
	pthread_mutex_unlock(&workers->lock);
	return room;
}

void workers_submit(struct workers *workers, struct job *job)
{
	job->next = NULL;
	pthread_mutex_lock(&workers->lock);
	*workers->last = job;
	workers->last = &job->next;
	pthread_cond_signal(&workers->wake);
	pthread_mutex_unlock(&workers->lock);
}

int workers_waiting(struct workers *workers)
{
	int waiting;

	pthread_mutex_lock(&workers->lock);
	waiting = workers->waiting;
	pthread_mutex_unlock(&workers->lock);
	return waiting;
}

int workers_stop(struct workers *workers, int grace_ms)
{
	struct timespec deadline;

	pthread_mutex_lock(&workers->lock);
	workers->stopping = true;
	pthread_cond_broadcast(&workers->wake);
	pthread_mutex_unlock(&workers->lock);
	/* not pthread_clockjoin_np: the thread sanitizer of gcc 12 does not know it */
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += grace_ms / 1000;
	deadline.tv_nsec += (grace_ms % 1000) * 1000000L;
	if (deadline.tv_nsec >= 1000000000) {
		deadline.tv_sec++;
		deadline.tv_nsec -= 1000000000;
	}
	for (; workers->threads > 0; workers->threads--)
		if (pthread_timedjoin_np(workers->ids[workers->threads - 1], NULL, &deadline) != 0)
			return -1;
	pthread_cond_destroy(&workers->wake);
	pthread_mutex_destroy(&workers->lock);
	free(workers);
	return 0;
}
