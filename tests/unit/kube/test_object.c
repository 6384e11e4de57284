#include "base/auto.h"
#include "base/mem.h"
#include "kube/object.h"
#include "kube/schema.h"

#include <criterion/criterion.h>
#include <string.h>

#define T(text) ((char[]){text})

Test(kube_object, identity)
{
	static const struct {
		const char *yaml;
		const char *says; /* NULL: fine */
	} rows[] = {
		{"{apiVersion: v1, kind: Pod, metadata: {name: a-1.b}}", NULL},
		{"{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: "
		 "'system:X y'}}",
		 "not allowed"},
		{"{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: "
		 "'system:Xy'}}",
		 NULL},
		{"{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: 'a/b'}}",
		 "not allowed"},
		{"{kind: Pod, metadata: {name: a}}", "apiVersion is missing"},
		{"{apiVersion: v1, metadata: {name: a}}", "kind is missing"},
		{"{apiVersion: v1, kind: Pod}", "no metadata.name"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: 5}}", "not text"},
		{"{apiVersion: v1, kind: Pod, metadata: {generateName: a}}", "no metadata.name"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: ../../secrets/x}}", "not allowed"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: 'a?b'}}", "not allowed"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: '%2e%2e'}}", "not allowed"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: '..'}}", "not allowed"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: Upper}}", "not allowed"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: ''}}", "not allowed"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ../x}}", "not allowed"},
		{"{apiVersion: ../v1, kind: Pod, metadata: {name: a}}", "not an apiVersion"},
		{"{apiVersion: v1, kind: Po/d, metadata: {name: a}}", "not an apiVersion"},
		{"[1]", "not a Kubernetes object"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(yaml_file) struct yaml_file yaml = {0};
		AUTO(kube_object) struct kube_object o = {0};
		struct error err = {0};
		int rc;

		cr_assert_eq(yaml_parse(span_of(rows[i].yaml), "f", &yaml, &err), 0, "%s", err.msg);
		rc = kube_object_read(yaml.documents[0], "f.yaml:1:1", &o, &err);
		cr_expect_eq(rc, rows[i].says ? -1 : 0, "%s: %s", rows[i].yaml, err.msg);
		if (rows[i].says)
			cr_expect(strstr(err.msg, rows[i].says) && err.code == ERR_INPUT, "%s: %s",
					  rows[i].yaml, err.msg);
	}
}

Test(kube_object, name_of_300_bytes)
{
	AUTO_JSON json_t *doc = NULL;
	AUTO(kube_object) struct kube_object o = {0};
	struct error err = {0};
	char name[301];

	memset(name, 'a', 300);
	name[300] = '\0';
	doc =
		json_pack("{s:s,s:s,s:{s:s}}", "apiVersion", "v1", "kind", "Pod", "metadata", "name", name);
	cr_expect_eq(kube_object_read(doc, "f", &o, &err), -1);
}

Test(kube_object, paths)
{
	struct kube_resource core = {T(""), T("v1"), T("Pod"), T("pods"), true, true};
	struct kube_resource role = {
		T("rbac.authorization.k8s.io"), T("v1"), T("ClusterRole"), T("clusterroles"), false, false};
	struct kube_object pod = {.name = T("a"), .namespace_ = T("shop"), .resource = &core};
	struct kube_object cluster_role = {.name = T("system:a b"), .resource = &role};
	AUTO_FREE char *a = kube_object_path(&pod);
	AUTO_FREE char *b = kube_object_path(&cluster_role);
	AUTO_FREE char *c = kube_collection_path(&core, NULL);

	cr_expect_str_eq(a, "/api/v1/namespaces/shop/pods/a");
	cr_expect_str_eq(b, "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Aa%20b");
	cr_expect_str_eq(c, "/api/v1/pods");
}

#define MANIFEST                                                                            \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\nspec:\n  replicaz: 1\n  " \
	"template:\n    spec:\n"                                                                \
	"      containers:\n        - name: x\n          imag: y\n"
