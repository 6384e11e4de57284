#include "deploy/remove.h"

#include "base/auto.h"
#include "base/mem.h"
#include "deploy/apply.h"
#include "deploy/order.h"
#include "kube/watch.h"

#include <string.h>

#define TICK_MS 50

static void removal_free(struct deploy_removal *r)
{
	kube_object_release(&r->object);
	free(r);
}

void deploy_removals_release(struct deploy_removals *r)
{
	for (size_t i = 0; i < r->items.count; i++)
		removal_free(r->items.items[i]);
	list_release(&r->items);
}

static bool is_spared(const char *kind)
{
	static const char *const kinds[] = {"Namespace", "PersistentVolumeClaim", "PersistentVolume",
										"CustomResourceDefinition"};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i], kind) == 0)
			return true;
	return false;
}

/* ---- finding */

static int add_live(struct deploy_removals *out, json_t *live, const struct kube_resource *resource,
					struct error *err)
{
	struct deploy_removal *r = xcalloc(1, sizeof(*r));

	list_push(&out->items, r);
	if (kube_object_read(live, "the server's answer", &r->object, err) < 0)
		return -1;
	r->object.resource = resource;
	r->rank = deploy_rank(&r->object);
	return 0;
}

struct labelled {
	struct deploy_removals *out;
	const struct deploy_item *like; /* kind and namespace */
};

static int labelled_listed(void *user, int status, json_t *doc, struct error *err)
{
	struct labelled *l = user;
	const json_t *items = json_object_get(doc, "items");

	if (status == 404)
		return 0;
	if (err->code != ERR_NONE)
		return err_wrap(err, "reading %s", l->like->object.resource->plural);
	for (size_t i = 0; i < json_array_size(items); i++) {
		json_t *live = json_array_get(items, i);

		if (is_spared(l->like->object.kind)) {
			l->out->spared++;
			continue;
		}
		json_object_set_new(live, "apiVersion", json_string(l->like->object.api_version));
		json_object_set_new(live, "kind", json_string(l->like->object.kind));
		if (add_live(l->out, live, l->like->object.resource, err) < 0)
			return -1;
	}
	return 0;
}

static bool is_first(const struct deploy_set *set, size_t i)
{
	const struct kube_object *o = &set->items.items[i]->object;

	for (size_t k = 0; k < i; k++) {
		const struct kube_object *other = &set->items.items[k]->object;

		if (other->resource == o->resource &&
			(!o->namespace_ || strcmp(o->namespace_, other->namespace_) == 0))
			return false;
	}
	return true;
}

static int find_labelled(struct deploy_session *s, struct deploy_set *set,
						 struct deploy_removals *out, struct error *err)
{
	AUTO_FREE struct labelled *lists = xcalloc(set->items.count, sizeof(*lists));
	AUTO_FREE char *selector = deploy_selector(s);

	for (size_t i = 0; i < set->items.count; i++) {
		const struct kube_object *o = &set->items.items[i]->object;
		AUTO_FREE char *collection = kube_collection_path(o->resource, o->namespace_);
		AUTO(buf) struct buf path = {0};

		if (!is_first(set, i))
			continue;
		buf_adds(&path, collection);
		kube_query_add(&path, "labelSelector", selector);
		lists[i] = (struct labelled){out, set->items.items[i]};
		kube_start(s->client, &(struct kube_request){.path = buf_str(&path)}, labelled_listed,
				   &lists[i]);
	}
	return kube_run(s->client, -1, err);
}

static int find_named(struct deploy_session *s, struct deploy_set *set, struct deploy_removals *out,
					  struct error *err)
{
	if (deploy_read_live(s, set, err) < 0)
		return -1;
	for (size_t i = 0; i < set->items.count; i++) {
		const struct deploy_item *item = set->items.items[i];

		if (item->live && add_live(out, item->live, item->object.resource, err) < 0)
			return -1;
	}
	return 0;
}

/* What came last goes first. */
static void order(struct deploy_removals *r)
{
	for (size_t i = 1; i < r->items.count; i++) {
		struct deploy_removal *item = r->items.items[i];
		size_t k = i;

		for (; k > 0 && r->items.items[k - 1]->rank < item->rank; k--)
			r->items.items[k] = r->items.items[k - 1];
		r->items.items[k] = item;
	}
}

int deploy_find_removals(struct deploy_session *s, struct deploy_set *set, bool by_label,
						 struct deploy_removals *out, struct error *err)
{
	AUTO(deploy_removals) struct deploy_removals found = {0};

	if ((by_label ? find_labelled(s, set, &found, err) : find_named(s, set, &found, err)) < 0)
		return -1;
	order(&found);
	*out = MOVE(found);
	return 0;
}

/* ---- deleting */

struct remove_op {
	struct deploy_session *s;
	struct deploy_removal *item;
	struct buf body;
	struct kube_watch *watch;
	bool seen; /* the watch has found it still there */
};

