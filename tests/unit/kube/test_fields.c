#include "base/auto.h"
#include "base/mem.h"
#include "kube/apply.h"
#include "kube/quantity.h"

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

#define HEAD "'apiVersion':'v1','kind':'X','metadata':{'name':'a','namespace':'n'}"

Test(kube_fields, what_applying_would_do)
{
	static const struct {
		const char *desired, *live, *fields;
		enum kube_apply_effect want;
		const char *why;
	} rows[] = {
		{"{'a':1}", "{'a':1,'z':2}", "{'f:a':{}}", KUBE_APPLY_NOTHING,
		 "others' fields do not matter"},
		{"{'a':2}", "{'a':1}", "{'f:a':{}}", KUBE_APPLY_CHANGE, "another value"},
		{"{'a':'x'}", "{'a':'y'}", "{'f:a':{}}", KUBE_APPLY_CHANGE, "another text"},
		{"{'a':1,'b':1}", "{'a':1,'b':1}", "{'f:a':{}}", KUBE_APPLY_CHANGE,
		 "a field that is not ours yet"},
		{"{'a':1}", "{'a':1,'b':1}", "{'f:a':{},'f:b':{}}", KUBE_APPLY_CHANGE,
		 "a field to give up"},
		{"{'a':1}", "{}", "{'f:a':{}}", KUBE_APPLY_CHANGE, "somebody removed it"},
		{"{'o':{'a':1}}", "{'o':{'a':1,'b':2}}", "{'f:o':{'.':{},'f:a':{}}}", KUBE_APPLY_NOTHING,
		 "nested"},
		{"{'o':{}}", "{'o':{}}", "{'f:o':{}}", KUBE_APPLY_NOTHING, "empty"},
		{"{'e':[]}", "{}", "{'f:e':{}}", KUBE_APPLY_NOTHING, "empty and left out"},
		{"{'a':1,'e':[]}", "{'a':1}", "{'f:a':{}}", KUBE_APPLY_UNSURE, "empty and without a trace"},
		{"{'a':1,'e':{}}", "{'a':1,'e':{}}", "{'f:a':{}}", KUBE_APPLY_NOTHING,
		 "empty on both sides"},
		{"{'a':1,'e':{}}", "{'a':1,'e':{'b':1}}", "{'f:a':{}}", KUBE_APPLY_CHANGE,
		 "empty, but not there"},
		{"{'l':[1,2]}", "{'l':[1,2]}", "{'f:l':{}}", KUBE_APPLY_NOTHING, "atomic list"},
		{"{'l':[{'p':1}]}", "{'l':[{'p':1,'d':2}]}", "{'f:l':{}}", KUBE_APPLY_UNSURE,
		 "defaults in an atomic list"},
		{"{'l':[{'name':'x','v':1}]}", "{'l':[{'name':'x','v':1,'d':1}]}",
		 "{'f:l':{'k:{\\'name\\':\\'x\\'}':{'.':{},'f:name':{},'f:v':{}}}}", KUBE_APPLY_NOTHING,
		 "list by key"},
		{"{'l':[{'name':'x','v':2}]}", "{'l':[{'name':'x','v':1}]}",
		 "{'f:l':{'k:{\\'name\\':\\'x\\'}':{'.':{},'f:name':{},'f:v':{}}}}", KUBE_APPLY_CHANGE,
		 "changed in a list"},
		{"{'l':[{'name':'x'},{'name':'y'}]}", "{'l':[{'name':'x'}]}",
		 "{'f:l':{'k:{\\'name\\':\\'x\\'}':{'.':{},'f:name':{}}}}", KUBE_APPLY_CHANGE,
		 "an element more"},
		{"{'l':[]}", "{'l':[{'name':'x'}]}",
		 "{'f:l':{'k:{\\'name\\':\\'x\\'}':{'.':{},'f:name':{}}}}", KUBE_APPLY_CHANGE,
		 "an element less"},
		{"{'l':[{'name':'y'},{'name':'x'}]}", "{'l':[{'name':'x'},{'name':'y'}]}",
		 "{'f:l':{'k:{\\'name\\':\\'x\\'}':{'f:name':{}},'k:{\\'name\\':\\'y\\'}':{'f:name'"
		 ":{}}}}",
		 KUBE_APPLY_UNSURE, "another order"},
		{"{'s':['a']}", "{'s':['a']}", "{'f:s':{'v:\\'a\\'':{}}}", KUBE_APPLY_NOTHING, "set"},
		{"{'s':['b']}", "{'s':['a']}", "{'f:s':{'v:\\'a\\'':{}}}", KUBE_APPLY_CHANGE,
		 "another member"},
		{"{'limits':{'cpu':'0.5'}}", "{'limits':{'cpu':'500m'}}", "{'f:limits':{'f:cpu':{}}}",
		 KUBE_APPLY_NOTHING, "the same quantity"},
		{"{'limits':{'cpu':'0.6'}}", "{'limits':{'cpu':'500m'}}", "{'f:limits':{'f:cpu':{}}}",
		 KUBE_APPLY_CHANGE, "another quantity"},
		{"{'size':'1024Mi'}", "{'size':'1Gi'}", "{'f:size':{}}", KUBE_APPLY_UNSURE,
		 "perhaps a quantity"},
		{"{'a':1}", "{'a':1}", "{'f:a':{},'i:0':{}}", KUBE_APPLY_NOTHING, "what is no field"},
		{"{'l':[1]}", "{'l':[1]}", "{'f:l':{'i:0':{}}}", KUBE_APPLY_CHANGE,
		 "by index: not matched"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *fields = xstrdup(rows[i].fields);
		AUTO_FREE char *live_text =
			xasprintf("{'apiVersion':'v1','kind':'X','metadata':{'name':'a','uid':'1','"
					  "managedFields':["
					  "{'manager':'msctl','operation':'Update','apiVersion':'v1','"
					  "fieldsV1':{'f:q':{}}},"
					  "{'manager':'msctl','operation':'Apply','apiVersion':'v1','"
					  "fieldsV1':{'f:spec':%s}}]},'spec':%s}",
					  fields, rows[i].live);
		AUTO_FREE char *desired_text = xasprintf("{" HEAD ",'spec':%s}", rows[i].desired);
		AUTO_JSON json_t *live = read_json(live_text);
		AUTO_JSON json_t *desired = read_json(desired_text);

		cr_expect_eq(kube_apply_effect(live, desired, "msctl"), rows[i].want, "row %zu: %s", i,
					 rows[i].why);
	}
}

Test(kube_fields, nothing_of_ours)
{
	AUTO_JSON json_t *live = read_json("{'metadata':{'name':'a'}}");
	AUTO_JSON json_t *bare = read_json("{" HEAD "}");
	AUTO_JSON json_t *labelled =
		read_json("{'apiVersion':'v1','kind':'X','metadata':{'name':'a','labels':{'l':'v'}}}");

	cr_expect_eq(kube_apply_effect(live, bare, "msctl"), KUBE_APPLY_NOTHING);
	cr_expect_eq(kube_apply_effect(live, labelled, "msctl"), KUBE_APPLY_CHANGE);
}

Test(kube_fields, another_version_is_the_servers_to_judge)
{
	AUTO_JSON json_t *live =
		read_json("{'metadata':{'managedFields':[{'manager':'msctl','operation':'Apply',"
				  "'apiVersion':'v1beta1','fieldsV1':{}}]}}");
	AUTO_JSON json_t *desired = read_json("{" HEAD "}");

	cr_expect_eq(kube_apply_effect(live, desired, "msctl"), KUBE_APPLY_UNSURE);
}

Test(kube_fields, same_object)
{
	AUTO_JSON json_t *a =
		read_json("{'metadata':{'name':'a','resourceVersion':'1','managedFields':[]},'spec':1,"
				  "'status':{'x':1}}");
	AUTO_JSON json_t *b =
		read_json("{'metadata':{'name':'a','resourceVersion':'2','generation':3},'spec':1}");
	AUTO_JSON json_t *c = read_json("{'metadata':{'name':'a','labels':{'n':'w'}},'spec':1}");

	cr_expect(kube_is_same_object(a, b));
	cr_expect(!kube_is_same_object(a, c));
	cr_expect(doc_get(a, "metadata.resourceVersion"), "borrowed, not changed");
}

Test(kube_fields, remove_by_the_servers_path)
{
	static const struct {
		const char *path;
		bool found;
		const char *left;
	} rows[] = {
		{".spec.replicas", true,
		 "{'spec':{'ports':[{'nodePort':3,'port':80,'protocol':'TCP'},{'name':'a.b]c'}]}}"},
		{".spec.ports[port=80,protocol=\"TCP\"].nodePort", true,
		 "{'spec':{'ports':[{'port':80,'protocol':'TCP'},{'name':'a.b]c'}],'replicas':2}}"},
		{".spec.ports[name=\"a.b]c\"].name", true,
		 "{'spec':{'ports':[{'nodePort':3,'port':80,'protocol':'TCP'},{}],'replicas':2}}"},
		{".spec.nothing", false, NULL},
		{".spec.ports[port=81].nodePort", false, NULL},
		{".spec.ports[", false, NULL},
		{".spec.ports[port=", false, NULL},
		{".spec.ports[]", false, NULL},
		{"", false, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_JSON json_t *doc =
			read_json("{'spec':{'replicas':2,'ports':[{'port':80,'protocol':'TCP','nodePort':3},"
					  "{'name':'a.b]c'}]}}");
		AUTO(buf) struct buf left = {0};

		cr_expect_eq(kube_field_remove(doc, rows[i].path), rows[i].found, "%s", rows[i].path);
		if (!rows[i].found)
			continue;
		doc_json_write(doc, &left);
		for (char *p = left.data; *p; p++)
			if (*p == '"')
				*p = '\'';
		cr_expect_str_eq(buf_str(&left), rows[i].left);
	}
}

Test(kube_fields, quantities)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{"'1'", "1", true},        {"'0.5'", "'500m'", true}, {"'1Gi'", "'1024Mi'", true},
		{"'1G'", "'1000M'", true}, {"'1e3'", "'1k'", true},   {"'0.1'", "'100m'", true},
		{"'1Gi'", "'1G'", false},  {"'1'", "'2'", false},     {"'x'", "'x'", false},
		{"'inf'", "'inf'", false}, {"'0x10'", "'16'", false}, {"'1Zi'", "'1Zi'", false},
		{"true", "1", false},      {"''", "''", false},       {"'NaN'", "'NaN'", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *text = xasprintf("[%s,%s]", rows[i].a, rows[i].b);
		AUTO_JSON json_t *pair = read_json(text);

		cr_expect_eq(kube_quantity_equal(json_array_get(pair, 0), json_array_get(pair, 1)),
					 rows[i].equal, "%s", text);
	}
}

/* ---- apply.h */

Test(kube_apply, normalize)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"{'kind':'X','metadata':{'creationTimestamp':null,'uid':'1','name':'a'},'status':{"
		 "},'spec':{'n':null,'l':"
		 "[{'m':null}]}}",
		 "{'kind':'X','metadata':{'name':'a'},'spec':{'l':[{}]}}"},
		{"{'kind':'Service','metadata':{},'spec':{'ports':[{'port':1},{'port':2,'protocol':"
		 "'UDP'}]}}",
		 "{'kind':'Service','metadata':{},'spec':{'ports':[{'port':1,'protocol':'TCP'},{'"
		 "port':2,'protocol':'UDP'}]}}"},
		{"{'kind':'Deployment','spec':{'template':{'spec':{'containers':[{'ports':[{'"
		 "containerPort':1}]}]}}}}",
		 "{'kind':'Deployment','spec':{'template':{'spec':{'containers':[{'ports':[{'"
		 "containerPort':1,'protocol':"
		 "'TCP'}]}]}}}}"},
		{"{'kind':'CronJob','spec':{'jobTemplate':{'spec':{'template':{'spec':{'"
		 "initContainers':[{'ports':[{}]}]}}}}}}",
		 "{'kind':'CronJob','spec':{'jobTemplate':{'spec':{'template':{'spec':{'"
		 "initContainers':[{'ports':[{"
		 "'protocol':'TCP'}]}]}}}}}}"},
		{"{'kind':'Pod','spec':{'containers':[{'resources':{'limits':{'cpu':0.5,'memory':'"
		 "1Gi'},'requests':{'cpu':1}}}]}}",
		 "{'kind':'Pod','spec':{'containers':[{'resources':{'limits':{'cpu':'0.5','memory':"
		 "'1Gi'},'requests':{'cpu':'1'}}}]}}"},
		{"{'kind':'Pod','spec':{'containers':[{'resources':{'limits':{'cpu':0.1,'memory':1.5e6}"
		 "}}]}}",
		 "{'kind':'Pod','spec':{'containers':[{'resources':{'limits':{'cpu':'0.1','memory':"
		 "'1500000.0'}}}]}}"},
		{"{'kind':'Secret','data':{'a':'eA=='},'stringData':{'b':'y'}}",
		 "{'data':{'a':'eA==','b':'eQ=='},'kind':'Secret'}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_JSON json_t *doc = read_json(rows[i].in);
		AUTO(buf) struct buf out = {0};

		kube_apply_normalize(doc);
		doc_json_write(doc, &out);
		for (char *p = out.data; *p; p++)
			if (*p == '"')
				*p = '\'';
		cr_expect_str_eq(buf_str(&out), rows[i].out);
	}
}

