/* msctl delete - take a project's objects, or those of manifests, out of a cluster. */
#include "base/auto.h"
#include "base/mem.h"
#include "cmd/cluster.h"
#include "deploy/remove.h"

#include <string.h>

#define DEFAULT_TIMEOUT_MS 300000

struct delete_options {
	struct cluster_options cluster;
	struct opt_list files;
};

static const struct opt delete_opts[] = {
	{OPT_TYPE_LIST, 'f', "filename", offsetof(struct delete_options, files), "FILE",
	 "delete exactly the objects of this manifest or folder (- is standard input); may be "
	 "repeated",
	 0, 0, NULL, "file"},
	CLUSTER_OPTS(struct delete_options),
	OPT_DONE,
};

static int confirm(struct ctx *ctx, const struct deploy_removals *r, const char *where,
				   struct error *err)
{
	char answer[16] = "";

	if (ctx->global.yes)
		return 0;
	if (!isatty(STDIN_FILENO)) {
		err_set(err, ERR_USAGE, "deleting %zu objects from %s needs a yes", r->items.count, where);
		return err_hint(err, "run it again with --yes");
	}
	for (size_t i = 0; i < r->items.count; i++)
		fprintf(ctx->err, " %s/%s\n", r->items.items[i]->object.kind,
				r->items.items[i]->object.name);
	fprintf(ctx->err, "delete these %zu objects from %s? [y/N] ", r->items.count, where);
	fflush(ctx->err);
	if (!fgets(answer, sizeof(answer), stdin) || (answer[0] != 'y' && answer[0] != 'Y'))
		return err_set(err, ERR_USAGE, "nothing was deleted");
	return 0;
}

static int print_answer(struct ctx *ctx, const struct deploy_removals *r, const char *where,
						struct error *err)
{
	AUTO_JSON json_t *doc = json_object();
	json_t *list = json_array();

	json_object_set_new(doc, "objects", list);
	for (size_t i = 0; i < r->items.count; i++) {
		const struct kube_object *o = &r->items.items[i]->object;
		json_t *row = json_object();

		json_object_set_new(row, "kind", json_string(o->kind));
		json_object_set_new(row, "name", json_string(o->name));
		if (o->namespace_)
			json_object_set_new(row, "namespace", json_string(o->namespace_));
		json_object_set_new(row, "action", json_string("deleted"));
		json_array_append_new(list, row);
	}
	if (out_is_document(ctx))
		return out_print(ctx, doc, NULL, err);
	fprintf(ctx->out, "%s: -%zu\n", where, r->items.count);
	return 0;
}

static int delete_set(struct ctx *ctx, struct cluster *c, struct deploy_set *set, bool by_label,
					  struct error *err)
{
	AUTO(deploy_removals) struct deploy_removals found = {0};
	AUTO_FREE char *where =
		xasprintf("context %s, namespace %s", c->config.context, c->config.namespace_);
	int64_t timeout = ctx->global.timeout_ms ? ctx->global.timeout_ms : DEFAULT_TIMEOUT_MS;

	if (deploy_find_removals(&c->session, set, by_label, &found, err) < 0)
		return -1;
	if (found.spared > 0)
		ctx_note(ctx,
				 "%zu namespaces, volumes, claims or definitions stay: delete them by name "
				 "with -f",
				 found.spared);
	if (found.items.count > 0 && confirm(ctx, &found, where, err) < 0)
		return -1;
	if (deploy_remove(&c->session, &found, timeout, err) < 0)
		return -1;
	ctx_finish(ctx);
	return print_answer(ctx, &found, where, err);
}

static int delete_files(struct ctx *ctx, const struct delete_options *o, struct error *err)
{
	AUTO(strv) struct strv paths = {0};
	AUTO(deploy_set) struct deploy_set set = {0};
	AUTO(cluster) struct cluster cluster = {0};
	struct deploy_render_options render = {.paths = &paths, .cancel = ctx->cancel};

	for (size_t i = 0; i < o->files.count; i++)
		strv_add(&paths, o->files.items[i]);
	if (deploy_render(&render, &set, err) < 0 ||
		cluster_open(ctx, &o->cluster, NULL, NULL, &cluster, err) < 0 ||
		deploy_bind(&cluster.session, &set, err) < 0)
		return -1;
	return delete_set(ctx, &cluster, &set, false, err);
}

static int delete_run(struct ctx *ctx, const void *options, int argc, char **argv,
					  struct error *err)
{
	const struct delete_options *o = options;
	AUTO(cluster_project) struct cluster_project p = {0};

	(void)argc;
	(void)argv;
	if (o->files.count > 0)
		return delete_files(ctx, o, err);
	if (cluster_project_load(ctx, &p, err) < 0 ||
		cluster_project_connect(ctx, &o->cluster, &p, err) < 0)
		return -1;
	return delete_set(ctx, &p.cluster, &p.set, true, err);
}

const struct command cmd_delete = {
	.name = "delete",
	.group = GROUP_DEPLOY,
	.summary = "Take the project's objects out of the cluster",
	.operands = "",
	.options = delete_opts,
	.options_size = sizeof(struct delete_options),
	.description = "Deletes what 'msctl deploy' brought to the environment, and waits until it "
				   "is gone. Only objects with the "
				   "project's labels are deleted; namespaces, volumes and their claims, and "
				   "custom resource definitions stay. "
				   "With -f exactly the objects of the manifests are deleted, whatever they "
				   "are. It asks first, unless "
				   "--yes is given.",
	.examples = "msctl delete -e staging --yes\n    without being asked",
	.run = delete_run,
};
