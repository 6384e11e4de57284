/* fields.h - who manages which field of a live object (managedFields, FieldsV1;
 * kubernetes.io: reference/using-api/server-side-apply; sigs.k8s.io/structured-merge-diff). */
#pragma once

#include "doc/json.h"

#include <stdbool.h>

#define KUBE_MANAGER "msctl"

/* What applying `desired` to `live` would do. */
enum kube_apply_effect {
	KUBE_APPLY_NOTHING, /* proven: the object would stay as it is */
	KUBE_APPLY_CHANGE,  /* a field would change, or its manager */
	KUBE_APPLY_UNSURE,  /* only the server can tell (quantities, defaults inside atomic lists
				   ...) */
};

/* Compare locally, without a request. The proof: the fields that our manager applied last are
 * exactly the leaves of `desired`, and each has the desired value in `live`; then server-side apply
 * cannot change anything. */
enum kube_apply_effect kube_apply_effect(const json_t *live, const json_t *desired,
										 const char *manager);

/* Compare the live object with the answer of a dry run: true if nothing but bookkeeping differs. */
bool kube_is_same_object(const json_t *live, const json_t *answer);

/* The manager, other than ours, that set the field at a dotted path ("spec.replicas") by an update,
 * as controllers and people do; NULL: none. Borrowed. */
const char *kube_field_updater(const json_t *live, const char *path, const char *our_manager);

/* Take the field at a server's path (".spec.ports[port=80,protocol=\"TCP\"].nodePort") out of
 * desired. False if it is not there. */
bool kube_field_remove(json_t *desired, const char *path);
