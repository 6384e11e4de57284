#include "kube/readiness.h"

#include "base/compiler.h"
#include "base/text.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *kube_state_name(enum kube_state s)
{
	static const char *const names[] = {"progressing", "ready", "failed", "suspended",
										"terminating"};

	return names[s];
}

const json_t *kube_condition(const json_t *live, const char *type)
{
	const json_t *conditions = doc_get(live, "status.conditions");

	for (size_t i = 0; i < json_array_size(conditions); i++) {
		const json_t *c = json_array_get(conditions, i);

		if (strcmp(doc_text(c, "type", ""), type) == 0)
			return c;
	}
	return NULL;
}

static bool is_true(const json_t *condition)
{
	return condition && strcmp(doc_text(condition, "status", ""), "True") == 0;
}

static bool is_false(const json_t *condition)
{
	return condition && strcmp(doc_text(condition, "status", ""), "False") == 0;
}

static void PRINTF(3, 4) say(struct kube_readiness *r, enum kube_state state, const char *fmt, ...)
{
	va_list ap;

	r->state = state;
	va_start(ap, fmt);
	vsnprintf(r->summary, sizeof(r->summary), fmt, ap);
	va_end(ap);
	utf8_sanitize(r->summary);
}

static void explain(struct kube_readiness *r, const json_t *condition)
{
	snprintf(r->reason, sizeof(r->reason), "%s", doc_text(condition, "reason", ""));
	snprintf(r->message, sizeof(r->message), "%s", doc_text(condition, "message", ""));
	utf8_sanitize(r->reason);
	utf8_sanitize(r->message);
}

static void fail(struct kube_readiness *r, const json_t *condition, const char *summary)
{
	say(r, KUBE_FAILED, "%s", summary);
	explain(r, condition);
}

/* Some controllers write observedGeneration as text (Argo Rollouts). */
static int64_t number_of(const json_t *v, int64_t fallback)
{
	int64_t n;

	if (json_is_integer(v))
		return json_integer_value(v);
	if (json_is_string(v) && text_to_int(json_string_value(v), INT64_MIN, INT64_MAX, &n))
		return n;
	return fallback;
}

static bool is_observed(const json_t *live)
{
	const json_t *observed = doc_get(live, "status.observedGeneration");

	return observed && number_of(observed, -1) >= doc_int(live, "metadata.generation", 0);
}

static void deployment(const json_t *live, struct kube_readiness *r)
{
	const json_t *progressing = kube_condition(live, "Progressing");
	int64_t want = doc_int(live, "spec.replicas", 1);
	int64_t updated = doc_int(live, "status.updatedReplicas", 0);
	int64_t all = doc_int(live, "status.replicas", 0);
	int64_t available = doc_int(live, "status.availableReplicas", 0);
	int64_t ready = doc_int(live, "status.readyReplicas", 0);

	say(r, KUBE_PROGRESSING, "%" PRId64 "/%" PRId64 " ready", ready, want);
	if (doc_bool(live, "spec.paused", false)) {
		say(r, KUBE_SUSPENDED, "paused");
		return;
	}
	if (!is_observed(live))
		return;
	if (is_false(progressing) &&
		strcmp(doc_text(progressing, "reason", ""), "ProgressDeadlineExceeded") == 0) {
		r->state = KUBE_FAILED;
		explain(r, progressing);
		return;
	}
	if (updated >= want && all <= updated && available >= want && ready >= want &&
		(want == 0 || is_true(kube_condition(live, "Available"))))
		r->state = KUBE_READY;
	else if (updated < want)
		snprintf(r->message, sizeof(r->message), "%" PRId64 " of %" PRId64 " updated", updated,
				 want);
	else if (all > updated)
		snprintf(r->message, sizeof(r->message), "%" PRId64 " old still running", all - updated);
}

static void stateful_set(const json_t *live, struct kube_readiness *r)
{
	int64_t want = doc_int(live, "spec.replicas", 1);
	int64_t ready = doc_int(live, "status.readyReplicas", 0);
	int64_t updated = doc_int(live, "status.updatedReplicas", 0);
	int64_t partition = doc_int(live, "spec.updateStrategy.rollingUpdate.partition", 0);
	const char *strategy = doc_text(live, "spec.updateStrategy.type", "RollingUpdate");
	const char *current = doc_text(live, "status.currentRevision", "");
	const char *update = doc_text(live, "status.updateRevision", "");
	bool moved;

	say(r, KUBE_PROGRESSING, "%" PRId64 "/%" PRId64 " ready", ready, want);
	if (!is_observed(live) || ready < want || doc_int(live, "status.replicas", 0) > want)
		return;
	moved = partition > 0 ? updated >= want - partition
						  : strcmp(current, update) == 0 || updated >= want;
	if (moved || strcmp(strategy, "OnDelete") == 0)
		r->state = KUBE_READY;
	else
		snprintf(r->message, sizeof(r->message), "%" PRId64 " of %" PRId64 " updated", updated,
				 want);
}

