/* config.h - how to reach a cluster and as whom: kubeconfig files, or the pod we run in.
 *
 * Loading and merging are client-go's (tools/clientcmd): an explicit file stands alone; else the
 * files of $KUBECONFIG, else ~/.kube/config. Of entries with one name the first file's wins whole;
 * current-context is the first that is not empty; paths are relative to their file. Without any
 * file the service account of the pod is used. Data wins over files.
 *
 * A kubeconfig may name programs to run, so a file that others can write is refused. */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "base/strv.h"
#include "doc/json.h"

#include <stdbool.h>

#define KUBE_CONFIG_MAX_FILES 32
#define KUBE_CONFIG_MAX_PEM_BYTES (1u << 20)
#define KUBE_CONFIG_MAX_TOKEN_BYTES (256u << 10)

struct kube_config_options {
	const char *file;                /* --kubeconfig; NULL: the environment's */
	const char *context;             /* NULL: the current one */
	const char *namespace_;          /* NULL: the context's */
	const char *service_account_dir; /* NULL: where Kubernetes mounts it */
};

/* A program that answers with credentials (client-go exec plugins). */
struct kube_exec {
	struct strv argv; /* empty: none */
	struct strv env;  /* "K=V" */
	char *api_version;
	char *install_hint; /* NULL: none */
	bool provide_cluster_info;
	enum { KUBE_EXEC_IF_AVAILABLE, KUBE_EXEC_NEVER, KUBE_EXEC_ALWAYS } interactive;
};

struct kube_config {
	char *context;    /* "in-cluster" for a pod's own */
	char *user;       /* name of the user's entry; for messages */
	char *server;     /* URL without trailing slash and query; may have a path */
	char *namespace_; /* never NULL */
	char *tls_server_name;
	char *proxy_url;
	bool insecure;
	struct buf ca_pem, cert_pem, key_pem; /* empty: none */
	char *token, *token_file;             /* the file wins */
	char *username, *password;
	struct kube_exec exec;
	struct strv impersonate; /* header lines "Name: value" */
	struct strv warnings;    /* for the user, one line each */
};

/* Secrets are wiped. */
void kube_config_release(struct kube_config *c);

/* ERR_MISSING: no configuration, no such context, cluster or user (with the nearest name);
 * ERR_INPUT: malformed; ERR_DENIED: the file can be written by others. */
int kube_config_load(const struct kube_config_options *options, struct kube_config *out,
					 struct error *err);

/* For fuzzing and tests: the same for one text that stands for the file `name`. */
int kube_config_parse(struct span text, const char *name, const struct kube_config_options *options,
					  struct kube_config *out, struct error *err);
