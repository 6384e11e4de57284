/* msctl pull - copy an image from a registry to the local store. */
#include "cmd/remote.h"

struct pull_options {
	struct remote_options remote;
	const char *platform;
	bool all_platforms;
};

static const struct opt pull_opts[] = {
	OPT_STRING(0, "platform", struct pull_options, platform, "OS/ARCH",
			   "of an image for several platforms take this one"),
	OPT_FLAG(0, "all-platforms", struct pull_options, all_platforms, "take all of them"),
	REMOTE_OPTS(struct pull_options),
	OPT_DONE,
};

static int pull_run(struct ctx *ctx, const void *options, int argc, char **argv, struct error *err)
{
	const struct pull_options *o = options;
	AUTO(oci_ref) struct oci_ref from = {0};
	AUTO_PTR(oci_store) struct oci_store *store = NULL;
	AUTO(remote) struct remote remote = {0};
	AUTO(registry_result) struct registry_result result = {0};
	struct oci_platform platform;
	struct registry_pull what = {.from = &from, .all_platforms = o->all_platforms};
	int64_t begun = clock_now(ctx->clock);

	(void)argc;
	if (o->platform && o->all_platforms)
		return err_set(err, ERR_USAGE, "--platform and --all-platforms exclude each other");
	if (o->platform) {
		if (oci_platform_parse(o->platform, &platform, err) < 0) {
			err->code = ERR_USAGE;
			return -1;
		}
		what.platform = &platform;
	}
	if (remote_registry_ref(argv[0], &from, err) < 0 || oci_store_open(NULL, &store, err) < 0 ||
		remote_open(ctx, &o->remote, from.host, &remote, err) < 0)
		return -1;
	what.store = store;
	if (registry_pull(remote.registry, &what, &result, err) < 0)
		return -1;
	ctx_finish(ctx);
	return remote_report(ctx, &from, &result, clock_now(ctx->clock) - begun, err);
}

const struct command cmd_pull = {
	.name = "pull",
	.group = GROUP_REGISTRY,
	.summary = "Copy an image from a registry to the local store",
	.operands = "REF",
	.min_operands = 1,
	.max_operands = 1,
	.options = pull_opts,
	.options_size = sizeof(struct pull_options),
	.description = "Layers that the store has are not fetched again. Every byte is verified "
				   "against the digest "
				   "that names it, while it arrives; the image is named once all of it is there.",
	.examples = "msctl pull registry.example.com/shop/orders:1.4.0\n"
				"    take the image for this machine's platform\n"
				"msctl pull --all-platforms registry.example.com/shop/orders@sha256:...\n"
				"    take an index with all that it names",
	.run = pull_run,
};
