/* schema.h - the server's own description of its kinds (OpenAPI v2), to find fields that it would
 * drop in silence. */
#pragma once

#include "kube/client.h"
#include "kube/object.h"

#define KUBE_SCHEMA_MAX_BYTES (32u << 20)

struct kube_schema {
	json_t *doc;
};

void kube_schema_release(struct kube_schema *s);

/* Fetch it, or take the copy below cache_dir (NULL: none) that the same version of the server gave
 * within the last hour; `fresh` does not look at the copy. */
int kube_schema_load(struct kube_client *c, const char *cache_dir, bool fresh,
					 struct kube_schema *out, struct error *err);
/* Does it describe the object's kind? A copy may be older than a custom resource definition: load
 * it fresh. */
bool kube_schema_has(const struct kube_schema *s, const struct kube_object *o);

/* The first field of doc that its kind does not have, or 0. path: where
 * ("spec.template.spec.containers[0].imag"); near: the nearest name that it does have ("" none).
 * Kinds without a schema pass. Returns 1 if one is found. */
struct kube_unknown_field {
	char path[512];
	char near[64];
};
int kube_schema_check(const struct kube_schema *s, const struct kube_object *o,
					  struct kube_unknown_field *out);
