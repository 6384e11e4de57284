#include "base/mem.h"
#include "registry/session.h"

#define SLICE_MS 200 /* how late a job that waits may start while others run */
#define FEED_MS 20   /* the same while more may come */

/* Start what may start. Milliseconds until more may, or -1 when nothing waits for time. */
static int pump(struct jobs *set, int64_t *wait, struct error *err)
{
	int64_t now = clock_now(set->r->clock);

	*wait = -1;
	if (session_check_time(set->r, err) < 0)
		return -1;
	for (size_t i = 0; i < set->list.count && set->running < REGISTRY_PARALLEL; i++) {
		struct job *j = set->list.items[i];
		int64_t left = j->not_before_ms - now;

		if (j->state != JOB_WAITS)
			continue;
		if (left > 0) {
			*wait = *wait < 0 || left < *wait ? left : *wait;
			continue;
		}
		j->state = JOB_RUNS;
		set->running++;
		if (set->begin(j, err) < 0)
			return -1;
	}
	return 0;
}

static int run(struct jobs *set, struct error *err)
{
	const struct clock *clock = set->r->clock;

	for (;;) {
		int more = set->feed ? set->feed(set->user, false, err) : 0;
		int64_t wait;

		if (more < 0 || cancel_check(set->r->o.cancel, err) < 0 || pump(set, &wait, err) < 0)
			return -1;
		if (set->running > 0) {
			if (http_run(set->r->client, more ? FEED_MS : SLICE_MS, err) < 0) {
				/* it has forgotten its exchanges */
				for (size_t i = 0; i < set->list.count; i++)
					set->list.items[i]->exchange = NULL;
				return -1;
			}
		} else if (wait >= 0) {
			clock->sleep_ms(clock->user, wait);
		} else if (!more) {
			return 0;
		} else if (set->feed(set->user, true, err) < 0) {
			return -1;
		}
	}
}

int jobs_run(struct jobs *set, struct error *err)
{
	int rc = run(set, err);

	for (size_t i = 0; i < set->list.count; i++)
		if (set->list.items[i]->exchange)
			http_abort(set->r->client, TAKE(set->list.items[i]->exchange));
	return rc;
}

int jobs_done(struct jobs *set, struct job *j, struct error *err)
{
	int64_t unused;

	j->state = JOB_DONE;
	set->running--;
	return pump(set, &unused, err);
}

int jobs_wait(struct jobs *set, struct job *j, int64_t delay_ms, struct error *err)
{
	int64_t unused;

	j->state = JOB_WAITS;
	j->not_before_ms = clock_now(set->r->clock) + delay_ms;
	set->running--;
	return pump(set, &unused, err);
}
