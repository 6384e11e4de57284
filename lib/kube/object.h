/* object.h - one Kubernetes object: a generic document, where it was written, and where it lives on
 * the server. */
#pragma once

#include "base/buf.h"
#include "base/strv.h"
#include "doc/yaml.h"
#include "kube/discovery.h"

#define KUBE_MAX_NAME 253

struct kube_object {
	json_t *doc; /* owned */
	char *api_version, *kind, *name;
	char *namespace_;              /* as written, later the one it goes to; NULL: none */
	char *file;                    /* "deploy/web.yaml", "<stdin>"; NULL: not from a file */
	const json_t *origin;          /* the tree as parsed, for positions; borrowed, may be NULL */
	const struct doc_marks *marks; /* borrowed, may be NULL */
	const struct kube_resource *resource; /* borrowed; NULL until discovered */
};

void kube_object_release(struct kube_object *o);

/* Take what identifies an object. `doc` is borrowed and referenced. ERR_INPUT: not an object, no
 * apiVersion, kind or name, names that no object can have (they end up in a path). where starts the
 * message. */
int kube_object_read(json_t *doc, const char *where, struct kube_object *out, struct error *err);

/* "Deployment/orders", with "NAMESPACE/" in front when it is not `usual` (NULL: never). Caller
 * frees. */
char *kube_object_label(const struct kube_object *o, const char *usual);
/* "file:line:column" of a member given by a dotted path (spec.template.spec.containers[0].ports),
 * as deep as it is known. Caller frees. */
char *kube_object_where(const struct kube_object *o, const char *path);

/* "/apis/apps/v1/namespaces/shop/deployments" and the same with "/NAME" behind. namespace_ NULL:
 * all, or cluster scoped. Caller frees. */
char *kube_collection_path(const struct kube_resource *r, const char *namespace_);
char *kube_object_path(const struct kube_object *o);

/* Add NAME=VALUE to a path's query, percent-encoded. value NULL: nothing. */
void kube_query_add(struct buf *path, const char *name, const char *value);
/* The path of a container's log, its last `lines`; previous: of the instance that ended. Caller
 * frees. */
char *kube_log_path(const json_t *pod, const char *container, int lines, bool previous);

/* The pod spec of a workload or of a Pod. NULL when it has none. Borrowed. */
json_t *kube_pod_spec(const json_t *doc);

/* Calls visit for each container of a pod spec (init and ephemeral ones too). */
void kube_each_container(const json_t *pod_spec, void (*visit)(void *user, json_t *container),
						 void *user);

bool kube_kind_is(const struct kube_object *o, const char *group, const char *kind);
/* "apps" of "apps/v1", "" of "v1"; caller frees. */
char *kube_api_group(const char *api_version);
