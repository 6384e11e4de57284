#include "deploy/apply.h"

#include "base/auto.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

#define PAGE 500

static int keep_live(void *user, int status, json_t *doc, struct error *err)
{
	struct deploy_item *item = user;

	if (status == 404)
		return 0;
	if (err->code != ERR_NONE)
		return err_wrap(err, "%s/%s", item->object.kind, item->object.name);
	json_decref(item->live);
	item->live = json_incref(doc);
	return 0;
}

static void get_one(struct deploy_session *s, struct deploy_item *item)
{
	AUTO_FREE char *path = kube_object_path(&item->object);

	kube_start(s->client, &(struct kube_request){.path = path}, keep_live, item);
}

/* One list of the application's objects of a kind in a namespace. */
struct listing {
	struct deploy_session *s;
	struct deploy_set *set;
	const struct kube_resource *resource;
	const char *namespace_;
	char *base; /* path with the selector */
};

static struct deploy_item *find_item(const struct listing *l, const char *name)
{
	for (size_t i = 0; i < l->set->items.count; i++) {
		struct deploy_item *item = l->set->items.items[i];

		if (item->object.resource == l->resource && strcmp(item->object.name, name) == 0 &&
			(!l->namespace_ || strcmp(item->object.namespace_, l->namespace_) == 0))
			return item;
	}
	return NULL;
}

static void start_page(struct listing *l, const char *token);

static int keep_listed(void *user, int status, json_t *doc, struct error *err)
{
	struct listing *l = user;
	const json_t *items = json_object_get(doc, "items");
	const char *token = doc_text(doc, "metadata.continue", "");

	if (status == 404)
		return 0; /* a kind that its definition will bring */
	if (err->code != ERR_NONE)
		return err_wrap(err, "reading %s", l->resource->plural);
	for (size_t i = 0; i < json_array_size(items); i++) {
		json_t *live = json_array_get(items, i);
		struct deploy_item *item = find_item(l, doc_text(live, "metadata.name", ""));

		if (!item)
			continue;
		json_object_set_new(live, "apiVersion", json_string(item->object.api_version));
		json_object_set_new(live, "kind", json_string(item->object.kind));
		json_decref(item->live);
		item->live = json_incref(live);
	}
	if (*token)
		start_page(l, token);
	return 0;
}

static void start_page(struct listing *l, const char *token)
{
	AUTO(buf) struct buf path = {0};

	buf_addf(&path, "%s&limit=%d", l->base, PAGE);
	kube_query_add(&path, "continue", token);
	kube_start(l->s->client, &(struct kube_request){.path = buf_str(&path)}, keep_listed, l);
}

static bool same_place(const struct deploy_item *a, const struct deploy_item *b)
{
	return a->object.resource == b->object.resource &&
		   (!a->object.namespace_ || strcmp(a->object.namespace_, b->object.namespace_) == 0);
}

static bool is_first_of_place(const struct deploy_set *set, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same_place(set->items.items[k], set->items.items[i]))
			return false;
	return true;
}

static int list_all(struct deploy_session *s, struct deploy_set *set, const char *selector,
					struct error *err)
{
	LIST(struct listing *) lists = {0};
	int rc;

	for (size_t i = 0; i < set->items.count; i++) {
		const struct kube_object *o = &set->items.items[i]->object;
		AUTO(buf) struct buf base = {0};
		AUTO_FREE char *path = NULL;
		struct listing *l;

		if (!is_first_of_place(set, i))
			continue;
		path = kube_collection_path(o->resource, o->namespace_);
		buf_adds(&base, path);
		kube_query_add(&base, "labelSelector", selector);
		l = xcalloc(1, sizeof(*l));
		*l = (struct listing){s, set, o->resource, o->namespace_, buf_take(&base)};
		list_push(&lists, l);
		start_page(l, NULL);
	}
	rc = kube_run(s->client, -1, err);
	for (size_t i = 0; i < lists.count; i++) {
		free(lists.items[i]->base);
		free(lists.items[i]);
	}
	list_release(&lists);
	return rc;
}

int deploy_read_live(struct deploy_session *s, struct deploy_set *set, struct error *err)
{
	AUTO_FREE char *selector = deploy_selector(s);

	if (selector && list_all(s, set, selector, err) < 0)
		return -1;
	/* what carries no label of ours may still be there: somebody else's, or from before */
	for (size_t i = 0; i < set->items.count; i++)
		if (!set->items.items[i]->live)
			get_one(s, set->items.items[i]);
	return kube_run(s->client, -1, err);
}
