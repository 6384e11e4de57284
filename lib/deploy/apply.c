#include "deploy/apply.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"
#include "deploy/labels.h"
#include "deploy/order.h"
#include "deploy/strict.h"
#include "kube/apply.h"
#include "kube/readiness.h"

#include <string.h>

#define MAX_TRIES 5
#define DEFINITION_TRIES 20
#define DEFINITION_PAUSE_MS 500

/* One object on its way. */
struct apply_op {
	struct deploy_session *s;
	const struct deploy_set *set;
	const struct deploy_apply_options *o;
	struct deploy_item *item;
	enum kube_apply_effect effect;
	struct kube_apply_options how;
	struct buf body;
	int tries;
};

static int answered(void *user, int status, json_t *doc, struct error *err);

static void op_release(struct apply_op *op)
{
	buf_release(&op->body);
}

static void note(const struct deploy_session *s, const struct kube_object *o, const char *text)
{
	AUTO_FREE char *label = kube_object_label(o, s->namespace_);

	progress_emit(
		s->progress,
		&(struct progress_event){.kind = PROGRESS_DONE, .id = label, .label = label, .text = text});
}

static void send_op(struct apply_op *op)
{
	AUTO_FREE char *path = kube_apply_path(&op->item->object, &op->how);

	buf_cut(&op->body, 0);
	doc_json_write(op->item->object.doc, &op->body);
	kube_start(op->s->client,
			   &(struct kube_request){
				   .method = "PATCH",
				   .path = path,
				   .content_type = "application/apply-patch+yaml",
				   .body = buf_span(&op->body),
			   },
			   answered, op);
}

static int wrap(const struct apply_op *op, const char *path, struct error *err)
{
	AUTO_FREE char *label = kube_object_label(&op->item->object, op->s->namespace_);
	AUTO_FREE char *where =
		op->item->object.file ? kube_object_where(&op->item->object, path) : NULL;

	return where ? err_wrap(err, "%s: %s", where, label) : err_wrap(err, "%s", label);
}

static int conflicted(struct apply_op *op, json_t *status_doc, struct error *err)
{
	AUTO(kube_conflicts) struct kube_conflicts c = {0};
	json_t *desired = op->item->object.doc;

	if (++op->tries > MAX_TRIES)
		return wrap(op, "", err);
	if (json_array_size(doc_get(status_doc, "details.causes")) == 0) {
		/* somebody wrote at the same moment */
		send_op(op);
		return 0;
	}
	if (!kube_conflicts_resolve(status_doc, desired, &c)) {
		if (c.open.count == 0)
			return wrap(op, "", err);
		err_set(err, ERR_CONFLICT, "%s%s", c.open.items[0],
				c.open.count > 1 ? " (and more fields)" : "");
		wrap(op, "", err);
		return err_hint(err, "take the field out of the manifest, or let that manager give "
							 "it up, or take "
							 "it with --force-conflicts");
	}
	for (size_t i = 0; i < c.shared.count; i++) {
		AUTO_FREE char *text = xasprintf("%s is left to its controller", c.shared.items[i]);

		note(op->s, &op->item->object, text);
	}
	for (size_t i = 0; i < c.taken.count; i++) {
		AUTO_FREE char *text = xasprintf("takes over %s", c.taken.items[i]);

		note(op->s, &op->item->object, text);
	}
	op->how.force = c.taken.count > 0;
	send_op(op);
	return 0;
}

static int refused(struct apply_op *op, int status, json_t *doc, struct error *err)
{
	const struct kube_object *o = &op->item->object;

	if (status == 409 && strcmp(doc_text(doc, "reason", ""), "AlreadyExists") != 0)
		return conflicted(op, doc, err);
	if (kube_is_immutable(status, doc)) {
		wrap(op, "", err);
		return err_hint(err,
						"a field of a %s cannot be changed: delete %s/%s and deploy again, "
						"or give it "
						"another name",
						o->kind, o->kind, o->name);
	}
	/* in a rehearsal nothing of the set exists yet: neither its namespaces nor its kinds */
	if (status == 404 && op->how.dry_run && op->o->dry_run && !op->item->live &&
		deploy_set_brings(op->set, op->item)) {
		op->item->action = DEPLOY_CREATED;
		return 0;
	}
	if (strict_is_unknown_field(err->msg))
		return strict_explain(o, err);
	return wrap(op, "", err);
}

static void finish(struct apply_op *op, int status, json_t *doc)
{
	struct deploy_item *item = op->item;
	const char *before = doc_text(item->live, "metadata.resourceVersion", "");
	const char *after = doc_text(doc, "metadata.resourceVersion", "");
	bool same = op->how.dry_run ? item->live && kube_is_same_object(item->live, doc)
								: *before && strcmp(before, after) == 0;

	item->action = status == 201 ? DEPLOY_CREATED : same ? DEPLOY_UNCHANGED : DEPLOY_CONFIGURED;
	if (!op->how.dry_run) {
		json_decref(item->live);
		item->live = json_incref(doc);
	}
	if (item->action != DEPLOY_UNCHANGED)
		note(op->s, &item->object, deploy_action_name(item->action));
}

