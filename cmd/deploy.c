/* msctl deploy - bring a project's environment to what its manifests say. */
#include "base/auto.h"
#include "base/mem.h"
#include "build/build.h"
#include "cmd/cluster.h"
#include "cmd/remote.h"

#include <string.h>

struct deploy_options {
	struct cluster_options cluster;
	struct remote_options remote;
	const char *image;
	bool dry_run;
	bool force_conflicts;
	bool no_wait;
};

static const struct opt deploy_opts[] = {
	OPT_PATH(0, "image", struct deploy_options, image, "REF",
			 "deploy this image (default: the project's image and version), by its digest",
			 "image"),
	CLUSTER_OPTS(struct deploy_options),
	DRY_RUN_OPT(struct deploy_options),
	OPT_FLAG(0, "no-wait", struct deploy_options, no_wait, "do not wait until everything is ready"),
	OPT_FLAG(0, "force-conflicts", struct deploy_options, force_conflicts,
			 "take fields over from whoever manages them"),
	REMOTE_OPTS(struct deploy_options),
	OPT_DONE,
};

/* ---- which image */

static int project_tag(const struct project *p, struct oci_ref *ref, struct error *err)
{
	AUTO(oci_ref) struct oci_ref built = {0};

	if (build_reference(p, &built, err) < 0)
		return -1;
	ref->tag = TAKE(built.tag);
	return 0;
}

/* The digest that a tag names: what was built or pushed from here, else what the registry says. */
static int find_digest(struct ctx *ctx, const struct deploy_options *o, struct oci_ref *ref,
					   struct error *err)
{
	AUTO_PTR(oci_store) struct oci_store *store = NULL;
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	AUTO(oci_descriptor) struct oci_descriptor remote_d = {0};
	AUTO(oci_manifest) struct oci_manifest manifest = {0};
	AUTO(remote) struct remote remote = {0};
	AUTO_FREE char *text = oci_ref_text(ref);
	struct error local = {0};

	if (oci_store_open(NULL, &store, &local) == 0 && oci_store_find(store, ref, &d, &local) == 0) {
		ref->digest = xstrdup(d.digest);
		return 0;
	}
	if (remote_open(ctx, &o->remote, ref->host, &remote, err) < 0 ||
		registry_get_manifest(remote.registry, ref, &remote_d, &manifest, err) < 0) {
		err_wrap(err, "image %s", text);
		return err->code == ERR_MISSING ? err_hint(err, "build and push it first ('msctl "
														"build', 'msctl push'), or name "
														"another with --image")
										: -1;
	}
	ref->digest = xstrdup(remote_d.digest);
	return 0;
}

/* Silence here would deploy another image than the one that was built. */
static int no_container(struct ctx *ctx, const struct deploy_options *o,
						const struct cluster_project *p, const char *repository, struct error *err)
{
	if (o->image) {
		err_set(err, ERR_INPUT,
				"no container of the manifests uses %s, so --image would change "
				"nothing",
				repository);
		return err_hint(err, "write 'image: %s' in the manifest of the container", repository);
	}
	if (p->project.build.copy_count > 0 && deploy_uses_image(&p->set, NULL))
		ctx_note(ctx,
				 "warning: no container of the manifests uses %s: what 'msctl build' makes is "
				 "not what is deployed",
				 repository);
	return 0;
}

/* Give the project's containers their image by digest. *digest: which, or NULL when no container
 * uses it. */
