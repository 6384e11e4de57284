#include "deploy/render.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"
#include "deploy/labels.h"
#include "deploy/patch.h"
#include "deploy/sources.h"
#include "kube/apply.h"
#include "oci/ref.h"

#include <string.h>

struct rendering {
	const struct deploy_render_options *o;
	struct deploy_set set;
	const struct doc_marks *marks; /* of the stream at hand */
	const char *name;
};

static bool is_excluded(const struct deploy_render_options *o, const struct kube_object *object)
{
	AUTO_FREE char *full = xasprintf("%s/%s", object->kind, object->name);

	return o->environment && (strv_has(&o->environment->exclude, object->kind) ||
							  strv_has(&o->environment->exclude, full));
}

static int patch_object(const struct deploy_render_options *o, const struct kube_object *object,
						json_t **doc, struct error *err)
{
	for (size_t i = 0; o->environment && i < o->environment->patch_count; i++) {
		const struct project_patch *p = &o->environment->patches[i];

		if ((p->kind && strcmp(p->kind, object->kind) != 0) ||
			(p->name && strcmp(p->name, object->name) != 0))
			continue;
		if (p->merge)
			patch_merge(*doc, p->merge);
		if (p->json6902 && patch_json6902(doc, p->json6902, err) < 0)
			return err_wrap(err, "environments.%s: patch %zu on %s/%s", o->environment->name, i + 1,
							object->kind, object->name);
	}
	return 0;
}

static void add_labels(const struct deploy_render_options *o, json_t *doc)
{
	json_t *metadata = json_object_get(doc, "metadata");
	json_t *labels = json_object_get(metadata, "labels");

	if (!o->app)
		return;
	if (!json_is_object(labels)) {
		labels = json_object();
		json_object_set_new(metadata, "labels", labels);
	}
	json_object_set_new(labels, DEPLOY_LABEL_MANAGED_BY, json_string(DEPLOY_MANAGED_BY));
	json_object_set_new(labels, DEPLOY_LABEL_APP, json_string(o->app));
	json_object_set_new(labels, DEPLOY_LABEL_ENV, json_string(o->env));
}

static int add_object(struct rendering *r, json_t *origin, struct error *err)
{
	AUTO_FREE char *where = doc_where(r->marks, r->name, origin, "kind", 0);
	AUTO(kube_object) struct kube_object written = {0};
	AUTO(kube_object) struct kube_object object = {0};
	AUTO_JSON json_t *doc = NULL;
	struct deploy_item *item;

	if (kube_object_read(origin, where, &written, err) < 0)
		return -1;
	if (is_excluded(r->o, &written))
		return 0;
	if (r->set.items.count >= RENDER_MAX_OBJECTS)
		return err_set(err, ERR_INPUT, "%s: more than %d objects", r->name, RENDER_MAX_OBJECTS);
	doc = json_deep_copy(origin);
	if (patch_object(r->o, &written, &doc, err) < 0 ||
		kube_object_read(doc, where, &object, err) < 0)
		return -1;
	object.file = xstrdup(r->name);
	object.origin = origin;
	object.marks = r->marks;
	if (kube_secret_check(&object, err) < 0)
		return -1;
	kube_apply_normalize(object.doc);
	add_labels(r->o, object.doc);
	item = xcalloc(1, sizeof(*item));
	item->object = MOVE(object);
	list_push(&r->set.items, item);
	return 0;
}

/* "List", "ConfigMapList": the items of the latter name no kind of their own. */
static int add_document(struct rendering *r, json_t *doc, struct error *err)
{
	const char *kind = doc_text(doc, "kind", "");
	json_t *items = json_object_get(doc, "items");

	if (!json_is_array(items) || !text_ends(kind, "List"))
		return add_object(r, doc, err);
	for (size_t i = 0; i < json_array_size(items); i++) {
		json_t *item = json_array_get(items, i);

		if (strcmp(kind, "List") != 0 && json_is_object(item)) {
			if (!json_object_get(item, "apiVersion"))
				json_object_set_new(item, "apiVersion",
									json_string(doc_text(doc, "apiVersion", "")));
			if (!json_object_get(item, "kind"))
				json_object_set_new(item, "kind", json_stringn(kind, strlen(kind) - 4));
		}
		if (add_object(r, item, err) < 0)
			return -1;
	}
	return 0;
}

static int add_stream(void *user, struct yaml_file *yaml, const char *name, struct error *err)
{
	struct rendering *r = user;
	const json_t *vars = r->o->environment ? r->o->environment->vars : NULL;
	struct yaml_file *kept = xcalloc(1, sizeof(*kept));

	*kept = MOVE(*yaml);
	list_push(&r->set.files, kept);
	r->marks = kept->marks;
	r->name = strcmp(name, "-") == 0 ? RENDER_STDIN : name;
	for (size_t i = 0; i < kept->count; i++) {
		if (r->o->expand && project_expand(kept->documents[i], vars, kept->marks, name, err) < 0)
			return -1;
		if (add_document(r, kept->documents[i], err) < 0)
			return -1;
	}
	return 0;
}

int deploy_render(const struct deploy_render_options *options, struct deploy_set *out,
				  struct error *err)
{
	struct rendering r = {.o = options};

	if (sources_read(options, add_stream, &r, err) < 0) {
		deploy_set_release(&r.set);
		return -1;
	}
	if (r.set.items.count == 0) {
		deploy_set_release(&r.set);
		return err_set(err, ERR_MISSING, "the manifests hold no objects");
	}
	*out = r.set;
	return 0;
}

/* ---- images */

struct pinning {
	const char *repository;
	const char *pinned; /* NULL: only count */
	size_t count;
};

static void pin_container(void *user, json_t *container)
{
	struct pinning *p = user;
	const char *image = doc_text(container, "image", "");
	AUTO(oci_ref) struct oci_ref ref = {0};
	AUTO_FREE char *repository = NULL;
	struct error ignored;

	/* a malformed image is the cluster's to refuse */
	if (oci_ref_parse(image, &ref, &ignored) < 0)
		return;
	repository = oci_ref_repository(&ref);
	if (p->repository && strcmp(repository, p->repository) != 0)
		return;
	p->count++;
	if (p->pinned)
		json_object_set_new(container, "image", json_string(p->pinned));
}

static size_t visit_images(const struct deploy_set *set, struct pinning *p)
{
	for (size_t i = 0; i < set->items.count; i++)
		kube_each_container(kube_pod_spec(set->items.items[i]->object.doc), pin_container, p);
	return p->count;
}

bool deploy_uses_image(const struct deploy_set *set, const char *repository)
{
	return visit_images(set, &(struct pinning){.repository = repository}) > 0;
}

size_t deploy_pin_image(struct deploy_set *set, const char *repository, const char *pinned)
{
	return visit_images(set, &(struct pinning){.repository = repository, .pinned = pinned});
}
