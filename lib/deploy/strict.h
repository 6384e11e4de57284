/* strict.h - unknown fields, told with file, line, column and the nearest name.
 *
 * Servers from 1.26 on check fields themselves (fieldValidation=Strict): strict_explain finds the
 * place. For older ones strict_check compares what would be written with the server's own schema
 * before anything is sent. */
#pragma once

#include "deploy/set.h"

/* Check the items whose action is not DEPLOY_UNCHANGED. ERR_INPUT. A schema that cannot be had is
 * no error. */
int strict_check(struct deploy_session *s, const struct deploy_set *set, struct error *err);

/* Is this what a server says about a field that there is not, or that stands twice? */
bool strict_is_unknown_field(const char *message);
/* Turn the server's 'unknown field "spec.replicaz"' into "file:line:column: Kind/name: ...".
 * Returns -1. */
int strict_explain(const struct kube_object *o, struct error *err);