static int answered(void *user, int status, json_t *doc, struct error *err)
{
	struct apply_op *op = user;

	if (err->code != ERR_NONE)
		return refused(op, status, doc, err);
	if (op->how.dry_run && !op->o->dry_run) {
		/* the server was asked whether anything would change */
		if (op->item->live && kube_is_same_object(op->item->live, doc)) {
			op->item->action = DEPLOY_UNCHANGED;
			return 0;
		}
		op->how.dry_run = false;
		send_op(op);
		return 0;
	}
	finish(op, status, doc);
	return 0;
}

/* ---- definitions: what follows needs them served */

static int is_established(struct deploy_session *s, const struct deploy_set *set, int rank,
						  bool *all, struct error *err)
{
	*all = true;
	for (size_t i = 0; i < set->items.count; i++) {
		struct deploy_item *item = set->items.items[i];
		struct kube_readiness r;
		AUTO_FREE char *path = NULL;

		if (item->rank != rank ||
			!kube_kind_is(&item->object, "apiextensions.k8s.io", "CustomResourceDefinition"))
			continue;
		kube_readiness_of(item->live, &r);
		if (r.state == KUBE_READY)
			continue;
		if (r.state == KUBE_FAILED)
			return err_set(err, ERR_NOT_READY, "CustomResourceDefinition/%s: %s: %s",
						   item->object.name, r.reason, r.message);
		*all = false;
		path = kube_object_path(&item->object);
		json_decref(item->live);
		item->live = NULL;
		if (kube_get(s->client, path, NULL, &item->live, err) < 0)
			return -1;
	}
	return 0;
}

static int wait_definitions(struct deploy_session *s, const struct deploy_set *set,
							struct error *err)
{
	const struct clock *clock = kube_client_clock(s->client);
	bool all = false;

	for (int i = 0; i < DEFINITION_TRIES; i++) {
		if (cancel_check(s->cancel, err) < 0 ||
			is_established(s, set, DEPLOY_RANK_DEFINITION, &all, err) < 0)
			return -1;
		if (all)
			return 0;
		clock->sleep_ms(clock->user, i == 0 ? 50 : DEFINITION_PAUSE_MS);
	}
	return err_set(err, ERR_NOT_READY,
				   "the server does not take up the new custom resource definitions");
}

/* ---- the whole set */

static void decide(struct apply_op *op)
{
	struct deploy_item *item = op->item;

	if (item->live && kube_apply_share(item->live, item->object.doc) > 0)
		note(op->s, &item->object, "spec.replicas is left to its autoscaler");
	op->effect = item->live ? kube_apply_effect(item->live, item->object.doc, KUBE_MANAGER)
							: KUBE_APPLY_CHANGE;
	if (op->effect == KUBE_APPLY_NOTHING)
		item->action = DEPLOY_UNCHANGED;
	op->how.force = op->o->force_conflicts;
	op->how.dry_run = op->o->dry_run || op->effect == KUBE_APPLY_UNSURE;
}

/* Another application's object is not ours to take, whatever its fields say. */
static int refuse_foreign(const struct deploy_session *s, const struct deploy_item *item,
						  struct error *err)
{
	const json_t *labels = doc_get(item->live, "metadata.labels");
	const char *app = json_string_value(json_object_get(labels, DEPLOY_LABEL_APP));
	const char *env = json_string_value(json_object_get(labels, DEPLOY_LABEL_ENV));

	if (!s->app || !app || (strcmp(app, s->app) == 0 && env && strcmp(env, s->env) == 0))
		return 0;
	err_set(err, ERR_CONFLICT, "%s/%s belongs to application %s, environment %s", item->object.kind,
			item->object.name, app, env ? env : "?");
	return err_hint(err, "give it another name or namespace, or delete it there first");
}

static int apply_ranks(struct deploy_session *s, struct deploy_set *set, struct apply_op *ops,
					   const struct deploy_apply_options *o, struct error *err)
{
	size_t i = 0;

	while (i < set->items.count) {
		int rank = set->items.items[i]->rank;
		bool sent = false;

		if (cancel_check(s->cancel, err) < 0)
			return -1;
		for (; i < set->items.count && set->items.items[i]->rank == rank; i++) {
			if (ops[i].effect == KUBE_APPLY_NOTHING)
				continue;
			send_op(&ops[i]);
			sent = true;
		}
		if (sent && kube_run(s->client, -1, err) < 0)
			return -1;
		if (sent && rank == DEPLOY_RANK_DEFINITION && !o->dry_run &&
			wait_definitions(s, set, err) < 0)
			return -1;
	}
	return 0;
}

int deploy_apply(struct deploy_session *s, struct deploy_set *set,
				 const struct deploy_apply_options *options, struct error *err)
{
	struct apply_op *ops;
	int rc;

	if (deploy_read_live(s, set, err) < 0)
		return -1;
	for (size_t i = 0; i < set->items.count; i++)
		if (refuse_foreign(s, set->items.items[i], err) < 0)
			return -1;
	ops = xcalloc(set->items.count, sizeof(*ops));
	for (size_t i = 0; i < set->items.count; i++) {
		ops[i] = (struct apply_op){.s = s, .set = set, .o = options, .item = set->items.items[i]};
		decide(&ops[i]);
	}
	rc = strict_check(s, set, err);
	if (rc == 0)
		rc = apply_ranks(s, set, ops, options, err);
	for (size_t i = 0; i < set->items.count; i++)
		op_release(&ops[i]);
	free(ops);
	return rc;
}
