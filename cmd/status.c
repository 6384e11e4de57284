/* msctl status - what of a project is in the cluster, and why it is not ready. */
#include "base/auto.h"
#include "base/mem.h"
#include "cmd/cluster.h"
#include "deploy/rollout.h"

#include <string.h>

struct status_options {
	struct cluster_options cluster;
};

static const struct opt status_opts[] = {
	CLUSTER_OPTS(struct status_options),
	OPT_DONE,
};

static const struct print_column columns[] = {
	{"KIND", "kind"},     {"NAME", "name"},       {"READY", "ready"}, {"STATE", "state"},
	{"REASON", "reason"}, {"MESSAGE", "message"}, {NULL, NULL},
};

static const char *first_bad(const json_t *rows, const char **name)
{
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *state = doc_text(row, "state", "");

		if (strcmp(state, "ready") != 0 && strcmp(state, "suspended") != 0) {
			*name = doc_text(row, "name", "");
			return doc_text(row, "kind", "");
		}
	}
	*name = "";
	return "";
}

static int status_run(struct ctx *ctx, const void *options, int argc, char **argv,
					  struct error *err)
{
	const struct status_options *o = options;
	AUTO(cluster_project) struct cluster_project p = {0};
	AUTO_JSON json_t *rows = NULL;
	const char *kind;
	const char *name;
	int bad;

	(void)argc;
	(void)argv;
	if (cluster_project_load(ctx, &p, err) < 0 ||
		cluster_project_connect(ctx, &o->cluster, &p, err) < 0)
		return -1;
	bad = deploy_status(&p.cluster.session, &p.set, &rows, err);
	ctx_finish(ctx);
	if (bad < 0 || out_print(ctx, rows, columns, err) < 0)
		return -1;
	if (bad == 0)
		return 0;
	kind = first_bad(rows, &name);
	err_set(err, ERR_NOT_READY, "%d of %zu objects %s not ready: %s/%s", bad, json_array_size(rows),
			bad == 1 ? "is" : "are", kind, name);
	return err_hint(err, "run 'msctl deploy' to bring the environment to what the manifests say");
}

const struct command cmd_status = {
	.name = "status",
	.group = GROUP_DEPLOY,
	.summary = "Show what of the project is in the cluster, and why it is not ready",
	.operands = "",
	.options = status_opts,
	.options_size = sizeof(struct status_options),
	.description = "Looks at the objects of the environment's manifests and changes nothing. "
				   "The exit status is 0 when "
				   "all of them are there and ready, 8 when one is not.",
	.examples = "msctl status -e staging\n    one line an object\n"
				"msctl status -e staging -o json\n    the same for programs",
	.run = status_run,
};
