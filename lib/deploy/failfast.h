/* failfast.h - which signals of the cluster mean that waiting is in vain, and for how long to
 * doubt.
 *
 * Pure functions over live objects: tests feed them documents. */
#pragma once

#include "base/strv.h"
#include "doc/json.h"

#include <stdint.h>

#define FAILFAST_NEVER (-1) /* shown, but waited for until the time is up */

/* What is wrong with one pod or owner. */
struct deploy_problem {
	bool found;
	int64_t grace_ms;   /* how long it may last before it is a failure */
	char container[64]; /* "" the pod as a whole */
	char reason[64];    /* "ImagePullBackOff" */
	char message[512];  /* in the cluster's words; sanitized */
	int exit_code;      /* -1: none */
	int64_t restarts;
	bool has_log;  /* the container ran: its log may say more */
	bool previous; /* the log of the instance before */
};

/* The worst problem of a pod. warnings: messages of its Warning events ("Reason: message"), NULL:
 * none. once: the pod is to run to its end (a Job's), so that exits are its owner's to judge. */
void failfast_pod(const json_t *pod, const struct strv *warnings, bool once,
				  struct deploy_problem *out);

/* The problem of a workload that makes no pods: its conditions (ReplicaFailure) and Warning events
 * (FailedCreate), as long as pods are missing. */
void failfast_owner(const json_t *live, const struct strv *warnings, struct deploy_problem *out);

/* How long a problem has lasted. Zeroed: there was none. */
struct failfast_timer {
	int64_t since_ms; /* 0: no problem that can fail */
	int64_t grace_ms;
};

/* Has the problem outlived its grace, as of now? A problem of another grace starts anew: what a
 * slow registry used up is not taken from a missing ConfigMap. */
bool failfast_is_over(struct failfast_timer *t, const struct deploy_problem *p, int64_t now_ms);

/* One sentence on what to do: "check the image's name and tag ...". */
const char *failfast_next(const struct deploy_problem *p);

/* "exited with status 137 (killed; out of memory?)" into out. */
const char *failfast_exit_text(int exit_code, const char *reason, char out[96]);
