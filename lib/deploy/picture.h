/* picture.h - what is going on around workloads, kept current by watches: the workloads, their
 * replica sets and pods, and warnings. One watch a kind and namespace; selectors keep strangers'
 * pods out where the workloads share a label. */
#pragma once

#include "base/map.h"
#include "deploy/set.h"
#include "kube/watch.h"

#define PICTURE_MAX_WARNINGS 8 /* kept of one object */

struct deploy_picture {
	struct deploy_session *s;
	struct map live;     /* "Kind/namespace/name" -> json_t *, or NULL once deleted */
	struct map parts;    /* uid -> json_t * of pods and replica sets; NULL once deleted */
	struct map warnings; /* uid -> struct strv * "Reason: message" */
	LIST(struct picture_feed *) feeds;
	int64_t started_s;
	bool changed; /* since it was last looked at */
};

void deploy_picture_release(struct deploy_picture *p);
/* Watch what belongs to these items. */
int deploy_picture_open(struct deploy_picture *p, struct deploy_session *s,
						struct deploy_item **items, size_t count, struct error *err);
/* Continue watches that wait; call it between runs. */
void deploy_picture_tick(struct deploy_picture *p);
/* Has every collection been listed once? */
bool deploy_picture_is_synced(const struct deploy_picture *p);
/* Stop all watches; what is known stays. */
void deploy_picture_close(struct deploy_picture *p);

/* What the server last said of an item: NULL when it was deleted; the item's own `live` before
 * anything is known. Borrowed. */
json_t *deploy_picture_live(const struct deploy_picture *p, const struct deploy_item *item);
/* Warnings about an object, oldest first; NULL: none. Borrowed. */
const struct strv *deploy_picture_warnings(const struct deploy_picture *p, const json_t *object);
/* The parts (pods or replica sets) that an object controls, for each of the kind. */
void deploy_picture_each(const struct deploy_picture *p, const char *kind, const json_t *owner,
						 void (*visit)(void *user, json_t *part), void *user);
