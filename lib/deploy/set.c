#include "deploy/set.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"
#include "deploy/labels.h"
#include "deploy/order.h"

#include <string.h>

void deploy_item_free(struct deploy_item *item)
{
	if (!item)
		return;
	kube_object_release(&item->object);
	json_decref(item->live);
	free(item);
}

void deploy_set_release(struct deploy_set *s)
{
	for (size_t i = 0; i < s->items.count; i++)
		deploy_item_free(s->items.items[i]);
	list_release(&s->items);
	for (size_t i = 0; i < s->files.count; i++) {
		yaml_file_release(s->files.items[i]);
		free(s->files.items[i]);
	}
	list_release(&s->files);
}

void deploy_session_release(struct deploy_session *s)
{
	kube_discovery_release(&s->discovery);
	free(s->cache_dir);
}

const char *deploy_action_name(enum deploy_action a)
{
	static const char *const names[] = {"undecided", "unchanged", "created", "configured",
										"deleted"};

	return names[a];
}

size_t deploy_set_count(const struct deploy_set *s, enum deploy_action a)
{
	size_t n = 0;

	for (size_t i = 0; i < s->items.count; i++)
		n += s->items.items[i]->action == a;
	return n;
}

bool deploy_set_brings(const struct deploy_set *set, const struct deploy_item *item)
{
	for (size_t i = 0; i < set->items.count; i++) {
		const struct kube_object *o = &set->items.items[i]->object;

		if (kube_kind_is(o, "", "Namespace") && item->object.namespace_ &&
			strcmp(o->name, item->object.namespace_) == 0)
			return true;
		if (kube_kind_is(o, "apiextensions.k8s.io", "CustomResourceDefinition") &&
			strcmp(doc_text(o->doc, "spec.names.kind", ""), item->object.kind) == 0)
			return true;
	}
	return false;
}

char *deploy_selector(const struct deploy_session *s)
{
	return s->app ? xasprintf(DEPLOY_LABEL_APP "=%s," DEPLOY_LABEL_ENV "=%s", s->app, s->env)
				  : NULL;
}

/* The kinds that a CustomResourceDefinition of the set will bring. */
static void add_defined(struct kube_discovery *d, const json_t *crd)
{
	const json_t *versions = doc_get(crd, "spec.versions");

	for (size_t i = 0; i < json_array_size(versions); i++) {
		AUTO_FREE char *group = xstrdup(doc_text(crd, "spec.group", ""));
		AUTO_FREE char *version = xstrdup(doc_text(json_array_get(versions, i), "name", ""));
		AUTO_FREE char *kind = xstrdup(doc_text(crd, "spec.names.kind", ""));
		AUTO_FREE char *plural = xstrdup(doc_text(crd, "spec.names.plural", ""));
		struct kube_resource r = {
			.group = group,
			.version = version,
			.kind = kind,
			.plural = plural,
			.namespaced = strcmp(doc_text(crd, "spec.scope", ""), "Namespaced") == 0,
		};

		if (*group && *version && *kind && *plural)
			kube_discovery_add(d, &r);
	}
}

/* Every kind of the set that the server lacks, once: "autoscaling/v2 HorizontalPodAutoscaler". */
static void list_missing(const struct deploy_set *set, struct strv *names, struct strv *kinds)
{
	for (size_t i = 0; i < set->items.count; i++) {
		const struct kube_object *o = &set->items.items[i]->object;
		AUTO_FREE char *name = xasprintf("%s %s", o->api_version, o->kind);

		if (o->resource || strv_has(names, name))
			continue;
		strv_add(names, name);
		strv_add(kinds, o->kind);
	}
}

static void join(const struct strv *v, const char *between, struct buf *out)
{
	for (size_t i = 0; i < v->count; i++)
		buf_addf(out, "%s%s", i ? between : "", v->items[i]);
}

static int not_served(const struct deploy_session *s, const struct deploy_set *set,
					  const struct kube_object *o, struct error *err)
{
	AUTO_FREE char *where = kube_object_where(o, "apiVersion");
	const char *other = kube_discovery_elsewhere(&s->discovery, o->api_version, o->kind);
	const char *env = s->env ? s->env : "ENV";
	AUTO(strv) struct strv names = {0};
	AUTO(strv) struct strv kinds = {0};
	AUTO(buf) struct buf all = {0};
	AUTO(buf) struct buf exclude = {0};

	list_missing(set, &names, &kinds);
	join(&names, ", ", &all);
	join(&kinds, ", ", &exclude);
	err_set(err, ERR_MISSING, "%s: %s/%s: the server does not serve %s", where, o->kind, o->name,
			buf_str(&all));
	if (other && names.count == 1)
		return err_hint(err,
						"it serves %s; or leave the kind out with environments.%s.exclude: [%s]",
						other, env, buf_str(&exclude));
	return err_hint(
		err, "use versions that it serves, or leave them out with environments.%s.exclude: [%s]",
		env, buf_str(&exclude));
}

static int refuse_twice(const struct deploy_set *set, struct error *err)
{
	struct map seen = {0};
	int rc = 0;

	for (size_t i = 0; i < set->items.count && rc == 0; i++) {
		const struct kube_object *o = &set->items.items[i]->object;
		AUTO_FREE char *key = xasprintf("%s/%s/%s/%s", o->resource->group, o->kind,
										o->namespace_ ? o->namespace_ : "", o->name);
		const struct kube_object *first = map_get(&seen, key);

		if (first) {
			AUTO_FREE char *here = kube_object_where(o, "metadata.name");
			AUTO_FREE char *there = kube_object_where(first, "metadata.name");

			rc = err_set(err, ERR_INPUT, "%s: %s/%s stands twice, first at %s", here, o->kind,
						 o->name, there);
		}
		map_put(&seen, key, &set->items.items[i]->object);
	}
	map_release(&seen);
	return rc;
}

static void place(struct kube_object *o, const char *namespace_)
{
	if (!o->resource->namespaced) {
		free(TAKE(o->namespace_));
		json_object_del(json_object_get(o->doc, "metadata"), "namespace");
		return;
	}
	if (!o->namespace_)
		o->namespace_ = xstrdup(namespace_);
	json_object_set_new(json_object_get(o->doc, "metadata"), "namespace",
						json_string(o->namespace_));
}

int deploy_bind(struct deploy_session *s, struct deploy_set *set, struct error *err)
{
	AUTO(strv) struct strv wanted = {0};

	for (size_t i = 0; i < set->items.count; i++)
		if (!strv_has(&wanted, set->items.items[i]->object.api_version))
			strv_add(&wanted, set->items.items[i]->object.api_version);
	deploy_wait_versions(set, &wanted);
	if (kube_discovery_load(s->client, &wanted, &s->discovery, err) < 0)
		return -1;
	for (size_t i = 0; i < set->items.count; i++)
		if (kube_kind_is(&set->items.items[i]->object, "apiextensions.k8s.io",
						 "CustomResourceDefinition"))
			add_defined(&s->discovery, set->items.items[i]->object.doc);
	for (size_t i = 0; i < set->items.count; i++) {
		struct kube_object *o = &set->items.items[i]->object;

		o->resource = kube_discovery_find(&s->discovery, o->api_version, o->kind);
	}
	for (size_t i = 0; i < set->items.count; i++) {
		struct kube_object *o = &set->items.items[i]->object;

		if (!o->resource)
			return not_served(s, set, o, err);
		place(o, s->namespace_);
		set->items.items[i]->rank = deploy_rank(o);
	}
	if (refuse_twice(set, err) < 0)
		return -1;
	deploy_order(set);
	return 0;
}
