#include "base/auto.h"
#include "base/mem.h"
#include "kube/readiness.h"

#include <criterion/criterion.h>
#include <string.h>

struct row {
	const char *spec, *status;
	enum kube_state want;
	const char *summary; /* NULL: whatever */
};

static void check(const char *api_version, const char *kind, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		AUTO_FREE char *text = xasprintf("{'apiVersion':'%s','kind':'%s','metadata':{'"
										 "generation':2},'spec':{%s},'status':{%s}}",
										 api_version, kind, rows[i].spec, rows[i].status);
		AUTO_JSON json_t *live = NULL;
		struct kube_readiness r;
		struct error err = {0};

		for (char *p = text; *p; p++)
			if (*p == '\'')
				*p = '"';
		cr_assert_eq(doc_json_parse(span_of(text), "test", &live, &err), 0, "%s: %s", err.msg,
					 text);
		kube_readiness_of(live, &r);
		cr_expect_eq(r.state, rows[i].want, "%s row %zu is %s: %s", kind, i,
					 kube_state_name(r.state), text);
		if (rows[i].summary)
			cr_expect_str_eq(r.summary, rows[i].summary, "%s row %zu", kind, i);
	}
}

#define CHECK(api_version, kind, ...)                    \
	do {                                                 \
		static const struct row rows[] = {__VA_ARGS__};  \
		check(api_version, kind, rows, ARRAY_LEN(rows)); \
	} while (0)

#define SEEN "'observedGeneration':2"
#define GOOD                                                                                   \
	"'conditions':[{'type':'Available','status':'True'},{'type':'Progressing','status':'True'" \
	",'reason':'NewReplicaSetAvailable'}]"

Test(kube_readiness, deployment)
{
	CHECK("apps/v1", "Deployment",
		  {"'replicas':2",
		   SEEN ",'replicas':2,'updatedReplicas':2,'readyReplicas':2,'availableReplicas':2," GOOD,
		   KUBE_READY, "2/2 ready"},
		  {"",
		   SEEN ",'replicas':1,'updatedReplicas':1,'readyReplicas':1,'availableReplicas':1," GOOD,
		   KUBE_READY, "1/1 ready"},
		  {"'replicas':0", SEEN, KUBE_READY, "0/0 ready"},
		  {"'replicas':2", "", KUBE_PROGRESSING, "0/2 ready"},
		  {"'replicas':2",
		   "'observedGeneration':1,'replicas':2,'updatedReplicas':2,'readyReplicas':2,'"
		   "availableReplicas':2," GOOD,
		   KUBE_PROGRESSING, NULL},
		  {"'replicas':2",
		   SEEN ",'replicas':3,'updatedReplicas':2,'readyReplicas':3,'availableReplicas':3," GOOD,
		   KUBE_PROGRESSING, NULL},
		  {"'replicas':2",
		   SEEN ",'replicas':2,'updatedReplicas':1,'readyReplicas':2,'availableReplicas':2," GOOD,
		   KUBE_PROGRESSING, NULL},
		  {"'replicas':2",
		   SEEN ",'replicas':2,'updatedReplicas':2,'readyReplicas':2,'availableReplicas':1," GOOD,
		   KUBE_PROGRESSING, NULL},
		  {"'replicas':1",
		   SEEN ",'conditions':[{'type':'Progressing','status':'False','reason':'"
				"ProgressDeadlineExceeded'}]",
		   KUBE_FAILED, NULL},
		  {"'replicas':1",
		   "'observedGeneration':1,'conditions':[{'type':'Progressing','status':'False','"
		   "reason':'ProgressDeadlineExceeded'}]",
		   KUBE_PROGRESSING, NULL},
		  {"'paused':true", "", KUBE_SUSPENDED, "paused"},
		  {"'replicas':1",
		   "'observedGeneration':'2','replicas':1,'updatedReplicas':1,'readyReplicas':1,'"
		   "availableReplicas':1," GOOD,
		   KUBE_READY, NULL});
}

Test(kube_readiness, stateful_set)
{
	CHECK("apps/v1", "StatefulSet",
		  {"'replicas':2",
		   SEEN ",'replicas':2,'readyReplicas':2,'currentRevision':'a','updateRevision':'a'",
		   KUBE_READY, NULL},
		  {"'replicas':2",
		   SEEN ",'replicas':2,'readyReplicas':2,'updatedReplicas':1,'currentRevision':'a','"
				"updateRevision':'b'",
		   KUBE_PROGRESSING, "2/2 ready"},
		  {"'replicas':3,'updateStrategy':{'rollingUpdate':{'partition':2}}",
		   SEEN ",'replicas':3,'readyReplicas':3,'updatedReplicas':1,'currentRevision':'a','"
				"updateRevision':'b'",
		   KUBE_READY, NULL},
		  {"'replicas':3,'updateStrategy':{'rollingUpdate':{'partition':1}}",
		   SEEN ",'replicas':3,'readyReplicas':3,'updatedReplicas':1,'currentRevision':'a','"
				"updateRevision':'b'",
		   KUBE_PROGRESSING, NULL},
		  {"'replicas':1,'updateStrategy':{'type':'OnDelete'}",
		   SEEN ",'replicas':1,'readyReplicas':1,'currentRevision':'a','updateRevision':'b'",
		   KUBE_READY, NULL},
		  {"'replicas':1",
		   SEEN ",'replicas':2,'readyReplicas':2,'currentRevision':'a','updateRevision':'a'",
		   KUBE_PROGRESSING, NULL},
		  {"'replicas':1", "", KUBE_PROGRESSING, "0/1 ready"});
}

