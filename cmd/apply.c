/* msctl apply - bring plain manifests to a cluster. */
#include "base/auto.h"
#include "base/mem.h"
#include "cmd/cluster.h"

#include <string.h>

#define DEFAULT_TIMEOUT_MS 300000

struct apply_options {
	struct cluster_options cluster;
	struct opt_list files;
	bool dry_run;
	bool force_conflicts;
	bool no_wait;
};

static const struct opt apply_opts[] = {
	{OPT_TYPE_LIST, 'f', "filename", offsetof(struct apply_options, files), "FILE",
	 "a manifest, a folder of manifests or of a kustomization, or - for standard input; may be "
	 "repeated",
	 0, 0, NULL, "file"},
	CLUSTER_OPTS(struct apply_options),
	DRY_RUN_OPT(struct apply_options),
	OPT_FLAG(0, "no-wait", struct apply_options, no_wait, "do not wait until everything is ready"),
	OPT_FLAG(0, "force-conflicts", struct apply_options, force_conflicts,
			 "take fields over from whoever manages them"),
	OPT_DONE,
};

static int apply_run(struct ctx *ctx, const void *options, int argc, char **argv, struct error *err)
{
	const struct apply_options *o = options;
	AUTO(strv) struct strv paths = {0};
	AUTO(deploy_set) struct deploy_set set = {0};
	AUTO(cluster) struct cluster cluster = {0};
	AUTO_FREE char *title = NULL;
	struct deploy_render_options render = {.paths = &paths, .cancel = ctx->cancel};
	struct cluster_apply how = {
		.dry_run = o->dry_run,
		.force_conflicts = o->force_conflicts,
		.no_wait = o->no_wait,
		.timeout_ms = ctx->global.timeout_ms ? ctx->global.timeout_ms : DEFAULT_TIMEOUT_MS,
	};

	(void)argc;
	(void)argv;
	if (o->files.count == 0) {
		err_set(err, ERR_USAGE, "'msctl apply' needs manifests");
		return err_hint(err, "write -f FILE, or run 'msctl deploy' for a project");
	}
	for (size_t i = 0; i < o->files.count; i++)
		strv_add(&paths, o->files.items[i]);
	if (deploy_render(&render, &set, err) < 0 ||
		cluster_open(ctx, &o->cluster, NULL, NULL, &cluster, err) < 0 ||
		deploy_bind(&cluster.session, &set, err) < 0)
		return -1;
	title =
		xasprintf("context %s, namespace %s", cluster.config.context, cluster.config.namespace_);
	how.title = title;
	return cluster_apply(ctx, &cluster, &set, &how, err);
}

const struct command cmd_apply = {
	.name = "apply",
	.group = GROUP_DEPLOY,
	.summary = "Bring plain manifests to a Kubernetes cluster",
	.operands = "",
	.options = apply_opts,
	.options_size = sizeof(struct apply_options),
	.description = "The same engine as 'msctl deploy', without a project file. Objects are "
				   "written by server-side apply, "
				   "what others need first; an object that would stay as it is gets no "
				   "request. Then msctl waits until "
				   "Deployments, StatefulSets, DaemonSets and Jobs are ready, and stops with "
				   "the reason as soon as one "
				   "cannot become so (exit status 8).",
	.examples = "msctl apply -f deploy/kubernetes\n    apply a folder\n"
				"kubectl kustomize overlays/prod | msctl apply -f -\n    apply what another "
				"program renders",
	.run = apply_run,
};
