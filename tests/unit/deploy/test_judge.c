#include "base/auto.h"
#include "base/mem.h"
#include "deploy/diagnosis.h"

#include <criterion/criterion.h>
#include <string.h>

#define TEMPLATE(image, hash)                                                           \
	"{'metadata':{'labels':{'app':'web'" hash "}},'spec':{'containers':[{'name':'app'," \
	"'image':'" image "'}]}}"
#define HASH ",'pod-template-hash':'x'"
#define LATE                                                                                \
	"{'type':'Progressing','status':'False','reason':'ProgressDeadlineExceeded','message':" \
	"'late'}"
#define CRASHES                                                                          \
	"'status':{'containerStatuses':[{'name':'app','restartCount':3,'state':{'waiting':{" \
	"'reason':'CrashLoopBackOff'}}}]}"

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

static void add(struct deploy_picture *p, const char *kind, const char *uid, const char *owner,
				const char *rest)
{
	AUTO_FREE char *text = xasprintf("{'kind':'%s','metadata':{'uid':'%s','name':'%s',"
									 "'annotations':{'deployment.kubernetes.io/revision':'1'},"
									 "'ownerReferences':[{'uid':'%s'}]},%s}",
									 kind, uid, uid, owner, rest);

	map_put(&p->parts, uid, read_json(text));
}

/* A Deployment of the image v2 in generation 2, replicas changed with it: the controller has
 * observed it, but conditions and revision are still those of v1, which crashes. */
Test(deploy_judge, the_version_before_is_not_blamed)
{
	static const struct {
		bool new_set;
		enum kube_state state;
		bool blamed;
	} rows[] = {{false, KUBE_PROGRESSING, false}, {true, KUBE_FAILED, true}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_JSON json_t *live =
			read_json("{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'uid':'d','name':"
					  "'web','namespace':'shop','generation':2,'annotations':{"
					  "'deployment.kubernetes.io/revision':'1'}},'spec':{'replicas':2,"
					  "'template':" TEMPLATE("v2", "") "},'status':{'observedGeneration':2,"
													   "'conditions':[" LATE "]}}");
		AUTO(deploy_picture) struct deploy_picture p = {0};
		struct deploy_item item = {.object = {.kind = (char[]){"Deployment"},
											  .name = (char[]){"web"},
											  .namespace_ = (char[]){"shop"}},
								   .live = live};
		struct deploy_finding f;

		add(&p, "ReplicaSet", "r1", "d", "'spec':{'template':" TEMPLATE("v1", HASH) "}");
		add(&p, "Pod", "p1", "r1", CRASHES);
		if (rows[i].new_set) {
			add(&p, "ReplicaSet", "r2", "d", "'spec':{'template':" TEMPLATE("v2", HASH) "}");
			add(&p, "Pod", "p2", "r2", CRASHES);
		}
		deploy_judge(&p, &item, &f);
		cr_expect_eq(f.readiness.state, rows[i].state, "row %zu", i);
		cr_expect_eq(f.problem.found, rows[i].blamed, "row %zu", i);
		if (rows[i].blamed)
			cr_expect_str_eq(doc_text(f.pod, "metadata.name", ""), "p2");
	}
}

/* One pod of the version before, in the way of the new one. */
Test(deploy_judge, a_stateful_set_that_waits_for_an_old_pod)
{
	static const struct {
		const char *policy, *revision, *status;
		const char *reason; /* "" none */
	} rows[] = {
		{"OrderedReady", "v1", CRASHES, "OldPodNotReady"},
		{"OrderedReady", "v2", CRASHES, "CrashLoopBackOff"},
		{"OrderedReady", "v1", "'status':{'phase':'Running'}", ""},
		{"Parallel", "v1", CRASHES, ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *text =
			xasprintf("{'apiVersion':'apps/v1','kind':'StatefulSet','metadata':{'uid':'s','name':"
					  "'db','namespace':'shop','generation':2},'spec':{'replicas':1,"
					  "'podManagementPolicy':'%s'},'status':{'observedGeneration':2,"
					  "'updateRevision':'v2','currentRevision':'v1'}}",
					  rows[i].policy);
		AUTO_FREE char *part =
			xasprintf("{'kind':'Pod','metadata':{'uid':'p','name':'db-0','labels':{"
					  "'controller-revision-hash':'%s'},'ownerReferences':[{'uid':'s'}]},%s}",
					  rows[i].revision, rows[i].status);
		AUTO_JSON json_t *live = read_json(text);
		AUTO(deploy_picture) struct deploy_picture p = {0};
		struct deploy_item item = {.object = {.kind = (char[]){"StatefulSet"},
											  .name = (char[]){"db"},
											  .namespace_ = (char[]){"shop"}},
								   .live = live};
		struct deploy_finding f;

		map_put(&p.parts, "p", read_json(part));
		deploy_judge(&p, &item, &f);
		cr_expect_str_eq(f.problem.reason, rows[i].reason, "row %zu", i);
		cr_expect_eq(f.problem.found, *rows[i].reason != '\0', "row %zu", i);
	}
}