static void gone(struct remove_op *op)
{
	AUTO_FREE char *label = kube_object_label(&op->item->object, op->s->namespace_);

	if (op->item->gone)
		return;
	op->item->gone = true;
	progress_emit(op->s->progress,
				  &(struct progress_event){
					  .kind = PROGRESS_DONE, .id = label, .label = label, .text = "deleted"});
}

static int deleted(void *user, int status, json_t *doc, struct error *err)
{
	struct remove_op *op = user;

	if (status == 404) {
		gone(op);
		return 0;
	}
	if (err->code != ERR_NONE)
		return err_wrap(err, "deleting %s/%s", op->item->object.kind, op->item->object.name);
	/* a Status says that it is gone; the object itself, that something holds it for now */
	if (strcmp(doc_text(doc, "kind", ""), "Status") == 0 ||
		!doc_get(doc, "metadata.deletionTimestamp"))
		gone(op);
	return 0;
}

static void start_delete(struct remove_op *op)
{
	AUTO_FREE char *path = kube_object_path(&op->item->object);
	AUTO_JSON json_t *options =
		json_pack("{s:s, s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind", "DeleteOptions",
				  "propagationPolicy", "Background", "preconditions", "uid",
				  doc_text(op->item->object.doc, "metadata.uid", ""));

	doc_json_write(options, &op->body);
	kube_start(
		op->s->client,
		&(struct kube_request){.method = "DELETE", .path = path, .body = buf_span(&op->body)},
		deleted, op);
}

static int watched(void *user, enum kube_change change, json_t *object, struct error *err)
{
	struct remove_op *op = user;
	const char *uid = doc_text(op->item->object.doc, "metadata.uid", "");

	(void)err;
	if (change == KUBE_LISTED && strcmp(doc_text(object, "metadata.uid", ""), uid) == 0)
		op->seen = true;
	else if (change == KUBE_DELETED || (change == KUBE_SYNCED && !op->seen))
		gone(op);
	return 0;
}

static void start_watch(struct remove_op *op)
{
	AUTO_FREE char *field = xasprintf("metadata.name=%s", op->item->object.name);
	struct kube_watch_options o = {
		.resource = op->item->object.resource,
		.namespace_ = op->item->object.namespace_,
		.field_selector = field,
		.change = watched,
		.user = op,
	};

	op->watch = kube_watch_start(op->s->client, &o);
}

static const struct remove_op *first_left(const struct remove_op *ops, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!ops[i].item->gone)
			return &ops[i];
	return NULL;
}

static int still_there(const struct remove_op *op, struct error *err)
{
	const struct kube_object *o = &op->item->object;
	const char *finalizer = doc_text(o->doc, "metadata.finalizers.0", NULL);

	err_set(err, ERR_NOT_READY, "%s/%s is not gone yet", o->kind, o->name);
	if (finalizer)
		return err_hint(err, "its finalizer %s holds it: see whether the controller behind it runs",
						finalizer);
	return err_hint(err, "the cluster goes on deleting it; give it more time with --timeout");
}

/* One rank: delete all at once, then wait for all. */
static int remove_rank(struct deploy_session *s, struct remove_op *ops, size_t count,
					   int64_t deadline_ms, struct error *err)
{
	const struct remove_op *left;
	int rc;

	for (size_t i = 0; i < count; i++)
		start_delete(&ops[i]);
	rc = kube_run(s->client, -1, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (!ops[i].item->gone)
			start_watch(&ops[i]);
	left = first_left(ops, count);
	while (rc >= 0 && left) {
		rc = kube_wait(s->client, TICK_MS, err);
		for (size_t i = 0; rc >= 0 && i < count; i++)
			if (ops[i].watch)
				kube_watch_tick(ops[i].watch);
		left = first_left(ops, count);
		if (rc >= 0 && left && clock_now(kube_client_clock(s->client)) >= deadline_ms)
			rc = still_there(left, err);
	}
	for (size_t i = 0; i < count; i++)
		if (ops[i].watch)
			kube_watch_stop(ops[i].watch);
	return rc < 0 ? -1 : 0;
}

int deploy_remove(struct deploy_session *s, struct deploy_removals *r, int64_t timeout_ms,
				  struct error *err)
{
	AUTO_FREE struct remove_op *ops = xcalloc(r->items.count + 1, sizeof(*ops));
	int64_t deadline = clock_now(kube_client_clock(s->client)) + timeout_ms;
	size_t i = 0;
	int rc = 0;

	for (size_t k = 0; k < r->items.count; k++)
		ops[k] = (struct remove_op){.s = s, .item = r->items.items[k]};
	while (rc == 0 && i < r->items.count) {
		size_t n = 1;

		while (i + n < r->items.count && r->items.items[i + n]->rank == r->items.items[i]->rank)
			n++;
		rc = remove_rank(s, ops + i, n, deadline, err);
		i += n;
	}
	for (size_t k = 0; k < r->items.count; k++)
		buf_release(&ops[k].body);
	return rc;
}