Test(kube_readiness, daemon_set)
{
	CHECK("apps/v1", "DaemonSet",
		  {"",
		   SEEN ",'desiredNumberScheduled':2,'numberReady':2,'numberAvailable':2,'"
				"updatedNumberScheduled':2",
		   KUBE_READY, "2/2 ready"},
		  {"",
		   SEEN ",'desiredNumberScheduled':2,'numberReady':2,'numberAvailable':2,'"
				"updatedNumberScheduled':1",
		   KUBE_PROGRESSING, NULL},
		  {"",
		   SEEN ",'desiredNumberScheduled':2,'numberReady':1,'numberAvailable':1,'"
				"updatedNumberScheduled':2",
		   KUBE_PROGRESSING, NULL},
		  {"", SEEN ",'desiredNumberScheduled':0,'numberReady':0", KUBE_READY, NULL},
		  {"", "", KUBE_PROGRESSING, NULL});
}

Test(kube_readiness, job_must_complete)
{
	CHECK("batch/v1", "Job", {"", "", KUBE_PROGRESSING, "0/1 complete"},
		  {"", "'active':1", KUBE_PROGRESSING, NULL},
		  {"", "'conditions':[{'type':'Complete','status':'True'}]", KUBE_READY, "complete"},
		  {"", "'conditions':[{'type':'Complete','status':'False'}]", KUBE_PROGRESSING, NULL},
		  {"", "'conditions':[{'type':'Failed','status':'True','reason':'BackoffLimitExceeded'}]",
		   KUBE_FAILED, "failed"},
		  {"'suspend':true", "", KUBE_SUSPENDED, NULL});
}

Test(kube_readiness, pod)
{
	CHECK("v1", "Pod",
		  {"", "'phase':'Running','conditions':[{'type':'Ready','status':'True'}]", KUBE_READY,
		   "Running"},
		  {"", "'phase':'Running','conditions':[{'type':'Ready','status':'False'}]",
		   KUBE_PROGRESSING, NULL},
		  {"", "'phase':'Succeeded'", KUBE_READY, NULL},
		  {"", "'phase':'Failed','reason':'Evicted'", KUBE_FAILED, NULL},
		  {"", "", KUBE_PROGRESSING, "Pending"});
}

Test(kube_readiness, other_kinds)
{
	CHECK("v1", "PersistentVolumeClaim", {"", "'phase':'Bound'", KUBE_READY, NULL},
		  {"", "'phase':'Lost'", KUBE_FAILED, NULL},
		  {"", "'phase':'Pending'", KUBE_PROGRESSING, NULL});
	CHECK("v1", "Namespace", {"", "'phase':'Active'", KUBE_READY, NULL});
	CHECK("v1", "ConfigMap", {"", "", KUBE_READY, "exists"});
	CHECK("v1", "Service", {"'clusterIP':'1.2.3.4'", "", KUBE_READY, "ClusterIP"},
		  {"", "", KUBE_PROGRESSING, NULL},
		  {"'type':'LoadBalancer','clusterIP':'1.2.3.4'", "", KUBE_READY, "no address yet"},
		  {"'type':'ExternalName'", "", KUBE_READY, NULL});
	CHECK("apiextensions.k8s.io/v1", "CustomResourceDefinition", {"", "", KUBE_PROGRESSING, NULL},
		  {"", "'conditions':[{'type':'Established','status':'True'}]", KUBE_READY, NULL},
		  {"", "'conditions':[{'type':'NamesAccepted','status':'False'}]", KUBE_FAILED, NULL});
	CHECK("batch/v1", "CronJob", {"", "", KUBE_READY, NULL},
		  {"'suspend':true", "", KUBE_SUSPENDED, NULL});
}

Test(kube_readiness, kinds_without_a_rule)
{
	CHECK("acme.io/v1", "Thing",
		  {"", "'conditions':[{'type':'Ready','status':'True'}]", KUBE_READY, NULL},
		  {"", "'conditions':[{'type':'Ready','status':'False'}]", KUBE_PROGRESSING, NULL},
		  {"", "'observedGeneration':1,'conditions':[{'type':'Ready','status':'True'}]",
		   KUBE_PROGRESSING, NULL},
		  {"", "'observedGeneration':'2','conditions':[{'type':'Ready','status':'True'}]",
		   KUBE_READY, NULL},
		  {"", "'conditions':[{'type':'Stalled','status':'True'}]", KUBE_FAILED, NULL},
		  {"",
		   "'conditions':[{'type':'Reconciling','status':'True'},{'type':'Ready','status':'"
		   "True'}]",
		   KUBE_PROGRESSING, NULL},
		  {"", "", KUBE_READY, NULL});
}

Test(kube_readiness, who_is_waited_for)
{
	cr_expect(kube_is_waited_for("apps/v1", "Deployment"));
	cr_expect(kube_is_waited_for("batch/v1", "Job"));
	cr_expect(!kube_is_waited_for("v1", "ConfigMap"));
	cr_expect(!kube_is_waited_for("acme.io/v1", "Deployment"), "another group's kind of that name");
}
