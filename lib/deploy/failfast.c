#include "deploy/failfast.h"

#include "base/compiler.h"
#include "base/text.h"
#include "base/utf8.h"
#include "kube/readiness.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SECONDS 1000

static bool says_any(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcasestr(text, *words))
			return true;
	return false;
}

static void copy(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
	utf8_sanitize(to);
}

static void found(struct deploy_problem *p, const char *reason, const char *message,
				  int64_t grace_ms)
{
	p->found = true;
	p->grace_ms = grace_ms;
	copy(p->reason, sizeof(p->reason), reason);
	copy(p->message, sizeof(p->message), message);
}

/* A refusal lasts; a registry that is slow or limits comes back. */
static int64_t pull_grace(const char *message, const struct strv *warnings)
{
	static const char *const lasting[] = {
		"not found",     "manifest unknown",     "name unknown",   "unauthorized",      "denied",
		"no basic auth", "authorization failed", "does not exist", "invalid reference", NULL};
	static const char *const passing[] = {"timeout",
										  "timed out",
										  "too many requests",
										  "429",
										  "connection re",
										  "temporar",
										  "no such host",
										  "x509",
										  "tls",
										  "502",
										  "503",
										  "504",
										  "eof",
										  NULL};
	bool any_passing = says_any(message, passing);

	if (says_any(message, lasting))
		return 0;
	for (size_t i = 0; warnings && i < warnings->count; i++) {
		if (!strcasestr(warnings->items[i], "pull"))
			continue;
		if (says_any(warnings->items[i], lasting))
			return 0;
		any_passing = any_passing || says_any(warnings->items[i], passing);
	}
	return any_passing ? 60 * SECONDS : 5 * SECONDS;
}

/* A back-off does not say why; the event of the failed try does. */
static const char *pull_message(const char *message, const struct strv *warnings)
{
	static const char prefix[] = "Failed: Failed to pull image";

	for (size_t i = 0; warnings && i < warnings->count; i++)
		if (text_starts(warnings->items[i], prefix))
			return warnings->items[i] + strlen("Failed: ");
	return message;
}

static int64_t start_grace(const char *message)
{
	static const char *const lasting[] = {"executable file not found", "no such file",
										  "permission denied",         "exec format error",
										  "not a directory",           NULL};

	return says_any(message, lasting) ? 0 : 5 * SECONDS;
}

static const json_t *last_end(const json_t *status)
{
	const json_t *now = doc_get(status, "state.terminated");

	return now ? now : doc_get(status, "lastState.terminated");
}

static void add_exit(const json_t *status, struct deploy_problem *p)
{
	const json_t *end = last_end(status);

	p->restarts = doc_int(status, "restartCount", 0);
	p->exit_code = end ? (int)doc_int(end, "exitCode", -1) : -1;
	p->has_log = end != NULL;
	p->previous = end && !doc_get(status, "state.terminated");
}

static void judge_waiting(const json_t *status, const json_t *waiting, const struct strv *warnings,
						  bool once, struct deploy_problem *p)
{
	const char *reason = doc_text(waiting, "reason", "");
	const char *message = doc_text(waiting, "message", "");

	if (strcmp(reason, "InvalidImageName") == 0 || strcmp(reason, "ErrImageNeverPull") == 0)
		found(p, reason, message, 0);
	else if (strcmp(reason, "ErrImagePull") == 0 || strcmp(reason, "ImagePullBackOff") == 0 ||
			 strcmp(reason, "RegistryUnavailable") == 0 || strcmp(reason, "ImageInspectError") == 0)
		found(p, reason, pull_message(message, warnings), pull_grace(message, warnings));
	else if (strcmp(reason, "CrashLoopBackOff") == 0 && !once)
		/* one restart is allowed: a dependency may come up in the same moment */
		found(p, reason, message, doc_int(status, "restartCount", 0) > 0 ? 0 : 10 * SECONDS);
	else if (strcmp(reason, "CreateContainerConfigError") == 0)
		/* the ConfigMap or Secret may be on its way from elsewhere */
		found(p, reason, message, 5 * SECONDS);
	else if (strcmp(reason, "CreateContainerError") == 0 ||
			 strcmp(reason, "RunContainerError") == 0)
		found(p, reason, message, start_grace(message));
	if (p->found)
		add_exit(status, p);
}

static void judge_ended(const json_t *status, const json_t *ended, struct deploy_problem *p)
{
	const char *reason = doc_text(ended, "reason", "Error");

	if (doc_int(ended, "exitCode", 0) == 0 || doc_int(status, "restartCount", 0) < 2)
		return;
	found(p, reason, doc_text(ended, "message", ""), 0);
	add_exit(status, p);
}

