/* patch.h - JSON Merge Patch (RFC 7396) and JSON Patch (RFC 6902). */
#pragma once

#include "doc/json.h"

#define PATCH_MAX_POINTER_DEPTH 64

/* Merge in place. */
void patch_merge(json_t *target, const json_t *patch);

/* Apply the operations in order to *doc, which may be replaced. On failure *doc is as it was.
 * ERR_INPUT names the operation: "operation 2 (replace /spec/replicas): ...". */
int patch_json6902(json_t **doc, const json_t *operations, struct error *err);

/* The value at a JSON Pointer (RFC 6901), or NULL. Borrowed. */
json_t *patch_pointer_get(json_t *doc, const char *pointer);
