/* readiness.h - is an object what it was asked to be? One rule a kind, for the rest generic rules
 * over conditions.
 *
 * The rules start from cli-utils' kstatus and mend its holes: an object without status is not
 * ready, observedGeneration counts also when it is text, a Job must complete, a failed Pod has
 * failed. */
#pragma once

#include "doc/json.h"

enum kube_state {
	KUBE_PROGRESSING,
	KUBE_READY,
	KUBE_FAILED,    /* it says itself that it will not become ready */
	KUBE_SUSPENDED, /* paused by its owner: counts as done */
	KUBE_TERMINATING,
};

struct kube_readiness {
	enum kube_state state;
	char summary[64];  /* "2/3 ready", "complete", "Bound" */
	char reason[64];   /* of a failure: "ProgressDeadlineExceeded" */
	char message[512]; /* in the cluster's words; sanitized */
};

/* What the live object says. Never fails. */
void kube_readiness_of(const json_t *live, struct kube_readiness *out);

/* Is there anything to wait for in objects of this kind? */
bool kube_is_waited_for(const char *api_version, const char *kind);

/* "progressing", "ready", "failed", "suspended", "terminating" */
const char *kube_state_name(enum kube_state s);

/* The condition of a type, or NULL. Borrowed. */
const json_t *kube_condition(const json_t *live, const char *type);
