#include "base/auto.h"
#include "base/mem.h"
#include "deploy/failfast.h"

#include <criterion/criterion.h>
#include <string.h>

static json_t *read_json(const char *text)
{
	AUTO_FREE char *copy = xstrdup(text);
	json_t *doc = NULL;
	struct error err = {0};

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	cr_assert_eq(doc_json_parse(span_of(copy), "test", &doc, &err), 0, "%s: %s", err.msg, copy);
	return doc;
}

#define WAITS(reason, message) "'state':{'waiting':{'reason':'" reason "','message':'" message "'}}"
#define NOTHING (-2)

/* grace: ms, FAILFAST_NEVER, or NOTHING for no problem */
Test(deploy_failfast, containers)
{
	static const struct {
		const char *status, *warning;
		bool once;
		int64_t grace;
	} rows[] = {
		{WAITS("ContainerCreating", ""), NULL, false, NOTHING},
		{WAITS("PodInitializing", ""), NULL, false, NOTHING},
		{"'state':{'running':{}},'ready':false", NULL, false, NOTHING},
		{WAITS("InvalidImageName", "x"), NULL, false, 0},
		{WAITS("ErrImageNeverPull", "x"), NULL, false, 0},
		{WAITS("ErrImagePull", "rpc error: manifest unknown"), NULL, false, 0},
		{WAITS("ErrImagePull", "x: not found"), NULL, false, 0},
		{WAITS("ErrImagePull", "pull access denied"), NULL, false, 0},
		{WAITS("ErrImagePull", "401 Unauthorized"), NULL, false, 0},
		{WAITS("ErrImagePull", "dial tcp: i/o timeout"), NULL, false, 60000},
		{WAITS("ErrImagePull", "429 Too Many Requests"), NULL, false, 60000},
		{WAITS("ImagePullBackOff", "Back-off pulling image"), NULL, false, 5000},
		{WAITS("ImagePullBackOff", "Back-off pulling image"),
		 "Failed: Failed to pull image: not found", false, 0},
		{WAITS("ImagePullBackOff", "Back-off pulling image"),
		 "Failed: Failed to pull image: i/o timeout", false, 60000},
		{WAITS("ImagePullBackOff", "Back-off pulling image"), "Failed: not found", true, 5000},
		{"'restartCount':1,'lastState':{'terminated':{'exitCode':1}}," WAITS("CrashLoopBackOff",
																			 "x"),
		 NULL, false, 0},
		{"'restartCount':0,'lastState':{'terminated':{'exitCode':1}}," WAITS("CrashLoopBackOff",
																			 "x"),
		 NULL, false, 10000},
		{"'restartCount':3," WAITS("CrashLoopBackOff", "x"), NULL, true, NOTHING},
		{WAITS("CreateContainerConfigError", "configmap not found"), NULL, false, 5000},
		{WAITS("RunContainerError", "exec: no such file or directory"), NULL, false, 0},
		{WAITS("CreateContainerError", "name is reserved"), NULL, false, 5000},
		{"'restartCount':0,'state':{'terminated':{'exitCode':1,'reason':'Error'}}", NULL, false,
		 NOTHING},
		{"'restartCount':2,'state':{'terminated':{'exitCode':1,'reason':'Error'}}", NULL, false, 0},
		{"'restartCount':2,'state':{'terminated':{'exitCode':0,'reason':'Completed'}}", NULL, false,
		 NOTHING},
		{"'restartCount':2,'state':{'terminated':{'exitCode':1,'reason':'Error'}}", NULL, true,
		 NOTHING},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *text =
			xasprintf("{'status':{'phase':'Pending','containerStatuses':[{'name':'app',%s}]}}",
					  rows[i].status);
		AUTO_JSON json_t *pod = read_json(text);
		AUTO(strv) struct strv warnings = {0};
		struct deploy_problem p;

		if (rows[i].warning)
			strv_add(&warnings, rows[i].warning);
		failfast_pod(pod, &warnings, rows[i].once, &p);
		cr_expect_eq(p.found, rows[i].grace != NOTHING, "row %zu", i);
		if (p.found) {
			cr_expect_eq(p.grace_ms, rows[i].grace, "row %zu: %ld", i, (long)p.grace_ms);
			cr_expect_str_eq(p.container, "app");
			cr_expect(failfast_next(&p)[0]);
		}
	}
}

Test(deploy_failfast, a_back_off_tells_what_the_registry_said)
{
	AUTO_JSON json_t *pod = read_json("{'status':{'containerStatuses':[{'name':'app'," WAITS(
		"ImagePullBackOff", "Back-off pulling image") "}]}}");
	AUTO(strv) struct strv warnings = {0};
	struct deploy_problem p;

	strv_add(&warnings, "Failed: Failed to pull image x: manifest unknown");
	failfast_pod(pod, &warnings, false, &p);
	cr_expect_str_eq(p.reason, "ImagePullBackOff");
	cr_expect_str_eq(p.message, "Failed to pull image x: manifest unknown");
}