static void judge_container(const json_t *status, const struct strv *warnings, bool once,
							struct deploy_problem *p)
{
	const json_t *waiting = doc_get(status, "state.waiting");
	const json_t *ended = doc_get(status, "state.terminated");

	p->exit_code = -1;
	if (waiting)
		judge_waiting(status, waiting, warnings, once, p);
	else if (ended && !once)
		judge_ended(status, ended, p);
	if (p->found)
		copy(p->container, sizeof(p->container), doc_text(status, "name", ""));
}

static bool is_worse(const struct deploy_problem *a, const struct deploy_problem *b)
{
	if (!b->found || !a->found)
		return a->found;
	if (a->grace_ms == FAILFAST_NEVER || b->grace_ms == FAILFAST_NEVER)
		return b->grace_ms == FAILFAST_NEVER && a->grace_ms != FAILFAST_NEVER;
	return a->grace_ms < b->grace_ms;
}

/* A container that ran shows that volumes and network came in the end. */
static bool has_run(const json_t *statuses)
{
	for (size_t i = 0; i < json_array_size(statuses); i++) {
		const json_t *status = json_array_get(statuses, i);

		if (doc_get(status, "state.running") || last_end(status))
			return true;
	}
	return false;
}

static void judge_mounts(const struct strv *warnings, struct deploy_problem *p)
{
	static const char *const reasons[] = {
		"FailedMount: ", "FailedAttachVolume: ", "FailedCreatePodSandBox: "};

	for (size_t i = 0; warnings && i < warnings->count; i++)
		for (size_t k = 0; k < ARRAY_LEN(reasons); k++)
			if (text_starts(warnings->items[i], reasons[k])) {
				size_t len = strlen(reasons[k]);
				char reason[32];

				snprintf(reason, sizeof(reason), "%.*s", (int)len - 2, reasons[k]);
				found(p, reason, warnings->items[i] + len, 90 * SECONDS);
			}
}

static void judge_whole(const json_t *pod, const struct strv *warnings, bool once,
						struct deploy_problem *p)
{
	const json_t *scheduled = kube_condition(pod, "PodScheduled");
	const char *phase = doc_text(pod, "status.phase", "");

	p->exit_code = -1;
	if (strcmp(phase, "Failed") == 0 && !once)
		/* evicted or lost with its node: the owner makes another */
		found(p, doc_text(pod, "status.reason", "Failed"), doc_text(pod, "status.message", ""),
			  FAILFAST_NEVER);
	else if (scheduled && strcmp(doc_text(scheduled, "status", ""), "False") == 0)
		/* nodes may be on their way: an autoscaler needs minutes */
		found(p, doc_text(scheduled, "reason", "Unschedulable"), doc_text(scheduled, "message", ""),
			  FAILFAST_NEVER);
	else if (strcmp(phase, "Pending") == 0 &&
			 !has_run(doc_get(pod, "status.initContainerStatuses")) &&
			 !has_run(doc_get(pod, "status.containerStatuses")))
		judge_mounts(warnings, p);
}

void failfast_pod(const json_t *pod, const struct strv *warnings, bool once,
				  struct deploy_problem *out)
{
	static const char *const lists[] = {"status.initContainerStatuses", "status.containerStatuses"};
	struct deploy_problem worst = {.exit_code = -1};

	if (!doc_get(pod, "metadata.deletionTimestamp")) {
		judge_whole(pod, warnings, once, &worst);
		for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
			const json_t *list = doc_get(pod, lists[i]);

			for (size_t k = 0; k < json_array_size(list); k++) {
				struct deploy_problem p = {0};

				judge_container(json_array_get(list, k), warnings, once, &p);
				if (is_worse(&p, &worst))
					worst = p;
			}
		}
	}
	*out = worst;
}

/* No pod can be made. What the message says decides how long to believe that it passes. */
static int64_t create_grace(const char *message)
{
	static const char *const lasting[] = {"PodSecurity", "no PriorityClass", "admission webhook",
										  "is invalid",  "Invalid value",    NULL};

	if (says_any(message, lasting))
		return 3 * SECONDS;
	/* the account is made a moment later; old pods may give quota back */
	return strstr(message, "serviceaccount") ? 10 * SECONDS : 30 * SECONDS;
}

