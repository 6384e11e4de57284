/* msctl sbom - what an image of the local store is made of, and how it was made. */
#include "base/auto.h"
#include "base/mem.h"
#include "build/build.h"
#include "cmd/out.h"
#include "cmd/remote.h"
#include "supply/intoto.h"
#include "supply/sbom.h"

#include <string.h>

struct sbom_options {
	const char *format;
	const char *platform;
};

static const struct opt sbom_opts[] = {
	OPT_CHOICE(0, "format", struct sbom_options, format, "spdx|cyclonedx|provenance",
			   ((const char *const[]){"spdx", "cyclonedx", "provenance", NULL}),
			   "the kind of document (default: spdx)"),
	OPT_STRING(0, "platform", struct sbom_options, platform, "OS/ARCH",
			   "of an image for several (default: this machine's)"),
	OPT_DONE,
};

/* What is asked for: an operand, or the image of the project in this folder. */
static int choose_ref(struct ctx *ctx, const char *operand, struct oci_ref *out, struct error *err)
{
	AUTO(project) struct project project = {0};

	if (operand)
		return remote_ref(operand, out, err);
	if (project_load_any(NULL, ctx->global.file, &project, err) < 0)
		return -1;
	return build_reference(&project, out, err);
}

/* Of an index, the image for one platform. */
static int choose_image(struct oci_store *store, const char *name,
						const struct oci_platform *platform, struct oci_descriptor *d,
						struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};
	const struct oci_descriptor *found;

	if (oci_store_manifest(store, d, &m, err) < 0)
		return -1;
	if (!m.is_index)
		return 0;
	found = oci_index_find(&m, platform);
	if (!found) {
		AUTO_FREE char *wanted = oci_platform_text(platform);

		err_set(err, ERR_MISSING, "%s has no image for %s", name, wanted);
		return err_hint(err, "run 'msctl image inspect %s' to see its platforms", name);
	}
	oci_descriptor_release(d);
	oci_descriptor_copy(found, d);
	return 0;
}

static int print_document_of(struct ctx *ctx, const struct buf *bytes, struct error *err)
{
	AUTO_JSON json_t *doc = NULL;
	AUTO(buf) struct buf text = {0};

	if (doc_json_parse(buf_span(bytes), "SBOM", &doc, err) < 0)
		return -1;
	if (out_is_document(ctx))
		return out_print(ctx, doc, NULL, err);
	doc_json_write_pretty(doc, &text);
	if (fwrite(buf_str(&text), 1, text.len, ctx->out) != text.len)
		return err_errno(err, "cannot write the answer");
	return 0;
}

static const char *type_of(const char *format)
{
	if (format && strcmp(format, "provenance") == 0)
		return INTOTO_TYPE;
	return format && strcmp(format, "cyclonedx") == 0 ? SBOM_TYPE_CYCLONEDX : SBOM_TYPE_SPDX;
}

static int sbom_run(struct ctx *ctx, const void *options, int argc, char **argv, struct error *err)
{
	const struct sbom_options *o = options;
	const char *type = type_of(o->format);
	struct oci_platform platform;
	AUTO(oci_ref) struct oci_ref ref = {0};
	AUTO_PTR(oci_store) struct oci_store *store = NULL;
	AUTO(oci_descriptor) struct oci_descriptor image = {0};
	AUTO(buf) struct buf bytes = {0};
	AUTO_FREE char *name = NULL;

	oci_platform_host(&platform);
	if (o->platform && oci_platform_parse(o->platform, &platform, err) < 0) {
		err->code = ERR_USAGE;
		return -1;
	}
	if (choose_ref(ctx, argc ? argv[0] : NULL, &ref, err) < 0 ||
		oci_store_open(NULL, &store, err) < 0 || oci_store_find(store, &ref, &image, err) < 0)
		return -1;
	name = oci_ref_text(&ref);
	if (choose_image(store, name, &platform, &image, err) < 0)
		return -1;
	if (oci_store_artifact(store, image.digest, type, SBOM_MAX_BYTES, &bytes, err) < 0) {
		if (err->code != ERR_MISSING)
			return err_wrap(err, "%s", name);
		err_set(err, ERR_MISSING, "%s has no %s in the image store", name,
				strcmp(type, INTOTO_TYPE) == 0 ? "provenance" : "SBOM");
		return err_hint(err, "images get one when 'msctl build' makes them here");
	}
	return print_document_of(ctx, &bytes, err);
}

const struct command cmd_sbom = {
	.name = "sbom",
	.group = GROUP_BUILD,
	.summary = "Show what an image is made of, or how",
	.operands = "[REF]",
	.max_operands = 1,
	.options = sbom_opts,
	.options_size = sizeof(struct sbom_options),
	.description =
		"Prints what msctl build keeps beside the image: its software bill of materials as SPDX "
		"2.3 or CycloneDX 1.5, or its provenance. Without REF the project's image and version "
		"are meant; of an image for several platforms each has its own.\n\n"
		"The SBOM has a row for each file of the image's own layers, with its checksums and "
		"where it is from: the project, a package of the build machine, or one of the sysroot "
		"or toolchain image that it was found in (Debian's, read from dpkg's database, or "
		"Alpine's), with version, source package and licence. Of the base image there is its "
		"digest, and the packages that it says it has; its files have no rows. A licence is "
		"told as an SPDX expression where the package's copyright file is machine-readable and "
		"each of its licences has an SPDX name, and as NOASSERTION otherwise, with the file's own "
		"words as a comment. The documents are "
		"functions of the image and of the packages.\n\n"
		"The provenance is an in-toto statement (in-toto.io/Statement/v1) with SLSA's predicate "
		"(slsa.dev/provenance/v1) and the buildType msctl:build/v1. It is not signed: it says "
		"how the image was made and not who vouches for it. externalParameters has source (uri, "
		"digest.gitCommit, and dirty: did files differ from the commit?), configuration (the "
		"name of msctl.yaml and its SHA-256, or 'none (detected)'), buildSystem, the "
		"steps, platform, base, toolchain and sysroot. internalParameters has compat, the "
		"number of the form of layers; msctl, the version; compression; and SOURCE_DATE_EPOCH, "
		"the image's time. resolvedDependencies are told apart by annotations.role: "
		"source, base, toolchain, compiler (the package of the cc that steps on this machine "
		"find) and package. Two builds of the same are to have the same provenance, so that "
		"there is neither startedOn nor finishedOn. Nothing of the environment is in it but the "
		"address of the run as metadata.invocationId, where CI tells it, and addresses lose "
		"their credentials.",
	.examples = "msctl sbom\n    what msctl build built last, as SPDX 2.3 JSON\n"
				"msctl sbom orders:1.4.0 --format cyclonedx\n    as CycloneDX 1.5 JSON\n"
				"msctl sbom --format provenance --platform linux/arm64\n    how the image of that "
				"platform was made",
	.run = sbom_run,
	.complete = complete_images,
};
