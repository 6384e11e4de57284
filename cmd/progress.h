/* progress.h - what progress looks like: bars on a terminal, plain lines elsewhere, JSON events on
 * request. */
#pragma once

#include "cmd/command.h"

/* Choose the display by --progress, --quiet and the terminal; sets ctx->progress. */
void progress_setup(struct ctx *ctx);
/* Leave the terminal clean. */
void progress_finish(struct ctx *ctx);