/* Events stay when what they tell of has passed: they count while pods are missing. */
static bool lacks_pods(const json_t *live)
{
	const char *kind = doc_text(live, "kind", "");

	if (strcmp(kind, "DaemonSet") == 0)
		return doc_int(live, "status.currentNumberScheduled", 0) <
			   doc_int(live, "status.desiredNumberScheduled", 1);
	if (strcmp(kind, "Job") == 0)
		return doc_int(live, "status.active", 0) + doc_int(live, "status.succeeded", 0) +
				   doc_int(live, "status.failed", 0) ==
			   0;
	return doc_int(live, "status.replicas", 0) < doc_int(live, "spec.replicas", 1);
}

void failfast_owner(const json_t *live, const struct strv *warnings, struct deploy_problem *out)
{
	const json_t *failure = kube_condition(live, "ReplicaFailure");
	struct deploy_problem p = {.exit_code = -1};

	if (failure && strcmp(doc_text(failure, "status", ""), "True") == 0)
		found(&p, doc_text(failure, "reason", "FailedCreate"), doc_text(failure, "message", ""),
			  create_grace(doc_text(failure, "message", "")));
	for (size_t i = 0; !p.found && warnings && i < warnings->count; i++)
		if (text_starts(warnings->items[i], "FailedCreate: ") && lacks_pods(live))
			found(&p, "FailedCreate", warnings->items[i] + 14, create_grace(warnings->items[i]));
	*out = p;
}

bool failfast_is_over(struct failfast_timer *t, const struct deploy_problem *p, int64_t now_ms)
{
	if (!p->found || p->grace_ms == FAILFAST_NEVER) {
		t->since_ms = 0;
		return false;
	}
	if (t->since_ms == 0 || t->grace_ms != p->grace_ms)
		*t = (struct failfast_timer){now_ms, p->grace_ms};
	return now_ms - t->since_ms >= p->grace_ms;
}

const char *failfast_exit_text(int exit_code, const char *reason, char out[96])
{
	static const struct {
		int code;
		const char *meaning;
	} meanings[] = {
		{126, "the command cannot be run"}, {127, "the command was not found"},
		{132, "illegal instruction"},       {134, "aborted"},
		{137, "killed; out of memory?"},    {139, "crashed: segmentation fault"},
		{143, "asked to end by SIGTERM"},
	};
	const char *meaning = NULL;

	for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
		if (meanings[i].code == exit_code)
			meaning = meanings[i].meaning;
	if (strcmp(reason, "OOMKilled") == 0)
		meaning = "out of memory";
	snprintf(out, 96, meaning ? "exited with status %d (%s)" : "exited with status %d", exit_code,
			 meaning);
	return out;
}

const char *failfast_next(const struct deploy_problem *p)
{
	static const struct {
		const char *reason;
		const char *next;
	} nexts[] = {
		{"ImagePullBackOff", "check that the image is in the registry ('msctl inspect "
							 "IMAGE') and that the cluster may pull it"},
		{"ErrImagePull", "check that the image is in the registry ('msctl inspect IMAGE') "
						 "and that the cluster may pull it"},
		{"InvalidImageName", "correct the image's name in the manifest"},
		{"ErrImageNeverPull", "load the image onto the nodes, or change imagePullPolicy"},
		{"CrashLoopBackOff", "read the log above, correct the application or its "
							 "configuration, and deploy again"},
		{"OOMKilled", "raise resources.limits.memory, or let the application use less"},
		{"CreateContainerConfigError",
		 "create the ConfigMap or Secret (or the key) that the message names"},
		{"CreateContainerError", "correct the container's command, mounts or security "
								 "settings as the message says"},
		{"RunContainerError", "correct the container's command, mounts or security "
							  "settings as the message says"},
		{"FailedCreate", "change what the message says: quota, policy or service account"},
		{"FailedMount", "create the volume, ConfigMap or Secret that the message names"},
		{"Unschedulable",
		 "give the cluster a node that fits, or ask for less in resources.requests"},
		{"ProgressDeadlineExceeded",
		 "see 'kubectl describe' of the pods, or raise progressDeadlineSeconds"},
		{"BackoffLimitExceeded", "read the log of the job's pods, then deploy it under a "
								 "new name or delete it first"},
		{"OldPodNotReady", "delete that pod: the new version takes its place"},
		{"Deleted", "find out who deletes it, then deploy again"},
		{"DeadlineExceeded", "raise activeDeadlineSeconds, or find out why the job is slow"},
	};

	for (size_t i = 0; i < ARRAY_LEN(nexts); i++)
		if (strcmp(nexts[i].reason, p->reason) == 0)
			return nexts[i].next;
	return "look at the pods with 'kubectl describe', or give it more time with --timeout";
}
