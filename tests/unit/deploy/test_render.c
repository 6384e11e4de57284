#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "deploy/labels.h"
#include "deploy/order.h"
#include "deploy/render.h"

#include <criterion/criterion.h>
#include <string.h>

struct place {
	char *dir;
	struct strv paths;
	struct deploy_set set;
};

static void place_release(struct place *p)
{
	struct error ignored;

	deploy_set_release(&p->set);
	strv_release(&p->paths);
	if (p->dir)
		fs_remove_tree(p->dir, &ignored);
	free(p->dir);
}

static void file(struct place *p, const char *name, const char *text)
{
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *parent = NULL;
	struct error err = {0};

	if (!p->dir)
		cr_assert_eq(fs_temp_dir("/tmp", "render-test-", &p->dir, &err), 0);
	path = fs_join(p->dir, name);
	parent = fs_dirname(path);
	cr_assert_eq(fs_mkdirs(parent, 0700, &err), 0);
	cr_assert_eq(fs_write_atomic(path, text, strlen(text), 0600, &err), 0, "%s", err.msg);
}

static int render(struct place *p, struct deploy_render_options *o, struct error *err)
{
	o->paths = &p->paths;
	o->dir = p->dir;
	return deploy_render(o, &p->set, err);
}

static char *names(const struct deploy_set *set)
{
	AUTO(buf) struct buf out = {0};

	for (size_t i = 0; i < set->items.count; i++)
		buf_addf(&out, "%s/%s ", set->items.items[i]->object.kind,
				 set->items.items[i]->object.name);
	return buf_take(&out);
}

#define OBJECT(kind, name) "apiVersion: v1\nkind: " kind "\nmetadata: {name: " name "}\n"

Test(deploy_render, folders_files_and_lists)
{
	AUTO(place) struct place p = {0};
	AUTO_FREE char *found = NULL;
	struct deploy_render_options o = {0};
	struct error err = {0};

	file(&p, "d/b.yml", OBJECT("Secret", "b"));
	file(&p, "d/a.yaml",
		 "# nothing\n---\n" OBJECT("ConfigMap", "a1") "---\n" OBJECT("ConfigMap", "a2"));
	file(&p, "d/c.json", "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"c\"}}");
	file(&p, "d/readme.txt", "no: [");
	file(&p, "d/below/x.yaml", OBJECT("Pod", "below"));
	file(&p, "list.yaml",
		 "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: "
		 "l1}}\n");
	file(&p, "roles.yaml",
		 "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleList\nitems:\n- {metadata: "
		 "{name: r1}}\n");
	strv_add(&p.paths, "d");
	strv_add(&p.paths, "list.yaml");
	strv_add(&p.paths, "roles.yaml");
	cr_assert_eq(render(&p, &o, &err), 0, "%s", err.msg);
	found = names(&p.set);
	cr_expect_str_eq(found, "ConfigMap/a1 ConfigMap/a2 Secret/b Pod/c Pod/l1 Role/r1 ");
	cr_expect_null(doc_get(p.set.items.items[0]->object.doc, "metadata.labels"),
				   "plain manifests get no labels");
}

