/* order.h - in which order objects are written: what others need comes first. Equal ranks go at the
 * same time. */
#pragma once

#include "deploy/set.h"

#define DEPLOY_RANK_DEFINITION 1 /* CustomResourceDefinitions: waited for before what follows */

/* 0 first. Kinds that are not listed stand behind workloads. */
int deploy_rank(const struct kube_object *o);
/* Sort by rank; equal ranks keep the order in which they were written. */
void deploy_order(struct deploy_set *set);
/* Add the group-versions that waiting for the set's workloads needs ("v1" for pods, "apps/v1" for
 * replica sets). */
void deploy_wait_versions(const struct deploy_set *set, struct strv *wanted);
