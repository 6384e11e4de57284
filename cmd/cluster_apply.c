#include "cmd/cluster.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"
#include "deploy/apply.h"
#include "deploy/rollout.h"

#include <string.h>

struct report {
	struct ctx *ctx;
	const struct cluster_apply *o;
	const struct deploy_set *set;
	const struct deploy_diagnosis *diagnosis;
	int64_t began_ms;
	bool ready;
};

static json_t *objects_json(const struct deploy_set *set)
{
	json_t *list = json_array();

	for (size_t i = 0; i < set->items.count; i++) {
		const struct deploy_item *item = set->items.items[i];
		json_t *row = json_object();

		json_object_set_new(row, "kind", json_string(item->object.kind));
		json_object_set_new(row, "name", json_string(item->object.name));
		if (item->object.namespace_)
			json_object_set_new(row, "namespace", json_string(item->object.namespace_));
		json_object_set_new(row, "action", json_string(deploy_action_name(item->action)));
		json_array_append_new(list, row);
	}
	return list;
}

static json_t *counts_json(const struct deploy_set *set)
{
	json_t *counts = json_object();

	for (enum deploy_action a = DEPLOY_UNDECIDED; a <= DEPLOY_CONFIGURED; a++)
		if (a != DEPLOY_UNDECIDED || deploy_set_count(set, a) > 0)
			json_object_set_new(counts, deploy_action_name(a),
								json_integer((json_int_t)deploy_set_count(set, a)));
	return counts;
}

static int print_document_(const struct report *r, const struct error *failure, struct error *err)
{
	AUTO_JSON json_t *doc = r->o->doc ? json_copy(r->o->doc) : json_object();

	json_object_set_new(doc, "dryRun", json_boolean(r->o->dry_run));
	json_object_set_new(doc, "objects", objects_json(r->set));
	json_object_set_new(doc, "summary", counts_json(r->set));
	if (!r->o->dry_run)
		json_object_set_new(doc, "ready", json_boolean(r->ready));
	if (failure) {
		json_object_set_new(doc, "error", json_string(failure->msg));
		json_object_set_new(doc, "class", json_string(err_code_name(failure->code)));
	}
	if (r->diagnosis->what)
		json_object_set_new(doc, "diagnosis", deploy_diagnosis_json(r->diagnosis));
	json_object_set_new(doc, "milliseconds",
						json_integer((json_int_t)(clock_now(r->ctx->clock) - r->began_ms)));
	return out_print(r->ctx, doc, NULL, err);
}

static void print_list(struct ctx *ctx, const char *title, const struct strv *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		fprintf(ctx->err, " %-8s %s\n", i == 0 ? title : "", lines->items[i]);
}

/* The four parts; the last is the error's hint. Said also with --quiet: it is what the command
 * found. */
static void print_diagnosis(struct ctx *ctx, const struct deploy_diagnosis *d)
{
	fprintf(ctx->err, " what     %s\n why      %s\n", d->what, d->why);
	print_list(ctx, "events", &d->events);
	print_list(ctx, "log", &d->log);
}

static void print_counts(const struct report *r)
{
	fprintf(r->ctx->out, "%s: +%zu ~%zu =%zu%s\n", r->o->title,
			deploy_set_count(r->set, DEPLOY_CREATED), deploy_set_count(r->set, DEPLOY_CONFIGURED),
			deploy_set_count(r->set, DEPLOY_UNCHANGED),
			r->o->dry_run ? " (dry run, nothing was changed)" : "");
}

static void print_rehearsal(const struct report *r)
{
	for (size_t i = 0; i < r->set->items.count; i++) {
		const struct deploy_item *item = r->set->items.items[i];

		fprintf(r->ctx->out, "%s/%s %s\n", item->object.kind, item->object.name,
				deploy_action_name(item->action));
	}
}

static int report_done(const struct report *r, struct error *err)
{
	char took[16];

	if (out_is_document(r->ctx))
		return print_document_(r, NULL, err);
	if (r->o->dry_run)
		print_rehearsal(r);
	print_counts(r);
	if (r->o->done && !r->o->dry_run)
		fprintf(r->ctx->out, "%s  %s\n", r->o->done,
				text_duration(clock_now(r->ctx->clock) - r->began_ms, took));
	return 0;
}

/* Returns -1, the failure stays in *err. */
static int report_failed(const struct report *r, const struct error *err)
{
	struct error ignored;

	if (out_is_document(r->ctx)) {
		print_document_(r, err, &ignored);
		return -1;
	}
	if (deploy_set_count(r->set, DEPLOY_CREATED) + deploy_set_count(r->set, DEPLOY_CONFIGURED) > 0)
		print_counts(r);
	if (r->diagnosis->what)
		print_diagnosis(r->ctx, r->diagnosis);
	return -1;
}

int cluster_apply(struct ctx *ctx, struct cluster *c, struct deploy_set *set,
				  const struct cluster_apply *o, struct error *err)
{
	AUTO(deploy_diagnosis) struct deploy_diagnosis diagnosis = {0};
	struct report r = {ctx, o, set, &diagnosis, clock_now(ctx->clock), false};
	struct deploy_apply_options how = {.dry_run = o->dry_run,
									   .force_conflicts = o->force_conflicts};
	struct deploy_rollout_options wait = {.timeout_ms = o->timeout_ms};
	int rc = deploy_apply(&c->session, set, &how, err);

	if (rc == 0 && !o->dry_run && !o->no_wait) {
		rc = deploy_rollout(&c->session, set, &wait, &diagnosis, err);
		r.ready = rc == 0;
	}
	ctx_finish(ctx);
	return rc < 0 ? report_failed(&r, err) : report_done(&r, err);
}
