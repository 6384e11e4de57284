/* apply.h - server-side apply: the request, and what to do about a conflict
 * (kubernetes.io: reference/using-api/server-side-apply).
 *
 * Objects are never forced whole without a reason: each conflicting field is decided on its own. */
#pragma once

#include "base/strv.h"
#include "kube/client.h"
#include "kube/fields.h"
#include "kube/object.h"

/* Make a document fit to be applied: no nulls, no status, no managedFields and other fields of the
 * server, stringData as data (of a checked Secret), amounts like "cpu: 0.5" as text, and "protocol:
 * TCP" where a port names none (older servers refuse what they would fill in). */
void kube_apply_normalize(json_t *doc);

/* Are the values of a Secret what they must be? A server that refuses one repeats it in its
 * message, so none is sent. ERR_INPUT with the place; never with the value. Other kinds pass. */
int kube_secret_check(const struct kube_object *o, struct error *err);

struct kube_apply_options {
	bool force;
	bool dry_run;
};

/* PATH?fieldManager=msctl&force=...; caller frees. */
char *kube_apply_path(const struct kube_object *o, const struct kube_apply_options *options);

enum kube_conflict_action {
	KUBE_CONFLICT_STOP,  /* somebody else's field: the user must decide */
	KUBE_CONFLICT_SHARE, /* a controller's field: leave it out of ours */
	KUBE_CONFLICT_TAKE,  /* set by hand or by a tool that we replace: take it */
};

/* One conflicting field: ".spec.replicas" managed by "kube-controller-manager". */
enum kube_conflict_action kube_conflict_decide(const char *field, const char *manager);

struct kube_conflicts {
	struct strv shared; /* field paths, taken out of the document */
	struct strv taken;  /* "spec.replicas (from kubectl-scale)" */
	struct strv open;   /* "spec.replicas is managed by argocd" */
};

void kube_conflicts_release(struct kube_conflicts *c);

/* Read the Status of a 409 and decide each cause; shared fields are removed from desired. Returns
 * true if the request can be sent again (with force when c->taken is not empty). */
bool kube_conflicts_resolve(const json_t *status, json_t *desired, struct kube_conflicts *c);

/* Before the first request: fields that a controller holds in the live object (an autoscaler's
 * replicas) are left to it. Returns how many. */
size_t kube_apply_share(const json_t *live, json_t *desired);

/* Is this refusal about a field that cannot change? */
bool kube_is_immutable(int status, const json_t *status_doc);
