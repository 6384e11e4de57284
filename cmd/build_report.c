#include "cmd/build_report.h"

#include "base/auto.h"
#include "base/text.h"

static uint64_t image_bytes(const struct build_image *image)
{
	uint64_t bytes = image->base_bytes;

	for (size_t i = 0; i < image->layer_count; i++)
		bytes += image->layers[i].bytes;
	return bytes;
}

/* "libraries 3.9 MB (cached) · app 212 kB"; of several platforms each says which it is. */
static void note_layers(struct ctx *ctx, const struct build_image *image, bool is_one)
{
	AUTO(buf) struct buf line = {0};
	AUTO_FREE char *platform = oci_platform_text(&image->platform);
	char size[16];

	if (image->base_bytes)
		buf_addf(&line, "base %s", text_size(image->base_bytes, size));
	for (size_t i = 0; i < image->layer_count; i++)
		buf_addf(&line, "%s%s %s%s", line.len ? " · " : "", image->layers[i].name,
				 text_size(image->layers[i].bytes, size),
				 image->layers[i].was_there ? " (cached)" : "");
	ctx_note(ctx, " layers   %s%s%s", is_one ? "" : platform, is_one ? "" : ": ", buf_str(&line));
}

void build_report_note(struct ctx *ctx, const struct build_result *r)
{
	uint64_t bytes = 0;
	int64_t ms = 0;
	char size[16];
	char took[16];

	for (size_t i = 0; i < r->image_count; i++) {
		note_layers(ctx, &r->images[i], r->image_count == 1);
		bytes += image_bytes(&r->images[i]);
		ms += r->images[i].image_ms;
	}
	ctx_note(ctx, " image    %s  %.19s  %s  %s", r->ref, r->image.digest, text_size(bytes, size),
			 text_duration(ms, took));
}

static json_t *describe_layers(const struct build_image *image)
{
	json_t *layers = json_array();

	for (size_t i = 0; i < image->layer_count; i++) {
		const struct build_layer *l = &image->layers[i];

		json_array_append_new(layers,
							  json_pack("{s:s, s:s, s:I, s:I, s:b}", "name", l->name, "digest",
										l->digest, "size", (json_int_t)l->bytes, "files",
										(json_int_t)l->files, "cached", l->was_there));
	}
	return layers;
}

static json_t *describe_platforms(const struct build_result *r)
{
	json_t *platforms = json_array();

	for (size_t i = 0; i < r->image_count; i++) {
		const struct build_image *image = &r->images[i];
		AUTO_FREE char *platform = oci_platform_text(&image->platform);

		json_array_append_new(platforms,
							  json_pack("{s:s, s:s, s:I, s:o}", "platform", platform, "digest",
										image->image.digest, "size", (json_int_t)image_bytes(image),
										"layers", describe_layers(image)));
	}
	return platforms;
}

json_t *build_report_document(const struct build_result *r)
{
	bool is_one = r->image_count == 1;
	uint64_t bytes = 0;
	char created[32];

	for (size_t i = 0; i < r->image_count; i++)
		bytes += image_bytes(&r->images[i]);
	return json_pack("{s:s, s:s, s:I, s:s, s:o}", "image", r->ref, "digest", r->image.digest,
					 "size", (json_int_t)bytes, "created", clock_rfc3339(r->created, created),
					 is_one ? "layers" : "platforms",
					 is_one ? describe_layers(&r->images[0]) : describe_platforms(r));
}
