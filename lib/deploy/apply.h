/* apply.h - bring a bound set (set.h) to the cluster by server-side apply.
 *
 * The live objects are read first: one list a kind and namespace for an application's own objects,
 * one GET each for the others. Another application's object is refused. An object of which it is
 * proven that applying would change nothing gets no request; where only the server can tell, a dry
 * run decides. Ranks go one after the other, what has one rank goes at the same time. The first
 * refusal stops what has not started.
 */
#pragma once

#include "deploy/set.h"

struct deploy_apply_options {
	bool dry_run;         /* send dry runs only */
	bool force_conflicts; /* take every field, whoever manages it */
};

/* Fill the items' live objects and actions. After a failure the actions tell what was done.
 * ERR_INPUT: the server refuses a manifest (unknown field with file:line:column, invalid value);
 * ERR_CONFLICT: a field is managed by somebody else; ERR_DENIED; ERR_MISSING: the namespace does
 * not exist; ERR_NET. */
int deploy_apply(struct deploy_session *s, struct deploy_set *set,
				 const struct deploy_apply_options *options, struct error *err);

/* Only read what lives. */
int deploy_read_live(struct deploy_session *s, struct deploy_set *set, struct error *err);
