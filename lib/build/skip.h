/* skip.h - steps that need not run again. */
#pragma once

#include "build/inputs.h"
#include "build/private.h"

/* Before the steps: may they be left out? Says why, either way. */
bool build_skip_steps(struct build *b);
/* After they went well; does nothing when they were left out. */
void build_keep_steps(struct build *b);

/* step_inputs.c */
/* Changes when the packages below a root do; "": it has none. Caller frees. */
char *build_packages_stamp(const char *root);
/* What steps depend on besides files; what the commit says of itself is apart. */
void build_step_settings(const struct build *b, struct inputs *out);
void build_step_commit(const struct build *b, struct inputs *out);