static void daemon_set(const json_t *live, struct kube_readiness *r)
{
	int64_t want = doc_int(live, "status.desiredNumberScheduled", 0);
	int64_t ready = doc_int(live, "status.numberReady", 0);
	int64_t available = doc_int(live, "status.numberAvailable", 0);
	bool moved = doc_int(live, "status.updatedNumberScheduled", 0) >= want ||
				 strcmp(doc_text(live, "spec.updateStrategy.type", ""), "OnDelete") == 0;

	say(r, KUBE_PROGRESSING, "%" PRId64 "/%" PRId64 " ready", ready, want);
	if (is_observed(live) && moved && ready >= want && available >= want)
		r->state = KUBE_READY;
}

static void replica_set(const json_t *live, struct kube_readiness *r)
{
	int64_t want = doc_int(live, "spec.replicas", 1);
	int64_t ready = doc_int(live, "status.readyReplicas", 0);

	say(r, KUBE_PROGRESSING, "%" PRId64 "/%" PRId64 " ready", ready, want);
	if (is_observed(live) && ready >= want && doc_int(live, "status.availableReplicas", 0) >= want)
		r->state = KUBE_READY;
}

static void job(const json_t *live, struct kube_readiness *r)
{
	const json_t *failed = kube_condition(live, "Failed");

	if (is_true(failed))
		fail(r, failed, "failed");
	else if (is_true(kube_condition(live, "Complete")) ||
			 is_true(kube_condition(live, "SuccessCriteriaMet")))
		say(r, KUBE_READY, "complete");
	else if (doc_bool(live, "spec.suspend", false))
		say(r, KUBE_SUSPENDED, "suspended");
	else
		say(r, KUBE_PROGRESSING, "%" PRId64 "/%" PRId64 " complete",
			doc_int(live, "status.succeeded", 0), doc_int(live, "spec.completions", 1));
}

static void cron_job(const json_t *live, struct kube_readiness *r)
{
	if (doc_bool(live, "spec.suspend", false))
		say(r, KUBE_SUSPENDED, "suspended");
	else
		say(r, KUBE_READY, "scheduled");
}

static void pod(const json_t *live, struct kube_readiness *r)
{
	const char *phase = doc_text(live, "status.phase", "Pending");

	say(r, KUBE_PROGRESSING, "%s", phase);
	if (strcmp(phase, "Failed") == 0) {
		r->state = KUBE_FAILED;
		snprintf(r->reason, sizeof(r->reason), "%s", doc_text(live, "status.reason", "Failed"));
		snprintf(r->message, sizeof(r->message), "%s", doc_text(live, "status.message", ""));
		utf8_sanitize(r->message);
	} else if (strcmp(phase, "Succeeded") == 0 || is_true(kube_condition(live, "Ready"))) {
		r->state = KUBE_READY;
	}
}

static void claim(const json_t *live, struct kube_readiness *r)
{
	const char *phase = doc_text(live, "status.phase", "Pending");

	say(r, KUBE_PROGRESSING, "%s", phase);
	if (strcmp(phase, "Bound") == 0)
		r->state = KUBE_READY;
	else if (strcmp(phase, "Lost") == 0)
		r->state = KUBE_FAILED;
}

static void phase_kind(const json_t *live, struct kube_readiness *r)
{
	const char *phase = doc_text(live, "status.phase", "Pending");

	say(r, KUBE_PROGRESSING, "%s", phase);
	if (strcmp(phase, "Active") == 0 || strcmp(phase, "Available") == 0 ||
		strcmp(phase, "Bound") == 0)
		r->state = KUBE_READY;
	else if (strcmp(phase, "Failed") == 0)
		r->state = KUBE_FAILED;
}

static void service(const json_t *live, struct kube_readiness *r)
{
	const char *type = doc_text(live, "spec.type", "ClusterIP");

	say(r, KUBE_READY, "%s", type);
	if (strcmp(type, "ExternalName") != 0 && !*doc_text(live, "spec.clusterIP", ""))
		say(r, KUBE_PROGRESSING, "no cluster IP");
	else if (strcmp(type, "LoadBalancer") == 0 &&
			 json_array_size(doc_get(live, "status.loadBalancer.ingress")) == 0)
		/* many clusters never give an address: shown, not waited for */
		say(r, KUBE_READY, "no address yet");
}