static int pin(struct ctx *ctx, const struct deploy_options *o, struct cluster_project *p,
			   char **digest, struct error *err)
{
	AUTO(oci_ref) struct oci_ref own = {0};
	AUTO(oci_ref) struct oci_ref ref = {0};
	AUTO_FREE char *repository = NULL;
	AUTO_FREE char *to = NULL;
	AUTO_FREE char *pinned = NULL;

	if (oci_ref_parse(p->project.image, &own, err) < 0)
		return err_wrap(err, "%s: image", p->project.file);
	if (o->image && oci_ref_parse(o->image, &ref, err) < 0) {
		err->code = ERR_USAGE;
		return err_wrap(err, "--image");
	}
	repository = oci_ref_repository(&own);
	if (!deploy_uses_image(&p->set, repository))
		return no_container(ctx, o, p, repository, err);
	if (!o->image)
		ref =
			(struct oci_ref){xstrdup_opt(own.host), xstrdup(own.name), xstrdup_opt(own.tag), NULL};
	if (!ref.host) {
		err_set(err, ERR_INPUT, "image '%s' names no registry that a cluster could pull from",
				ref.name);
		return err_hint(err,
						"write HOST/%s as image in %s and in the manifests, then build and push "
						"it; or give --image HOST/%s:TAG",
						own.name, p->project.file, own.name);
	}
	if (!ref.digest && !ref.tag && project_tag(&p->project, &ref, err) < 0)
		return -1;
	if (!ref.digest && find_digest(ctx, o, &ref, err) < 0)
		return -1;
	to = oci_ref_repository(&ref);
	pinned = xasprintf("%s@%s", to, ref.digest);
	deploy_pin_image(&p->set, repository, pinned);
	*digest = xstrdup(ref.digest);
	return 0;
}

/* ---- the command */

static json_t *head(const struct cluster_project *p, const char *digest)
{
	json_t *doc = json_object();

	json_object_set_new(doc, "app", json_string(p->project.name));
	json_object_set_new(doc, "environment", json_string(p->environment->name));
	json_object_set_new(doc, "context", json_string(p->cluster.config.context));
	json_object_set_new(doc, "namespace", json_string(p->cluster.config.namespace_));
	if (digest)
		json_object_set_new(doc, "digest", json_string(digest));
	return doc;
}

static int deploy_run(struct ctx *ctx, const void *options, int argc, char **argv,
					  struct error *err)
{
	const struct deploy_options *o = options;
	AUTO(cluster_project) struct cluster_project p = {0};
	AUTO_FREE char *digest = NULL;
	AUTO_FREE char *title = NULL;
	AUTO_FREE char *done = NULL;
	AUTO_JSON json_t *doc = NULL;
	struct cluster_apply how = {
		.dry_run = o->dry_run,
		.force_conflicts = o->force_conflicts,
		.no_wait = o->no_wait,
	};

	(void)argc;
	(void)argv;
	if (cluster_project_load(ctx, &p, err) < 0 || pin(ctx, o, &p, &digest, err) < 0 ||
		cluster_project_connect(ctx, &o->cluster, &p, err) < 0)
		return -1;
	title = xasprintf("%s (context %s, namespace %s)", p.environment->name,
					  p.cluster.config.context, p.cluster.config.namespace_);
	done = xasprintf("%s %s%s%s", o->no_wait ? "applied" : "deployed", p.project.name,
					 digest ? "  " : "", digest ? digest : "");
	doc = head(&p, digest);
	how.title = title;
	how.done = done;
	how.doc = doc;
	how.timeout_ms = ctx->global.timeout_ms ? ctx->global.timeout_ms : p.project.timeout_ms;
	return cluster_apply(ctx, &p.cluster, &p.set, &how, err);
}

const struct command cmd_deploy = {
	.name = "deploy",
	.group = GROUP_DEPLOY,
	.summary = "Bring an environment of the project to what its manifests say",
	.operands = "",
	.options = deploy_opts,
	.options_size = sizeof(struct deploy_options),
	.description = "Renders the manifests of deploy.kubernetes for the environment, gives the "
				   "project's containers their "
				   "image by digest, applies what differs and waits until it is ready. Objects "
				   "that would stay as they are "
				   "get no request. A rollout that cannot succeed is told within seconds, with "
				   "the reason, events and last "
				   "log lines (exit status 8); what was applied stays.",
	.examples = "msctl deploy -e staging\n    deploy the project's version\n"
				"msctl deploy -e prod --image registry.example.com/shop/orders@sha256:...\n"
				"    deploy exactly this image\n"
				"msctl deploy -e staging --dry-run\n    let the server say what would change",
	.run = deploy_run,
};
