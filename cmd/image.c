/* msctl image ls, rm, verify - the local store. */
#include "base/auto.h"
#include "base/text.h"
#include "cmd/out.h"
#include "oci/config.h"
#include "oci/store.h"

#include <string.h>

static const struct opt no_opts[] = {OPT_DONE};

/* What the images of an index have in common counts once for each; one that is not here counts
 * nothing. */
static uint64_t add_sizes(struct oci_store *store, const struct oci_manifest *m)
{
	uint64_t total = m->is_index ? 0 : m->config.size;

	for (size_t i = 0; i < m->layer_count; i++) {
		AUTO(oci_manifest) struct oci_manifest child = {0};
		struct error ignored = {0};

		if (!m->is_index)
			total += m->layers[i].size;
		else if (oci_store_manifest(store, &m->layers[i], &child, &ignored) == 0 && !child.is_index)
			total += add_sizes(store, &child);
	}
	return total;
}

/* Platform and time, from the configuration; left out where it is none or broken. */
static void add_config(struct oci_store *store, const struct oci_manifest *m, json_t *row)
{
	AUTO(buf) struct buf bytes = {0};
	AUTO(oci_config) struct oci_config c = {0};
	AUTO_FREE char *platform = NULL;
	struct error ignored = {0};

	if (m->is_index ||
		oci_store_read(store, &m->config, OCI_MAX_MANIFEST_BYTES, &bytes, &ignored) < 0 ||
		oci_config_parse(buf_span(&bytes), "config", &c, &ignored) < 0)
		return;
	platform = oci_platform_text(&c.platform);
	json_object_set_new(row, "platform", json_string(platform));
	if (c.created)
		json_object_set_new(row, "created", json_string(c.created));
}

static json_t *describe(struct oci_store *store, const struct oci_image *image)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};
	struct error problem = {0};
	uint64_t bytes;
	char size[16];
	json_t *row =
		json_pack("{s:s, s:s, s:s#}", "reference", image->ref, "digest", image->descriptor.digest,
				  "id", oci_digest_hex(image->descriptor.digest), 12);

	if (oci_store_manifest(store, &image->descriptor, &m, &problem) < 0) {
		json_object_set_new(row, "problem", json_string(problem.msg));
		return row;
	}
	bytes = add_sizes(store, &m);
	json_object_set_new(row, "size", json_integer((json_int_t)bytes));
	json_object_set_new(row, "sizeText", json_string(text_size(bytes, size)));
	if (m.is_index)
		json_object_set_new(row, "platform", json_string("several"));
	add_config(store, &m, row);
	return row;
}

static int ls_run(struct ctx *ctx, const void *options, int argc, char **argv, struct error *err)
{
	static const struct print_column columns[] = {{"REFERENCE", "reference"}, {"ID", "id"},
												  {"PLATFORM", "platform"},   {"SIZE", "sizeText"},
												  {"CREATED", "created"},     {0}};
	AUTO_PTR(oci_store) struct oci_store *store = NULL;
	AUTO(oci_images) struct oci_images images = {0};
	AUTO_JSON json_t *rows = json_array();

	(void)options;
	(void)argc;
	(void)argv;
	if (oci_store_open(NULL, &store, err) < 0 || oci_store_list(store, &images, err) < 0)
		return -1;
	for (size_t i = 0; i < images.count; i++)
		json_array_append_new(rows, describe(store, &images.items[i]));
	return out_print(ctx, rows, columns, err);
}

static int rm_run(struct ctx *ctx, const void *options, int argc, char **argv, struct error *err)
{
	AUTO_PTR(oci_store) struct oci_store *store = NULL;
	uint64_t total = 0;
	char size[16];

	(void)options;
	if (oci_store_open(NULL, &store, err) < 0)
		return -1;
	for (int i = 0; i < argc; i++) {
		AUTO(oci_ref) struct oci_ref ref = {0};
		uint64_t freed = 0;

		if (oci_ref_parse_tagged(argv[i], &ref, err) < 0 ||
			oci_store_untag(store, &ref, true, &freed, err) < 0)
			return err_wrap(err, "cannot remove %s", argv[i]);
		total += freed;
		fprintf(ctx->out, "removed %s\n", argv[i]);
	}
	ctx_note(ctx, "%s freed", text_size(total, size));
	return 0;
}

static int verify_run(struct ctx *ctx, const void *options, int argc, char **argv,
					  struct error *err)
{
	AUTO_PTR(oci_store) struct oci_store *store = NULL;
	size_t checked = 0;
	size_t broken = 0;

	(void)options;
	(void)argc;
	(void)argv;
	if (oci_store_open(NULL, &store, err) < 0 ||
		oci_store_verify(store, &checked, &broken, err) < 0)
		return -1;
	if (out_is_document(ctx)) {
		AUTO_JSON json_t *doc =
			json_pack("{s:I, s:I}", "checked", (json_int_t)checked, "broken", (json_int_t)broken);

		if (out_print(ctx, doc, NULL, err) < 0)
			return -1;
	} else {
		fprintf(ctx->out, "%zu blobs checked, %zu broken\n", checked, broken);
	}
	if (broken == 0)
		return 0;
	err_set(err, ERR_INPUT, "%zu of %zu blobs in %s were broken and are removed", broken, checked,
			oci_store_path(store));
	return err_hint(err, "build or pull the images again");
}

const struct command cmd_image_ls = {
	.name = "image ls",
	.group = GROUP_BUILD,
	.summary = "List the images of the local store",
	.operands = "",
	.options = no_opts,
	.run = ls_run,
};

const struct command cmd_image_rm = {
	.name = "image rm",
	.group = GROUP_BUILD,
	.summary = "Remove images from the local store",
	.operands = "REF...",
	.min_operands = 1,
	.max_operands = -1,
	.options = no_opts,
	.description = "Takes the name away; what no other image needs is removed from the disk.",
	.run = rm_run,
	.complete = complete_images,
};

const struct command cmd_image_verify = {
	.name = "image verify",
	.group = GROUP_BUILD,
	.summary = "Read every blob of the local store and check it",
	.operands = "",
	.options = no_opts,
	.description =
		"A broken blob is removed, so that building or pulling its image again heals it.",
	.run = verify_run,
};
