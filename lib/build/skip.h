/* skip.h - steps that need not run again. */
#pragma once

#include "build/private.h"

/* Before the steps: may they be left out? Says why, either way. */
bool build_skip_steps(struct build *b);
/* After they went well; does nothing when they were left out. */
void build_keep_steps(struct build *b);