Test(kube_apply, conflicts)
{
	static const struct {
		const char *field, *manager;
		enum kube_conflict_action want;
	} rows[] = {
		{".spec.replicas", "kube-controller-manager", KUBE_CONFLICT_SHARE},
		{".spec.replicas", "keda-operator", KUBE_CONFLICT_SHARE},
		{".spec.replicas", "kubectl-scale", KUBE_CONFLICT_TAKE},
		{".spec.replicas", "argocd-controller", KUBE_CONFLICT_STOP},
		{".spec.template.spec.containers[name=\"a\"].resources.requests.cpu", "vpa-updater",
		 KUBE_CONFLICT_SHARE},
		{".data.LEVEL", "kubectl-edit", KUBE_CONFLICT_TAKE},
		{".spec.template", "helm", KUBE_CONFLICT_TAKE},
		{".spec.template", "argocd-controller", KUBE_CONFLICT_STOP},
		{".webhooks[name=\"x\"].clientConfig.caBundle", "cainjector", KUBE_CONFLICT_SHARE},
		{".spec.ports[port=80,protocol=\"TCP\"].nodePort", "lb", KUBE_CONFLICT_SHARE},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(kube_conflict_decide(rows[i].field, rows[i].manager), rows[i].want, "%s %s",
					 rows[i].field, rows[i].manager);
}

Test(kube_apply, conflicts_are_decided_field_by_field)
{
	AUTO(kube_conflicts) struct kube_conflicts c = {0};
	AUTO(kube_conflicts) struct kube_conflicts stopped = {0};
	AUTO_JSON json_t *desired = read_json("{'spec':{'replicas':2,'a':1}}");
	AUTO_JSON json_t *status =
		read_json("{'details':{'causes':[{'reason':'FieldManagerConflict','field':'.spec."
				  "replicas','message':"
				  "'conflict with \\'kube-controller-manager\\' with subresource "
				  "\\'scale\\' using apps/v1'},"
				  "{'reason':'FieldManagerConflict','field':'.spec.a','message':'conflict "
				  "with \\'kubectl-edit\\''}]}}");
	AUTO_JSON json_t *foreign =
		read_json("{'details':{'causes':[{'reason':'FieldManagerConflict','field':'.spec.a',"
				  "'message':'conflict with \\'argocd\\' using v1'}]}}");

	cr_expect(kube_conflicts_resolve(status, desired, &c));
	cr_expect_null(doc_get(desired, "spec.replicas"));
	cr_assert_eq(c.taken.count, 1u);
	cr_expect_str_eq(c.taken.items[0], "spec.a (from kubectl-edit)");
	cr_expect(!kube_conflicts_resolve(foreign, desired, &stopped));
	cr_assert_eq(stopped.open.count, 1u);
	cr_expect_str_eq(stopped.open.items[0], "spec.a is managed by argocd");
}

Test(kube_apply, an_autoscaler_keeps_its_replicas)
{
	AUTO_JSON json_t *desired = read_json("{'spec':{'replicas':2}}");
	AUTO_JSON json_t *scaled =
		read_json("{'metadata':{'managedFields':[{'manager':'kube-controller-manager','operation':"
				  "'Update','fieldsV1':{'f:spec':{'f:replicas':{}}}}]}}");
	AUTO_JSON json_t *by_hand =
		read_json("{'metadata':{'managedFields':[{'manager':'kubectl','operation':'Update',"
				  "'fieldsV1':{'f:spec':{'f:replicas':{}}}}]}}");

	AUTO_JSON json_t *applied =
		read_json("{'metadata':{'managedFields':[{'manager':'kube-controller-manager','operation':"
				  "'Apply','fieldsV1':{'f:spec':{'f:replicas':{}}}}]}}");

	cr_expect_eq(kube_apply_share(by_hand, desired), 0u);
	cr_expect_eq(kube_apply_share(applied, desired), 0u);
	cr_expect_eq(kube_apply_share(scaled, desired), 1u);
	cr_expect_null(doc_get(desired, "spec.replicas"));
}
