/* inspect.h - what `msctl inspect` and `msctl image inspect` share. */
#pragma once

#include "cmd/remote.h"

struct inspect_options {
	struct remote_options remote;
	const char *platform;
	bool raw, config, local;
};

/* Print the manifest's facts, or the manifest or configuration as it is. */
int inspect_image(struct ctx *ctx, const struct inspect_options *o, const char *operand,
				  struct error *err);