Test(deploy_failfast, whole_pods)
{
	static const struct {
		const char *status, *warning;
		int64_t grace;
	} rows[] = {
		{"'phase':'Running'", NULL, NOTHING},
		{"'phase':'Failed','reason':'Evicted'", NULL, FAILFAST_NEVER},
		{"'phase':'Pending','conditions':[{'type':'PodScheduled','status':'False','reason':"
		 "'Unschedulable'}]",
		 NULL, FAILFAST_NEVER},
		{"'phase':'Pending'", "FailedMount: secret not found", 90000},
		{"'phase':'Running'", "FailedMount: secret not found", NOTHING},
		{"'phase':'Pending','initContainerStatuses':[{'name':'i','state':{'running':{}}}]",
		 "FailedMount: timed out", NOTHING},
		{"'phase':'Pending','containerStatuses':[{" WAITS("ContainerCreating", "") "}]",
		 "FailedMount: timed out", 90000},
		{"'phase':'Pending'", "Unhealthy: readiness probe failed", NOTHING},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *text = xasprintf("{'status':{%s}}", rows[i].status);
		AUTO_JSON json_t *pod = read_json(text);
		AUTO(strv) struct strv warnings = {0};
		struct deploy_problem p;

		if (rows[i].warning)
			strv_add(&warnings, rows[i].warning);
		failfast_pod(pod, &warnings, false, &p);
		cr_expect_eq(p.found ? p.grace_ms : NOTHING, rows[i].grace, "row %zu", i);
	}
}

Test(deploy_failfast, the_worst_of_a_pod)
{
	AUTO_JSON json_t *pod = read_json(
		"{'status':{'phase':'Pending','conditions':[{'type':'PodScheduled','status':'False'"
		"}],'initContainerStatuses':[{"
		"'name':'slow'," WAITS(
			"ErrImagePull",
			"timeout") "}],'containerStatuses':[{'name':'bad','restartCount':4,"
					   "'lastState':{'terminated':{'exitCode':137,'reason':'OOMKilled'}"
					   "}," WAITS("CrashLoopBackOff", "x\\n\\u001b[31m") "}]}}");
	AUTO_JSON json_t *leaving =
		read_json("{'metadata':{'deletionTimestamp':'x'},'status':{'containerStatuses':[{" WAITS(
			"InvalidImageName", "") "}]}}");
	struct deploy_problem p;

	failfast_pod(pod, NULL, false, &p);
	cr_expect_str_eq(p.container, "bad");
	cr_expect_eq(p.exit_code, 137);
	cr_expect_eq(p.restarts, 4);
	cr_expect(p.has_log && p.previous);
	cr_expect_null(strchr(p.message, '\033'), "sanitized");
	failfast_pod(leaving, NULL, false, &p);
	cr_expect(!p.found, "a pod on its way out is nobody's problem");
}

Test(deploy_failfast, owners)
{
	static const struct {
		const char *status, *warning;
		int64_t grace;
	} rows[] = {
		{"", NULL, NOTHING},
		{"'conditions':[{'type':'ReplicaFailure','status':'True','reason':'FailedCreate','"
		 "message':'pods x is forbidden: "
		 "exceeded quota'}]",
		 NULL, 30000},
		{"'conditions':[{'type':'ReplicaFailure','status':'True','reason':'FailedCreate','"
		 "message':'violates PodSecurity'}]",
		 NULL, 3000},
		{"'conditions':[{'type':'ReplicaFailure','status':'False'}]", NULL, NOTHING},
		{"", "FailedCreate: serviceaccount x not found", 10000},
		{"'replicas':1", "FailedCreate: exceeded quota", NOTHING},
		{"'active':1", "FailedCreate: exceeded quota", 30000},
		{"'active':1}, 'kind':'Job', 'more':{", "FailedCreate: exceeded quota", NOTHING},
		{"'desiredNumberScheduled':2,'currentNumberScheduled':1}, 'kind':'DaemonSet', "
		 "'more':{",
		 "FailedCreate: exceeded quota", 30000},
		{"'desiredNumberScheduled':2,'currentNumberScheduled':2}, 'kind':'DaemonSet', "
		 "'more':{",
		 "FailedCreate: exceeded quota", NOTHING},
		{"", "BackOff: x", NOTHING},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *text = xasprintf("{'status':{%s}}", rows[i].status);
		AUTO_JSON json_t *live = read_json(text);
		AUTO(strv) struct strv warnings = {0};
		struct deploy_problem p;

		if (rows[i].warning)
			strv_add(&warnings, rows[i].warning);
		failfast_owner(live, &warnings, &p);
		cr_expect_eq(p.found ? p.grace_ms : NOTHING, rows[i].grace, "row %zu", i);
	}
}

Test(deploy_failfast, each_problem_has_its_own_grace)
{
	static const struct {
		int64_t now, grace;
		bool over;
	} rows[] = {
		{1000, 60000, false}, {50000, 60000, false}, {50001, 5000, false},
		{55000, 5000, false}, {55001, 5000, true},   {56000, NOTHING, false},
		{57000, 5000, false}, {57001, 0, true},      {99000, FAILFAST_NEVER, false},
	};
	struct failfast_timer t = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct deploy_problem p = {.found = rows[i].grace != NOTHING, .grace_ms = rows[i].grace};

		cr_expect_eq(failfast_is_over(&t, &p, rows[i].now), rows[i].over, "row %zu", i);
	}
}

Test(deploy_failfast, exit_codes)
{
	char text[96];

	cr_expect_str_eq(failfast_exit_text(1, "Error", text), "exited with status 1");
	cr_expect_str_eq(failfast_exit_text(137, "OOMKilled", text),
					 "exited with status 137 (out of memory)");
	cr_expect_str_eq(failfast_exit_text(139, "Error", text),
					 "exited with status 139 (crashed: segmentation fault)");
}