#define SCHEMA                                                                                 \
	"{\"definitions\":{\"D\":{\"x-kubernetes-group-version-kind\":[{\"group\":\"apps\","       \
	"\"version\":\"v1\",\"kind\":"                                                             \
	"\"Deployment\"}],\"properties\":{\"apiVersion\":{},\"kind\":{},\"metadata\":{\"type\":"   \
	"\"object\"},\"spec\":{\"$ref\":"                                                          \
	"\"#/definitions/"                                                                         \
	"S\"}}},\"S\":{\"properties\":{\"replicas\":{},\"template\":{\"$ref\":\"#/definitions/"    \
	"T\"},\"free\":{"                                                                          \
	"\"type\":\"object\"},\"map\":{\"additionalProperties\":{\"type\":\"string\"}},\"open\":{" \
	"\"properties\":{\"a\":{}},"                                                               \
	"\"x-kubernetes-preserve-unknown-fields\":true}}},\"T\":{\"properties\":{\"spec\":{"       \
	"\"properties\":{\"containers\":{"                                                         \
	"\"items\":{\"properties\":{\"name\":{},\"image\":{}}}}}},\"self\":{\"$ref\":\"#/"         \
	"definitions/T\"}}}}}"

static void check_field(const char *yaml_text, const char *path, const char *near,
						const char *where)
{
	AUTO(yaml_file) struct yaml_file yaml = {0};
	AUTO(kube_object) struct kube_object o = {0};
	AUTO(kube_schema) struct kube_schema schema = {0};
	struct kube_resource r = {T("apps"), T("v1"), T("Deployment"), T("deployments"), true, true};
	struct kube_unknown_field found = {0};
	struct error err = {0};

	cr_assert_eq(yaml_parse(span_of(yaml_text), "f.yaml", &yaml, &err), 0, "%s", err.msg);
	cr_assert_eq(doc_json_parse(span_of(SCHEMA), "schema", &schema.doc, &err), 0, "%s", err.msg);
	cr_assert_eq(kube_object_read(yaml.documents[0], "f.yaml", &o, &err), 0, "%s", err.msg);
	o.resource = &r;
	o.file = xstrdup("f.yaml");
	o.origin = yaml.documents[0];
	o.marks = yaml.marks;
	cr_expect_eq(kube_schema_check(&schema, &o, &found), path ? 1 : 0, "%s", found.path);
	if (path) {
		AUTO_FREE char *place = kube_object_where(&o, found.path);

		cr_expect_str_eq(found.path, path);
		cr_expect_str_eq(found.near, near);
		cr_expect_str_eq(place, where);
	}
}

#define HEAD "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, anything: 1}\n"

Test(kube_schema, unknown_fields)
{
	check_field(MANIFEST, "spec.replicaz", "replicas", "f.yaml:6:3");
	check_field(HEAD "spec: {template: {spec: {containers: [{name: x}, {name: y, imag: z}]}}}",
				"spec.template.spec.containers[1].imag", "image", "f.yaml:4:60");
	check_field(HEAD "spec: {free: {a: 1}, map: {b: c}, open: {c: d}}", NULL, NULL, NULL);
	check_field(HEAD "spec: {template: {self: {self: {nope: 1}}}}", "spec.template.self.self.nope",
				"", "f.yaml:4:33");
	check_field(HEAD "xyz: 1", "xyz", "", "f.yaml:4:1");
}

Test(kube_object, where_of_what_is_not_there_is_its_parent)
{
	AUTO(yaml_file) struct yaml_file yaml = {0};
	AUTO(kube_object) struct kube_object o = {0};
	AUTO_FREE char *where = NULL;
	struct error err = {0};

	cr_assert_eq(yaml_parse(span_of(MANIFEST), "f.yaml", &yaml, &err), 0);
	cr_assert_eq(kube_object_read(yaml.documents[0], "f.yaml", &o, &err), 0);
	o.file = xstrdup("f.yaml");
	o.origin = yaml.documents[0];
	o.marks = yaml.marks;
	where = kube_object_where(&o, "spec.template.metadata.labels");
	cr_expect_str_eq(where, "f.yaml:7:3");
}
