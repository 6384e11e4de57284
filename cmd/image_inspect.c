/* msctl image inspect - look into an image of the local store. */
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "cmd/inspect.h"
#include "cmd/local.h"
#include "cmd/why.h"

#include <string.h>

struct image_inspect_options {
	struct inspect_options inspect;
	const char *why;
	bool files, layers;
};

static const struct opt image_inspect_opts[] = {
	OPT_FLAG(0, "files", struct image_inspect_options, files,
			 "list the files of all layers, one over the other"),
	OPT_FLAG(0, "layers", struct image_inspect_options, layers,
			 "list the layers: what each is, its sizes, how many files it has"),
	OPT_STRING(0, "why", struct image_inspect_options, why, "FILE",
			   "say why FILE is in the image: its layer, its package, who needs it"),
	OPT_FLAG(0, "raw", struct image_inspect_options, inspect.raw,
			 "print the manifest as it is, byte for byte"),
	OPT_FLAG(0, "config", struct image_inspect_options, inspect.config,
			 "print the image's configuration as it is"),
	OPT_STRING(0, "platform", struct image_inspect_options, inspect.platform, "OS/ARCH",
			   "of an image for several platforms show this one"),
	OPT_DONE,
};

/* A row as the table shows it: the same facts, put for people. */
static json_t *file_row(const struct local_image *i, const struct oci_file *f)
{
	AUTO_FREE char *owner = xasprintf("%u:%u", f->uid, f->gid);
	AUTO_FREE char *path = local_path_text(f->path);
	AUTO_FREE char *capability = local_capability_text(f);
	AUTO_FREE char *shown = capability ? xasprintf("%s [%s]", path, capability) : xstrdup(path);
	char mode[11];
	char size[16];

	if (f->target) {
		free(shown);
		shown = xasprintf("%s %s %s", path, f->type == TAR_SYMLINK ? "->" : "=", f->target);
		utf8_sanitize(shown);
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "mode", local_mode_text(f, mode), "owner", owner,
					 "size", f->type == TAR_FILE ? text_size(f->size, size) : "", "layer",
					 i->layers.items[f->layer], "path", shown);
}

static int show_files(struct ctx *ctx, const struct local_image *i, const struct oci_files *files,
					  struct error *err)
{
	static const struct print_column columns[] = {{"MODE", "mode"}, {"OWNER", "owner"},
												  {"SIZE", "size"}, {"LAYER", "layer"},
												  {"PATH", "path"}, {0}};
	AUTO_JSON json_t *rows = json_array();

	for (size_t n = 0; n < files->count; n++)
		json_array_append_new(rows, out_is_document(ctx) ? local_file_json(i, files->items[n])
														 : file_row(i, files->items[n]));
	return out_print(ctx, rows, columns, err);
}

static json_t *layer_row(const struct local_image *i, const struct oci_files *files, size_t n)
{
	const struct oci_descriptor *d = &i->m.layers[n];
	const struct oci_file_layer *l = &files->layers[n];

	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "layer", i->layers.items[n],
					 "digest", d->digest, "diffId", i->config.diff_ids.items[n], "mediaType",
					 d->media_type, "size", (json_int_t)d->size, "unpackedSize",
					 (json_int_t)l->tar_bytes, "files", (json_int_t)l->files, "folders",
					 (json_int_t)l->folders, "whiteouts", (json_int_t)l->whiteouts);
}

static int show_layers(struct ctx *ctx, const struct local_image *i, const struct oci_files *files,
					   struct error *err)
{
	static const struct print_column columns[] = {
		{"LAYER", "layer"}, {"SIZE", "sizeText"}, {"UNPACKED", "unpackedText"},
		{"FILES", "files"}, {"DIGEST", "digest"}, {0}};
	AUTO_JSON json_t *rows = json_array();
	char size[16];

	for (size_t n = 0; n < files->layer_count; n++) {
		json_t *row = layer_row(i, files, n);

		if (!out_is_document(ctx)) {
			json_object_set_new(row, "sizeText", json_string(text_size(i->m.layers[n].size, size)));
			json_object_set_new(row, "unpackedText",
								json_string(text_size(files->layers[n].tar_bytes, size)));
		}
		json_array_append_new(rows, row);
	}
	return out_print(ctx, rows, columns, err);
}

static int look_inside(struct ctx *ctx, const struct image_inspect_options *o, const char *operand,
					   struct error *err)
{
	AUTO_PTR(oci_store) struct oci_store *store = NULL;
	AUTO(local_image) struct local_image i = {0};
	AUTO(oci_files) struct oci_files files = {0};

	if (oci_store_open(NULL, &store, err) < 0 ||
		local_image_open(store, operand, o->inspect.platform, &i, err) < 0 ||
		local_image_files(ctx, store, &i, &files, err) < 0)
		return -1;
	if (o->why)
		return why_show(ctx, &(struct why){store, &i, &files}, o->why, err);
	return o->files ? show_files(ctx, &i, &files, err) : show_layers(ctx, &i, &files, err);
}

static int image_inspect_run(struct ctx *ctx, const void *options, int argc, char **argv,
							 struct error *err)
{
	struct image_inspect_options o = *(const struct image_inspect_options *)options;

	(void)argc;
	if (o.files + o.layers + (o.why != NULL) + o.inspect.raw + o.inspect.config > 1)
		return err_set(err, ERR_USAGE,
					   "--files, --layers, --why, --raw and --config exclude each other");
	if (o.files || o.layers || o.why)
		return look_inside(ctx, &o, argv[0], err);
	o.inspect.local = true;
	return inspect_image(ctx, &o.inspect, argv[0], err);
}

const struct command cmd_image_inspect = {
	.name = "image inspect",
	.group = GROUP_BUILD,
	.summary = "Look into an image of the local store",
	.operands = "REF",
	.min_operands = 1,
	.max_operands = 1,
	.options = image_inspect_opts,
	.options_size = sizeof(struct image_inspect_options),
	.description =
		"Without an option: what the image is, and how large. Layers are checked against their "
		"digests while they are read; nothing is unpacked to the disk.\n\n"
		"--why tells which layer brought a file, which Debian package with which version and "
		"licence it is of, or that it is the project's, and for libraries which program needs them "
		"and where the loader found them. That is kept beside the image by msctl build; of images "
		"from elsewhere only the layer is known.",
	.examples =
		"msctl image inspect orders:0.1.0\n    what it is, and how large\n"
		"msctl image inspect --files orders:0.1.0\n    each file with mode, owner, size and layer\n"
		"msctl image inspect --why /lib/x86_64-linux-gnu/libz.so.1 orders:0.1.0\n    why that "
		"library is in it\n"
		"msctl image inspect --config orders:0.1.0 | jq .config\n    its configuration as it is",
	.run = image_inspect_run,
	.complete = complete_images,
};
