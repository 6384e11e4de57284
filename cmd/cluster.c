#include "cmd/cluster.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"

#include <string.h>

void cluster_release(struct cluster *c)
{
	deploy_session_release(&c->session);
	kube_client_free(c->client);
	kube_config_release(&c->config);
}

int cluster_open(struct ctx *ctx, const struct cluster_options *o, const char *app, const char *env,
				 struct cluster *out, struct error *err)
{
	struct kube_config_options where = {o->kubeconfig, o->context, o->namespace_, NULL};
	struct kube_client_options how = {
		.config = &out->config,
		.clock = ctx->clock,
		.cancel = ctx->cancel,
		.log = &ctx->log,
		.progress = &ctx->progress,
	};
	AUTO_FREE char *cache = NULL;
	struct error ignored;

	/* a rollout that takes too long says so itself: it comes first */
	if (ctx->global.timeout_ms)
		how.deadline_ms = clock_now(ctx->clock) + ctx->global.timeout_ms + 2000;
	if (kube_config_load(&where, &out->config, err) < 0)
		return -1;
	for (size_t i = 0; i < out->config.warnings.count; i++)
		ctx_note(ctx, "warning: %s", out->config.warnings.items[i]);
	if (kube_client_new(&how, &out->client, err) < 0)
		return -1;
	out->session = (struct deploy_session){
		.client = out->client,
		.namespace_ = out->config.namespace_,
		.app = app,
		.env = env,
		.cancel = ctx->cancel,
		.progress = &ctx->progress,
	};
	if (fs_home_dir(FS_HOME_CACHE, &cache, &ignored) == 0)
		out->session.cache_dir = fs_join(cache, "kube");
	return 0;
}

/* ---- a project's objects */

void cluster_project_release(struct cluster_project *p)
{
	cluster_release(&p->cluster);
	deploy_set_release(&p->set);
	project_release(&p->project);
}

static int check_target(const struct project *p, const struct project_environment *e,
						struct error *err)
{
	bool written = p->yaml.count > 0 && json_object_get(p->yaml.documents[0], "environments");

	/* a project that writes no environments goes where the kubeconfig points */
	if (strcmp(e->target, "kubernetes") == 0 || !written)
		return 0;
	err_set(err, ERR_USAGE, "environment '%s' has the target '%s', not a Kubernetes cluster",
			e->name, e->target);
	if (strcmp(e->target, "local") == 0)
		return err_hint(err, "run the image here with 'msctl run', or choose another "
							 "environment with -e");
	return err_hint(err, "choose another environment with -e");
}

int cluster_project_load(struct ctx *ctx, struct cluster_project *out, struct error *err)
{
	struct project *p = &out->project;
	struct deploy_render_options render = {.expand = true, .cancel = ctx->cancel};

	if (project_load(NULL, ctx->global.file, p, err) < 0 ||
		project_environment(p, ctx->global.env, &out->environment, err) < 0 ||
		check_target(p, out->environment, err) < 0)
		return -1;
	if (p->kubernetes.count == 0) {
		err_set(err, ERR_INPUT, "%s: deploy.kubernetes names no manifests", p->file);
		return err_hint(err, "write 'deploy: {kubernetes: [deploy/kubernetes]}'");
	}
	render.paths = &p->kubernetes;
	render.dir = p->dir;
	render.environment = out->environment;
	render.app = p->name;
	render.env = out->environment->name;
	return deploy_render(&render, &out->set, err);
}

int cluster_project_connect(struct ctx *ctx, const struct cluster_options *o,
							struct cluster_project *p, struct error *err)
{
	struct cluster_options where = *o;

	if (!where.context)
		where.context = p->environment->context;
	if (!where.namespace_)
		where.namespace_ = p->environment->namespace_;
	if (cluster_open(ctx, &where, p->project.name, p->environment->name, &p->cluster, err) < 0)
		return -1;
	return deploy_bind(&p->cluster.session, &p->set, err);
}
