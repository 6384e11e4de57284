/* diagnosis.h - why something is not ready, in four parts: what, why, evidence, next. */
#pragma once

#include "deploy/failfast.h"
#include "deploy/picture.h"
#include "kube/readiness.h"

#define DIAGNOSIS_LOG_LINES 20
#define DIAGNOSIS_MAX_LOG_BYTES (64u << 10)

struct deploy_diagnosis {
	char *what;         /* "Deployment/orders: container app of pod orders-7c9-x2"; NULL: nothing to
					   tell */
	char *why;          /* "CrashLoopBackOff: back-off ...; exited with status 1" */
	struct strv events; /* "BackOff: Back-off restarting failed container" */
	struct strv log;    /* last lines; sanitized */
	char *next;
};

void deploy_diagnosis_release(struct deploy_diagnosis *d);

/* What a workload shows now. pod is borrowed; NULL: none is to blame. */
struct deploy_finding {
	struct kube_readiness readiness;
	struct deploy_problem problem;
	const json_t *pod;
};

/* Judge one item: its own status, then its newest pods. */
void deploy_judge(const struct deploy_picture *p, const struct deploy_item *item,
				  struct deploy_finding *out);

/* Collect the evidence (asks the server for the log) and fill *out. waited: the time is up, nothing
 * failed by itself. A log that cannot be had is left out. */
int deploy_diagnose(struct deploy_picture *p, const struct deploy_item *item,
					const struct deploy_finding *f, bool waited, struct deploy_diagnosis *out,
					struct error *err);

/* {what, why, evidence: {events, log}, next} */
json_t *deploy_diagnosis_json(const struct deploy_diagnosis *d);
