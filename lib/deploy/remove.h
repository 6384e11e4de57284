/* remove.h - take objects out of a cluster, in the reverse of the order in which they came, and
 * wait until they are gone.
 *
 * Of an application only what carries its labels is deleted, and never Namespaces,
 * PersistentVolumeClaims and CustomResourceDefinitions: with them goes what others own or nobody
 * can bring back. Each DELETE names the uid that was looked at, so nothing that was made meanwhile
 * is hit. */
#pragma once

#include "deploy/set.h"

struct deploy_removal {
	struct kube_object object; /* doc is the live object */
	int rank;
	bool gone;
};

struct deploy_removals {
	LIST(struct deploy_removal *) items;
	size_t spared; /* ours, but of a kind that is never deleted with an application */
};

void deploy_removals_release(struct deploy_removals *r);

/* What there is to delete. by_label: what carries the session's labels, of the kinds and in the
 * namespaces of the set; else exactly the set's objects that exist. Ordered. */
int deploy_find_removals(struct deploy_session *s, struct deploy_set *set, bool by_label,
						 struct deploy_removals *out, struct error *err);

/* Delete and wait. ERR_NOT_READY: not gone in time, naming a finalizer that holds it. */
int deploy_remove(struct deploy_session *s, struct deploy_removals *r, int64_t timeout_ms,
				  struct error *err);
