/* msctl logout - forget a registry's credentials. */
#include "base/mem.h"
#include "cmd/remote.h"

struct logout_options {
	const char *authfile;
};

static const struct opt logout_opts[] = {
	OPT_PATH(0, "authfile", struct logout_options, authfile, "FILE", "look in FILE only", "file"),
	OPT_DONE,
};

static int logout_run(struct ctx *ctx, const void *options, int argc, char **argv,
					  struct error *err)
{
	const struct logout_options *o = options;
	AUTO(creds_store) struct creds_store store = {.file = o->authfile, .cancel = ctx->cancel};
	AUTO_FREE char *host = NULL;
	AUTO_FREE char *where = NULL;

	(void)argc;
	if (remote_host(argv[0], &host, err) < 0 || creds_erase(&store, host, &where, err) < 0)
		return -1;
	ctx_note(ctx, "logged out of %s (%s)", host, where);
	return 0;
}

const struct command cmd_logout = {
	.name = "logout",
	.group = GROUP_REGISTRY,
	.summary = "Forget a registry's credentials",
	.operands = "HOST",
	.min_operands = 1,
	.max_operands = 1,
	.options = logout_opts,
	.options_size = sizeof(struct logout_options),
	.run = logout_run,
};
