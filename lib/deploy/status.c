#include "deploy/rollout.h"

#include "base/auto.h"
#include "base/mem.h"
#include "deploy/apply.h"

#include <string.h>

#define TICK_MS 20
#define PATIENCE_MS 5000

static bool is_unready(const struct deploy_item *item)
{
	struct kube_readiness r = {0};

	if (!item->live || !kube_is_waited_for(item->object.api_version, item->object.kind))
		return false;
	kube_readiness_of(item->live, &r);
	return r.state != KUBE_READY && r.state != KUBE_SUSPENDED;
}

/* Every list has come in once. */
static int synced(struct deploy_picture *p, struct error *err)
{
	const struct clock *clock = kube_client_clock(p->s->client);
	int64_t until = clock_now(clock) + PATIENCE_MS;

	while (!deploy_picture_is_synced(p) && clock_now(clock) < until)
		if (kube_wait(p->s->client, TICK_MS, err) < 0)
			return -1;
	return 0;
}

static json_t *row_of(const struct deploy_picture *p, const struct deploy_item *item, bool *ready)
{
	struct deploy_finding f = {0};
	json_t *row = json_object();
	const char *state = "missing";
	const char *reason = "";
	const char *message = "";

	*ready = false;
	if (item->live) {
		deploy_judge(p, item, &f);
		state = kube_state_name(f.readiness.state);
		*ready = f.readiness.state == KUBE_READY || f.readiness.state == KUBE_SUSPENDED;
		reason = f.problem.found ? f.problem.reason : f.readiness.reason;
		message = f.problem.found ? f.problem.message : f.readiness.message;
	}
	json_object_set_new(row, "kind", json_string(item->object.kind));
	json_object_set_new(row, "name", json_string(item->object.name));
	if (item->object.namespace_)
		json_object_set_new(row, "namespace", json_string(item->object.namespace_));
	json_object_set_new(row, "state", json_string(state));
	json_object_set_new(row, "ready", json_string(item->live ? f.readiness.summary : "-"));
	if (!*ready && *reason)
		json_object_set_new(row, "reason", json_string(reason));
	if (!*ready && *message)
		json_object_set_new(row, "message", json_string(message));
	return row;
}

int deploy_status(struct deploy_session *s, struct deploy_set *set, json_t **rows,
				  struct error *err)
{
	AUTO_FREE struct deploy_item **unready =
		xcalloc(set->items.count, sizeof(struct deploy_item *));
	AUTO(deploy_picture) struct deploy_picture picture = {.s = s};
	AUTO_JSON json_t *list = json_array();
	size_t count = 0;
	int bad = 0;

	if (deploy_read_live(s, set, err) < 0)
		return -1;
	for (size_t i = 0; i < set->items.count; i++)
		if (is_unready(set->items.items[i]))
			unready[count++] = set->items.items[i];
	if (count > 0 &&
		(deploy_picture_open(&picture, s, unready, count, err) < 0 || synced(&picture, err) < 0))
		return -1;
	for (size_t i = 0; i < set->items.count; i++) {
		bool ready;

		json_array_append_new(list, row_of(&picture, set->items.items[i], &ready));
		bad += !ready;
	}
	*rows = TAKE(list);
	return bad;
}
