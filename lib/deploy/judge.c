#include "deploy/diagnosis.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

/* the pod may be about to recover */
#define OLD_POD_GRACE_MS 5000

struct newest {
	const json_t *template; /* the Deployment's */
	const json_t *part;
	bool any; /* an older one is there */
};

static const char *annotation(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(doc_get(object, "metadata.annotations"), name));
}

/* The new replica set is the one with the Deployment's template, but for the hash that the
 * controller adds. The revisions that both carry lag behind when the number of replicas changes at
 * the same time. Old sets are on their way out and must not be judged. */
static void find_replica_set(void *user, json_t *part)
{
	struct newest *n = user;
	AUTO_JSON json_t *template = json_deep_copy(doc_get(part, "spec.template"));

	n->any = true;
	json_object_del(doc_get(template, "metadata.labels"), "pod-template-hash");
	if (template && json_equal(template, n->template))
		n->part = part;
}

struct pod_judge {
	const struct deploy_picture *p;
	struct deploy_finding *f;
	const char *label; /* a pod must carry label=value to be of the new revision; NULL: all are */
	const char *value;
	bool once;
};

static bool is_worse(const struct deploy_problem *a, const struct deploy_problem *b)
{
	if (!a->found || !b->found)
		return a->found;
	if ((a->grace_ms == FAILFAST_NEVER) != (b->grace_ms == FAILFAST_NEVER))
		return b->grace_ms == FAILFAST_NEVER;
	return a->grace_ms < b->grace_ms;
}

static void judge_pod(void *user, json_t *pod)
{
	struct pod_judge *j = user;
	const json_t *labels = doc_get(pod, "metadata.labels");
	const char *value = j->label ? json_string_value(json_object_get(labels, j->label)) : NULL;
	struct deploy_problem problem;

	if (j->label && (!value || strcmp(value, j->value) != 0))
		return;
	failfast_pod(pod, deploy_picture_warnings(j->p, pod), j->once, &problem);
	if (is_worse(&problem, &j->f->problem) || (!j->f->pod && !j->f->problem.found)) {
		j->f->problem = problem;
		j->f->pod = pod;
	}
}

/* With OrderedReady a StatefulSet waits for its pods of the version before, even for one that can
 * never become ready (kubernetes/kubernetes#67250). */
static void judge_old_pod(void *user, json_t *pod)
{
	struct pod_judge *j = user;
	const char *revision =
		json_string_value(json_object_get(doc_get(pod, "metadata.labels"), j->label));
	struct deploy_problem problem;

	if (!revision || strcmp(revision, j->value) == 0 || j->f->problem.found)
		return;
	failfast_pod(pod, deploy_picture_warnings(j->p, pod), false, &problem);
	if (!problem.found || problem.grace_ms == FAILFAST_NEVER)
		return;
	snprintf(j->f->problem.message, sizeof(j->f->problem.message),
			 "the StatefulSet waits for pod %s of the version before, which has %s",
			 doc_text(pod, "metadata.name", ""), problem.reason);
	snprintf(j->f->problem.reason, sizeof(j->f->problem.reason), "OldPodNotReady");
	j->f->problem.found = true;
	j->f->problem.grace_ms = OLD_POD_GRACE_MS;
	j->f->pod = pod;
}

static void judge_stateful_set(struct pod_judge *j, const json_t *live)
{
	const char *policy = doc_text(live, "spec.podManagementPolicy", "OrderedReady");

	j->label = "controller-revision-hash";
	j->value = doc_text(live, "status.updateRevision", "");
	deploy_picture_each(j->p, "Pod", live, judge_pod, j);
	if (strcmp(policy, "OrderedReady") == 0)
		deploy_picture_each(j->p, "Pod", live, judge_old_pod, j);
}

static void judge_owner(const struct deploy_picture *p, const json_t *owner,
						struct deploy_finding *f)
{
	struct deploy_problem problem;

	failfast_owner(owner, deploy_picture_warnings(p, owner), &problem);
	if (is_worse(&problem, &f->problem)) {
		f->problem = problem;
		f->pod = NULL;
	}
}

static void judge_deployment(struct pod_judge *j, const json_t *live)
{
	struct newest n = {.template = doc_get(live, "spec.template")};

	deploy_picture_each(j->p, "ReplicaSet", live, find_replica_set, &n);
	if (!n.part) {
		/* nothing new has been tried yet: what failed is the version before */
		if (n.any && j->f->readiness.state == KUBE_FAILED) {
			j->f->readiness.state = KUBE_PROGRESSING;
			j->f->readiness.reason[0] = j->f->readiness.message[0] = '\0';
		}
		return;
	}
	deploy_picture_each(j->p, "Pod", n.part, judge_pod, j);
	judge_owner(j->p, n.part, j->f);
}

/* Has the controller seen what we applied? Before that, its pods are the old ones. */
static bool is_observed(const json_t *live)
{
	return doc_int(live, "status.observedGeneration", 0) >= doc_int(live, "metadata.generation", 0);
}

static void judge_pods(struct pod_judge *j, const json_t *live, const char *kind)
{
	if (strcmp(kind, "Deployment") == 0) {
		if (is_observed(live))
			judge_deployment(j, live);
	} else if (strcmp(kind, "StatefulSet") == 0) {
		if (is_observed(live))
			judge_stateful_set(j, live);
	} else if (strcmp(kind, "DaemonSet") == 0) {
		const char *generation = annotation(live, "deprecated.daemonset.template.generation");

		j->label = generation ? "pod-template-generation" : NULL;
		j->value = generation;
		if (is_observed(live))
			deploy_picture_each(j->p, "Pod", live, judge_pod, j);
	} else if (strcmp(kind, "Pod") == 0) {
		const char *policy = doc_text(live, "spec.restartPolicy", "Always");
		json_t *pod = json_incref((json_t *)(uintptr_t)live);

		j->once = strcmp(policy, "Always") != 0;
		judge_pod(j, pod);
		json_decref(pod);
	} else {
		j->once = strcmp(kind, "Job") == 0;
		deploy_picture_each(j->p, "Pod", live, judge_pod, j);
	}
}

void deploy_judge(const struct deploy_picture *p, const struct deploy_item *item,
				  struct deploy_finding *out)
{
	const json_t *live = deploy_picture_live(p, item);
	struct deploy_finding f = {.problem = {.exit_code = -1}};
	struct pod_judge j = {.p = p, .f = &f};

	if (!live) {
		f.readiness = (struct kube_readiness){.state = KUBE_FAILED};
		snprintf(f.readiness.reason, sizeof(f.readiness.reason), "Deleted");
		snprintf(f.readiness.message, sizeof(f.readiness.message), "somebody deleted it meanwhile");
		*out = f;
		return;
	}
	kube_readiness_of(live, &f.readiness);
	if (f.readiness.state == KUBE_PROGRESSING || f.readiness.state == KUBE_FAILED) {
		judge_pods(&j, live, item->object.kind);
		judge_owner(p, live, &f);
	}
	*out = f;
}
