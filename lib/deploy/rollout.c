#include "deploy/rollout.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"
#include "deploy/apply.h"

#include <string.h>

#define TICK_MS 100

struct target {
	struct deploy_item *item;
	struct deploy_finding finding;
	struct failfast_timer timer;
	char shown[512];
	bool done;
};

struct rollout {
	struct deploy_session *s;
	struct deploy_picture picture;
	struct target *targets;
	size_t count;
	int64_t deadline_ms;
};

static int64_t now_ms(const struct rollout *r)
{
	return clock_now(kube_client_clock(r->s->client));
}

/* One line whenever what can be said about a target changes. */
static void show(const struct rollout *r, struct target *t)
{
	const struct deploy_finding *f = &t->finding;
	AUTO_FREE char *label = kube_object_label(&t->item->object, r->s->namespace_);
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *line = NULL;
	struct progress_event e = {.id = label, .label = label};

	if (f->problem.found)
		text = xasprintf("%s  %s%s%s", f->readiness.summary, f->problem.reason,
						 f->problem.message[0] ? ": " : "", f->problem.message);
	else
		text = xasprintf("%s%s%s", f->readiness.summary, f->readiness.message[0] ? "  " : "",
						 f->readiness.message);
	if (strcmp(text, t->shown) == 0)
		return;
	snprintf(t->shown, sizeof(t->shown), "%s", text);
	if (t->done) {
		e.kind = PROGRESS_DONE;
		e.text = text;
	} else {
		line = xasprintf("%-24s %s", label, text);
		e.kind = PROGRESS_NOTE;
		e.text = line;
	}
	progress_emit(r->s->progress, &e);
}

/* Returns true when it can only be called a failure. */
static bool judge(const struct rollout *r, struct target *t)
{
	struct deploy_finding *f = &t->finding;

	deploy_judge(&r->picture, t->item, f);
	if (f->readiness.state == KUBE_READY || f->readiness.state == KUBE_SUSPENDED) {
		t->done = true;
		t->timer = (struct failfast_timer){0};
		f->problem.found = false;
		return false;
	}
	t->done = false;
	if (f->readiness.state == KUBE_FAILED)
		return true;
	return failfast_is_over(&t->timer, &f->problem, now_ms(r));
}

/* Is a grace period running, so that time alone can change the verdict? */
static bool is_waiting_for_time(const struct rollout *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (!r->targets[i].done && r->targets[i].timer.since_ms)
			return true;
	return false;
}

static int not_ready(struct rollout *r, struct target *t, bool waited,
					 struct deploy_diagnosis *diagnosis, struct error *err)
{
	AUTO_FREE char *label = kube_object_label(&t->item->object, r->s->namespace_);
	size_t others = 0;

	for (size_t i = 0; i < r->count; i++)
		others += !r->targets[i].done && &r->targets[i] != t;
	deploy_picture_close(&r->picture);
	if (deploy_diagnose(&r->picture, t->item, &t->finding, waited, diagnosis, err) < 0)
		return -1;
	err_set(err, ERR_NOT_READY, "%s is not ready: %s", label, diagnosis->why);
	if (others > 0)
		err_set(err, ERR_NOT_READY, "%s is not ready: %s (%zu more %s not ready)", label,
				diagnosis->why, others, others == 1 ? "is" : "are");
	return err_hint(err, "%s", diagnosis->next);
}

/* Returns 1 when all are done, 0 to go on, -1 with *err. */
static int look(struct rollout *r, struct deploy_diagnosis *diagnosis, struct error *err)
{
	struct target *first = NULL;

	for (size_t i = 0; i < r->count; i++) {
		struct target *t = &r->targets[i];
		bool failed = judge(r, t);

		show(r, t);
		if (failed)
			return not_ready(r, t, false, diagnosis, err);
		/* of those that wait, one with a visible problem tells more */
		if (!t->done && (!first || (t->finding.problem.found && !first->finding.problem.found)))
			first = t;
	}
	if (!first)
		return 1;
	if (now_ms(r) >= r->deadline_ms)
		return not_ready(r, first, true, diagnosis, err);
	return 0;
}

static int follow(struct rollout *r, struct deploy_diagnosis *diagnosis, struct error *err)
{
	for (;;) {
		int rc;

		if (kube_wait(r->s->client, TICK_MS, err) < 0)
			return -1;
		deploy_picture_tick(&r->picture);
		/* half a picture accuses the wrong ones */
		if (!deploy_picture_is_synced(&r->picture) && now_ms(r) < r->deadline_ms)
			continue;
		if (!r->picture.changed && !is_waiting_for_time(r) && now_ms(r) < r->deadline_ms)
			continue;
		r->picture.changed = false;
		rc = look(r, diagnosis, err);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
	}
}

static void add_targets(struct rollout *r, struct deploy_set *set)
{
	r->targets = xcalloc(set->items.count, sizeof(*r->targets));
	for (size_t i = 0; i < set->items.count; i++) {
		struct deploy_item *item = set->items.items[i];
		struct kube_readiness now = {0};

		if (!kube_is_waited_for(item->object.api_version, item->object.kind))
			continue;
		if (item->live)
			kube_readiness_of(item->live, &now);
		if (now.state == KUBE_READY || now.state == KUBE_SUSPENDED)
			continue;
		r->targets[r->count++].item = item;
	}
}

static int watch_targets(struct rollout *r, struct error *err)
{
	AUTO_FREE struct deploy_item **items = xcalloc(r->count, sizeof(struct deploy_item *));

	for (size_t i = 0; i < r->count; i++)
		items[i] = r->targets[i].item;
	return deploy_picture_open(&r->picture, r->s, items, r->count, err);
}

int deploy_rollout(struct deploy_session *s, struct deploy_set *set,
				   const struct deploy_rollout_options *options, struct deploy_diagnosis *diagnosis,
				   struct error *err)
{
	struct rollout r = {.s = s};
	int rc = 0;

	add_targets(&r, set);
	r.deadline_ms = now_ms(&r) + options->timeout_ms;
	if (r.count > 0) {
		rc = watch_targets(&r, err);
		if (rc == 0)
			rc = follow(&r, diagnosis, err);
	}
	deploy_picture_release(&r.picture);
	free(r.targets);
	if (rc < 0 && err->code == ERR_INTERRUPTED) {
		err_set(err, ERR_INTERRUPTED,
				"interrupted while waiting: what was applied stays, and the cluster goes "
				"on "
				"with it");
		return err_hint(err, s->app ? "run 'msctl status' to see how far it is"
									: "run the same command again to go on waiting");
	}
	return rc;
}