static void definition(const json_t *live, struct kube_readiness *r)
{
	const json_t *names = kube_condition(live, "NamesAccepted");

	say(r, KUBE_PROGRESSING, "installing");
	if (is_false(names))
		fail(r, names, "names refused");
	else if (is_true(kube_condition(live, "Established")))
		say(r, KUBE_READY, "established");
}

static void autoscaler(const json_t *live, struct kube_readiness *r)
{
	/* metrics come minutes later: that is not a failure of the deploy */
	say(r, KUBE_READY, "%" PRId64 " replicas", doc_int(live, "status.currentReplicas", 0));
}

static void api_service(const json_t *live, struct kube_readiness *r)
{
	const json_t *available = kube_condition(live, "Available");

	say(r, is_true(available) ? KUBE_READY : KUBE_PROGRESSING, "%s",
		is_true(available) ? "available" : "not available");
	if (available)
		explain(r, available);
}

static void exists(const json_t *live, struct kube_readiness *r)
{
	(void)live;
	say(r, KUBE_READY, "exists");
}

/* Kinds without a rule of their own: the conditions that most controllers write. */
static void generic(const json_t *live, struct kube_readiness *r)
{
	static const char *const good[] = {"Ready",     "Available",  "Healthy", "Synced",
									   "Succeeded", "Programmed", "Accepted"};
	const json_t *stalled = kube_condition(live, "Stalled");
	const json_t *status = json_object_get(live, "status");

	say(r, KUBE_PROGRESSING, "in progress");
	if (is_true(stalled)) {
		fail(r, stalled, "stalled");
		return;
	}
	if (doc_get(live, "status.observedGeneration") && !is_observed(live))
		return;
	if (is_true(kube_condition(live, "Reconciling")))
		return;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const json_t *c = kube_condition(live, good[i]);

		if (!c)
			continue;
		if (is_true(c))
			say(r, KUBE_READY, "%s", good[i]);
		else
			explain(r, c);
		return;
	}
	say(r, KUBE_READY, status ? "exists" : "exists, no status");
}

static const struct rule {
	const char *group;
	const char *kind;
	void (*judge)(const json_t *live, struct kube_readiness *r);
	bool waited;
} rules[] = {
	{"apps", "Deployment", deployment, true},
	{"apps", "StatefulSet", stateful_set, true},
	{"apps", "DaemonSet", daemon_set, true},
	{"apps", "ReplicaSet", replica_set, true},
	{"batch", "Job", job, true},
	{"batch", "CronJob", cron_job, false},
	{"", "Pod", pod, true},
	{"", "PersistentVolumeClaim", claim, false}, /* may wait for its first consumer */
	{"", "PersistentVolume", phase_kind, false},
	{"", "Namespace", phase_kind, false},
	{"", "Service", service, false},
	{"apiextensions.k8s.io", "CustomResourceDefinition", definition, false},
	{"apiregistration.k8s.io", "APIService", api_service, false},
	{"autoscaling", "HorizontalPodAutoscaler", autoscaler, false},
	{"policy", "PodDisruptionBudget", exists, false},
	{"networking.k8s.io", NULL, exists, false},
	{"rbac.authorization.k8s.io", NULL, exists, false},
	{"admissionregistration.k8s.io", NULL, exists, false},
	{"scheduling.k8s.io", NULL, exists, false},
	{"storage.k8s.io", NULL, exists, false},
	{"coordination.k8s.io", NULL, exists, false},
	{"", NULL, exists, false},
};

static const struct rule *rule_of(const char *api_version, const char *kind)
{
	const char *slash = strchr(api_version, '/');
	size_t len = slash ? (size_t)(slash - api_version) : 0;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (strlen(rules[i].group) == len && strncmp(rules[i].group, api_version, len) == 0 &&
			(!rules[i].kind || strcmp(rules[i].kind, kind) == 0))
			return &rules[i];
	return NULL;
}

bool kube_is_waited_for(const char *api_version, const char *kind)
{
	const struct rule *rule = rule_of(api_version, kind);

	return rule && rule->waited;
}

void kube_readiness_of(const json_t *live, struct kube_readiness *out)
{
	const struct rule *rule = rule_of(doc_text(live, "apiVersion", ""), doc_text(live, "kind", ""));

	memset(out, 0, sizeof(*out));
	if (doc_get(live, "metadata.deletionTimestamp")) {
		say(out, KUBE_TERMINATING, "terminating");
		return;
	}
	if (rule)
		rule->judge(live, out);
	else
		generic(live, out);
}
