/* set.h - what is to be deployed: objects with where they came from, what lives on the server, and
 * what was done. */
#pragma once

#include "base/list.h"
#include "base/progress.h"
#include "doc/yaml.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "kube/object.h"

enum deploy_action {
	DEPLOY_UNDECIDED,
	DEPLOY_UNCHANGED,
	DEPLOY_CREATED,
	DEPLOY_CONFIGURED,
	DEPLOY_DELETED,
};

struct deploy_item {
	struct kube_object object;
	json_t *live; /* as the server had it last; NULL: not there */
	int rank;     /* place in the order (order.h) */
	enum deploy_action action;
};

struct deploy_set {
	LIST(struct deploy_item *) items;
	LIST(struct yaml_file *) files; /* keep the positions alive */
};

void deploy_set_release(struct deploy_set *s);
void deploy_item_free(struct deploy_item *item);

/* "created", "configured" ... */
const char *deploy_action_name(enum deploy_action a);
size_t deploy_set_count(const struct deploy_set *s, enum deploy_action a);

/* The cluster and the place in it; everything that talks to the server takes one. */
struct deploy_session {
	struct kube_client *client;
	struct kube_discovery discovery;
	const char *namespace_; /* of objects that name none */
	const char *app, *env;  /* labels; NULL: plain manifests, no labels */
	const struct cancel *cancel;
	const struct progress *progress;
	char *cache_dir; /* for the server's schema; NULL: none */
};

/* Releases the discovery and the cache's path; the client is the caller's. */
void deploy_session_release(struct deploy_session *s);

/* Ask the server which kinds it serves and give every object its resource and namespace.
 * ERR_MISSING, before anything is written: a kind is not served. ERR_INPUT: an object stands twice.
 */
int deploy_bind(struct deploy_session *s, struct deploy_set *set, struct error *err);

/* Does the set itself bring the namespace or the kind that the item needs, so that its absence is
 * no error in a rehearsal? */
bool deploy_set_brings(const struct deploy_set *set, const struct deploy_item *item);

/* The label selector of the session's app and environment; NULL without an app. Caller frees. */
char *deploy_selector(const struct deploy_session *s);
