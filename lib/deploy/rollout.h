/* rollout.h - wait until what was deployed is really ready, or can be seen never to become so.
 *
 * Follows the cluster by watches (picture.h), judges by readiness.h and failfast.h. An object that
 * is ready already costs no request. Never changes anything. */
#pragma once

#include "deploy/diagnosis.h"
#include "deploy/set.h"

struct deploy_rollout_options {
	int64_t timeout_ms;
};

/* Returns 0 when everything is ready. ERR_NOT_READY with *diagnosis filled: something failed, or
 * the time is up; ERR_INTERRUPTED: the cluster goes on by itself; other classes: the server could
 * not be watched. */
int deploy_rollout(struct deploy_session *s, struct deploy_set *set,
				   const struct deploy_rollout_options *options, struct deploy_diagnosis *diagnosis,
				   struct error *err);

/* One row of `msctl status`: what is there and why it is not ready. Borrowed set; *rows is a new
 * array of objects {kind, name, namespace, state, ready, reason, message}. Returns the number of
 * rows that are not ready, or -1. */
int deploy_status(struct deploy_session *s, struct deploy_set *set, json_t **rows,
				  struct error *err);
