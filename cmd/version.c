/* msctl version - what is running. */
#include "cmd/out.h"

#ifndef MSCTL_VERSION
#error "MSCTL_VERSION comes from the Makefile"
#endif

static const struct opt no_opts[] = {OPT_DONE};

static int version_run(struct ctx *ctx, const void *options, int argc, char **argv,
					   struct error *err)
{
	(void)options;
	(void)argc;
	(void)argv;
	if (out_is_document(ctx)) {
		AUTO_JSON json_t *doc = json_pack("{s:s}", "version", MSCTL_VERSION);

		return out_print(ctx, doc, NULL, err);
	}
	fprintf(ctx->out, "msctl %s\n", MSCTL_VERSION);
	return 0;
}

const struct command cmd_version = {
	.name = "version",
	.group = GROUP_SELF,
	.summary = "Print the version",
	.operands = "",
	.options = no_opts,
	.run = version_run,
};
