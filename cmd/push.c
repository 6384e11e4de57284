/* msctl push - copy an image from the local store to a registry. */
#include "base/mem.h"
#include "build/build.h"
#include "cmd/remote.h"
#include "conf/project.h"

#include <string.h>

struct push_options {
	struct remote_options remote;
	const char *as;
	const char *mount_from;
	bool no_sbom;
};

static const struct opt push_opts[] = {
	OPT_STRING(0, "as", struct push_options, as, "REF",
			   "push under this name instead of the local one"),
	OPT_STRING(0, "mount-from", struct push_options, mount_from, "REPO",
			   "a repository of the same registry that may have the layers"),
	OPT_FLAG(0, "no-sbom", struct push_options, no_sbom,
			 "leave out the SBOM and the provenance that msctl build made"),
	REMOTE_OPTS(struct push_options),
	OPT_DONE,
};

/* What msctl build names an image without -t. */
static int project_ref(struct ctx *ctx, bool needs_host, struct oci_ref *out, struct error *err)
{
	AUTO(project) struct project p = {0};
	AUTO(oci_ref) struct oci_ref ref = {0};

	if (project_load_any(NULL, ctx->global.file, &p, err) < 0 || build_reference(&p, &ref, err) < 0)
		return -1;
	if (needs_host && !p.is_written) {
		err_set(err, ERR_MISSING, "there is no msctl.yaml that names a registry");
		return err_hint(err, "push with --as HOST/%s:TAG, or enter a project's folder", p.image);
	}
	if (needs_host && !ref.host) {
		err_set(err, ERR_INPUT, "%s: image '%s' names no registry", p.file, p.image);
		return err_hint(err, "write it as HOST/%s, or push with --as HOST/%s:TAG", p.image,
						p.image);
	}
	*out = MOVE(ref);
	return 0;
}

static int choose_refs(struct ctx *ctx, const struct push_options *o, const char *operand,
					   struct oci_ref refs[2], struct error *err)
{
	struct oci_ref *local = &refs[0];
	struct oci_ref *to = &refs[1];

	if (operand && remote_ref(operand, local, err) < 0)
		return -1;
	if (o->as && remote_registry_ref(o->as, to, err) < 0)
		return -1;
	if (!operand && project_ref(ctx, !o->as, local, err) < 0)
		return -1;
	if (o->as)
		return 0;
	if (!local->host) {
		err_set(err, ERR_USAGE, "'%s' names no registry", operand);
		return err_hint(err, "push it with --as HOST/%s", operand);
	}
	*to = (struct oci_ref){xstrdup(local->host), xstrdup(local->name), xstrdup_opt(local->tag),
						   xstrdup_opt(local->digest)};
	return 0;
}

static int check_mount_from(const struct push_options *o, struct error *err)
{
	AUTO_FREE char *text = o->mount_from ? xasprintf("host.example/%s", o->mount_from) : NULL;
	AUTO(oci_ref) struct oci_ref ref = {0};

	if (!text)
		return 0;
	if (oci_ref_parse(text, &ref, err) == 0 && strcmp(ref.name, o->mount_from) == 0)
		return 0;
	err_set(err, ERR_USAGE, "'%s' is no repository", o->mount_from);
	return err_hint(err, "name it without host and tag: --mount-from shop/orders");
}

static int find_image(struct oci_store *store, const struct oci_ref *ref,
					  struct oci_descriptor *out, struct error *err)
{
	AUTO_FREE char *text = oci_ref_text(ref);
	bool had_hint;

	if (oci_store_find(store, ref, out, err) == 0)
		return 0;
	had_hint = err->hint[0] != '\0';
	err_wrap(err, "cannot push %s", text);
	if (err->code == ERR_MISSING && !had_hint)
		err_hint(err, "build it first: msctl build -t %s", text);
	return -1;
}

static int push_run(struct ctx *ctx, const void *options, int argc, char **argv, struct error *err)
{
	const struct push_options *o = options;
	struct oci_ref refs[2] = {0};
	AUTO(oci_ref) struct oci_ref local = {0};
	AUTO(oci_ref) struct oci_ref to = {0};
	AUTO_PTR(oci_store) struct oci_store *store = NULL;
	AUTO(oci_descriptor) struct oci_descriptor image = {0};
	AUTO(remote) struct remote remote = {0};
	AUTO(registry_result) struct registry_result result = {0};
	struct registry_push what;
	size_t documents = 0;
	int64_t begun = clock_now(ctx->clock);
	int rc = choose_refs(ctx, o, argc > 0 ? argv[0] : NULL, refs, err);

	local = refs[0];
	to = refs[1];
	if (rc < 0 || check_mount_from(o, err) < 0 || oci_store_open(NULL, &store, err) < 0)
		return -1;
	if (find_image(store, &local, &image, err) < 0)
		return argc == 0 && err->code == ERR_MISSING ? err_hint(err, "run 'msctl build' first")
													 : -1;
	if (remote_open(ctx, &o->remote, to.host, &remote, err) < 0)
		return -1;
	what = (struct registry_push){store, &image, &to, o->mount_from};
	if (registry_push(remote.registry, &what, &result, err) < 0 ||
		(!o->no_sbom && remote_push_sbom(&remote, &what, &documents, err) < 0))
		return -1;
	ctx_finish(ctx);
	remote_note_sbom(ctx, documents);
	return remote_report(ctx, &to, &result, clock_now(ctx->clock) - begun, err);
}

const struct command cmd_push = {
	.name = "push",
	.group = GROUP_REGISTRY,
	.summary = "Copy an image from the local store to a registry",
	.operands = "[REF]",
	.max_operands = 1,
	.options = push_opts,
	.options_size = sizeof(struct push_options),
	.description =
		"Without REF the project's image and version are pushed. Only what the registry lacks is "
		"sent: "
		"layers are mounted from other repositories where that is possible, the others go up side "
		"by "
		"side, the manifest follows. The last line is the reference with the digest to deploy.\n\n"
		"SBOM and provenance of an image that msctl build made here follow it as referrers (OCI "
		"1.1). A "
		"registry "
		"that lists no referrers gets an index of them under the tag sha256-DIGEST, where other "
		"tools "
		"look, too.",
	.examples = "msctl push\n    push what msctl build built\n"
				"msctl push orders:1.4.0 --as registry.example.com/shop/orders:1.4.0\n"
				"    push a local image under another name",
	.run = push_run,
	.complete = complete_images,
};
