/* cluster.h - what the commands that talk to a cluster share: where it is, and what belongs to a
 * project. */
#pragma once

#include "cmd/out.h"
#include "conf/project.h"
#include "deploy/diagnosis.h"
#include "deploy/render.h"
#include "deploy/set.h"
#include "kube/client.h"
#include "kube/config.h"

struct cluster_options {
	const char *kubeconfig;
	const char *context;
	const char *namespace_;
};

/* Rows for a command whose options have a member `struct cluster_options cluster`. */
#define CLUSTER_OPTS(type)                                                                       \
	OPT_PATH(0, "kubeconfig", type, cluster.kubeconfig, "FILE",                                  \
			 "read this kubeconfig instead of $KUBECONFIG and ~/.kube/config", "file"),          \
		OPT_PATH(0, "context", type, cluster.context, "NAME", "the kubeconfig's context to use", \
				 "context"),                                                                     \
		OPT_STRING('n', "namespace", type, cluster.namespace_, "NAME",                           \
				   "the namespace of objects that name none")

/* A row for a command whose options have a member `bool dry_run`. --dry-run=server is kubectl's way
 * to write it. */
#define DRY_RUN_OPT(type)                                                     \
	{                                                                         \
		OPT_TYPE_FLAG, 0, "dry-run", offsetof(type, dry_run), NULL,           \
			"let the server say what would change, and change nothing", 0, 0, \
			(const char *const[]){"server", NULL}, NULL                       \
	}

/* A connection. Not to be moved once open. */
struct cluster {
	struct kube_config config;
	struct kube_client *client;
	struct deploy_session session;
};

void cluster_release(struct cluster *c);
/* app and env: the labels, or NULL. Speaks to nobody yet, but may run a credential plugin. */
int cluster_open(struct ctx *ctx, const struct cluster_options *o, const char *app, const char *env,
				 struct cluster *out, struct error *err);

/* The project, the environment that -e names, and its objects. Not to be moved once loaded. */
struct cluster_project {
	struct project project;
	const struct project_environment *environment; /* borrowed */
	struct deploy_set set;
	struct cluster cluster;
};

void cluster_project_release(struct cluster_project *p);
/* Read and render. ERR_USAGE: the environment is not a cluster. */
int cluster_project_load(struct ctx *ctx, struct cluster_project *out, struct error *err);
/* Connect as the environment and the options say, and bind the set. */
int cluster_project_connect(struct ctx *ctx, const struct cluster_options *o,
							struct cluster_project *p, struct error *err);

/* Apply, wait, report: what deploy and apply have in common. */
struct cluster_apply {
	bool dry_run;
	bool force_conflicts;
	bool no_wait;
	int64_t timeout_ms;
	const char *title; /* "staging (context stg, namespace shop)" */
	const char *done;  /* "deployed orders sha256:..."; NULL: nothing but the counts */
	json_t *doc;       /* members for -o json to begin with; borrowed */
};

int cluster_apply(struct ctx *ctx, struct cluster *c, struct deploy_set *set,
				  const struct cluster_apply *o, struct error *err);