Test(deploy_render, refusals)
{
	static const struct {
		const char *name, *text;
		enum err_code code;
		const char *says;
	} rows[] = {
		{"absent.yaml", NULL, ERR_MISSING, "absent.yaml"},
		{"a.yaml", "kind: [\n", ERR_INPUT, "a.yaml:"},
		{"a.yaml", "# nothing\n", ERR_MISSING, "no objects"},
		{"a.yaml", "\n\nkind: Pod\nmetadata: {name: a}\n", ERR_INPUT,
		 "a.yaml:3:1: apiVersion is missing"},
		{"a.yaml", "[1]\n", ERR_INPUT, "not a Kubernetes object"},
		{"a.yaml", OBJECT("Pod", "../x"), ERR_INPUT, "not allowed"},
		{"a.yaml", OBJECT("Secret", "s") "stringData:\n  pin: 5550123\n", ERR_INPUT,
		 "a.yaml:5:3: Secret/s: stringData.pin is not text"},
		{"a.yaml", OBJECT("Secret", "s") "data: {pin: 5550123}\n", ERR_INPUT, "not text"},
		{"a.yaml", OBJECT("Secret", "s") "data: {pin: '5550123!'}\n", ERR_INPUT,
		 "data.pin is not base64"},
		{"d", NULL, ERR_MISSING, "no manifests"},
		{"chart", NULL, ERR_INPUT, "Helm chart"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(place) struct place p = {0};
		struct deploy_render_options o = {0};
		struct error err = {0};

		file(&p, "d/x.txt", "");
		file(&p, "chart/Chart.yaml", "name: x\n");
		if (rows[i].text)
			file(&p, rows[i].name, rows[i].text);
		strv_add(&p.paths, rows[i].name);
		cr_expect_eq(render(&p, &o, &err), -1, "row %zu", i);
		cr_expect_eq(err.code, rows[i].code, "row %zu: %s", i, err.msg);
		cr_expect(strstr(err.msg, rows[i].says), "row %zu: %s", i, err.msg);
		cr_expect_null(strstr(err.msg, "5550123"), "a secret's value is told");
		cr_expect_eq(p.set.items.count, 0u);
	}
}

#define DEPLOYMENT                                                                         \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {own: "          \
	"label}}\nspec:\n  template:\n    spec:\n"                                             \
	"      initContainers: [{name: i, image: r.test/shop/orders}]\n"                       \
	"      containers:\n      - {name: a, image: \"r.test/shop/orders:${TAG}\"}\n"         \
	"      - {name: b, image: r.test/shop/orders-tools:1}\n      - {name: c, image: 'BAD " \
	"NAME'}\n"

Test(deploy_render, environment)
{
	AUTO(place) struct place p = {0};
	AUTO(buf) struct buf image = {0};
	AUTO_JSON json_t *vars = json_pack("{s:s}", "TAG", "1.2");
	AUTO_JSON json_t *merge = json_pack("{s:{s:i}}", "spec", "replicas", 4);
	struct project_patch patch = {.kind = "Deployment", .name = "web", .merge = merge};
	struct project_patch other = {.kind = "Deployment", .name = "other", .merge = merge};
	struct project_patch patches[] = {patch, other};
	struct project_environment env = {
		.name = "prod", .vars = vars, .patches = patches, .patch_count = 2};
	struct deploy_render_options o = {
		.expand = true, .environment = &env, .app = "orders", .env = "prod"};
	const struct kube_object *web;
	struct error err = {0};

	strv_add(&env.exclude, "Secret");
	strv_add(&env.exclude, "ConfigMap/a");
	file(&p, "m.yaml",
		 DEPLOYMENT "---\n" OBJECT("Secret", "s") "---\n" OBJECT("ConfigMap", "a") "---\n" OBJECT(
			 "ConfigMap", "b"));
	strv_add(&p.paths, "m.yaml");
	cr_assert_eq(render(&p, &o, &err), 0, "%s", err.msg);
	strv_release(&env.exclude);
	cr_assert_eq(p.set.items.count, 2u);
	web = &p.set.items.items[0]->object;
	cr_expect_eq(doc_int(web->doc, "spec.replicas", 0), 4);
	cr_expect_str_eq(doc_text(web->doc, "metadata.labels.own", ""), "label");
	cr_expect_str_eq(
		json_string_value(json_object_get(doc_get(web->doc, "metadata.labels"), DEPLOY_LABEL_APP)),
		"orders");
	cr_expect_str_eq(
		json_string_value(json_object_get(doc_get(web->doc, "metadata.labels"), DEPLOY_LABEL_ENV)),
		"prod");
	cr_expect_null(doc_get(web->doc, "spec.template.metadata"),
				   "labels of pods stay: they would restart them");
	cr_expect_str_eq(doc_text(web->doc, "spec.template.spec.containers.0.image", ""),
					 "r.test/shop/orders:1.2");

	cr_expect(deploy_uses_image(&p.set, "r.test/shop/orders"));
	cr_expect(!deploy_uses_image(&p.set, "r.test/shop"));
	cr_expect_eq(deploy_pin_image(&p.set, "r.test/shop/orders", "r.test/shop/orders@sha256:x"), 2u);
	cr_expect_str_eq(doc_text(web->doc, "spec.template.spec.initContainers.0.image", ""),
					 "r.test/shop/orders@sha256:x");
	cr_expect_str_eq(doc_text(web->doc, "spec.template.spec.containers.0.image", ""),
					 "r.test/shop/orders@sha256:x");
	cr_expect_str_eq(doc_text(web->doc, "spec.template.spec.containers.1.image", ""),
					 "r.test/shop/orders-tools:1");
}

Test(deploy_order, ranks)
{
	static const char *const kinds[] = {"ValidatingWebhookConfiguration",
										"Ingress",
										"Deployment",
										"Service",
										"RoleBinding",
										"Role",
										"ConfigMap",
										"NetworkPolicy",
										"CustomResourceDefinition",
										"Namespace"};
	struct deploy_set set = {0};
	AUTO_FREE char *found = NULL;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct deploy_item *item = xcalloc(1, sizeof(*item));

		item->object.kind = xstrdup(kinds[i]);
		item->object.name = xstrdup("x");
		item->rank = deploy_rank(&item->object);
		list_push(&set.items, item);
	}
	deploy_order(&set);
	found = names(&set);
	cr_expect_str_eq(found, "Namespace/x CustomResourceDefinition/x NetworkPolicy/x "
							"ConfigMap/x Role/x RoleBinding/x Service/x "
							"Deployment/x Ingress/x ValidatingWebhookConfiguration/x ");
	deploy_set_release(&set);
}
