#include "cmd/local.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "build/capability.h"
#include "cmd/remote.h"

#include <string.h>

#define OURS "msctl build: "

void local_image_release(struct local_image *i)
{
	free(i->ref);
	oci_descriptor_release(&i->d);
	oci_manifest_release(&i->m);
	oci_config_release(&i->config);
	strv_release(&i->layers);
}

/* Somebody who asks for a platform wants no other. */
static int check_platform(struct oci_store *store, const struct oci_manifest *m,
						  const struct oci_platform *want, struct error *err)
{
	AUTO(buf) struct buf bytes = {0};
	AUTO(oci_config) struct oci_config c = {0};

	if (oci_store_read(store, &m->config, OCI_MAX_MANIFEST_BYTES, &bytes, err) < 0 ||
		oci_config_parse(buf_span(&bytes), "config", &c, err) < 0)
		return -1;
	return oci_config_check_platform(&c, want, err);
}

/* Of an index one platform's. */
static int choose(struct oci_store *store, const char *platform, struct local_image *i,
				  struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest index = {0};
	const struct oci_descriptor *found;
	struct oci_platform want;

	if (platform && oci_platform_parse(platform, &want, err) < 0) {
		err->code = ERR_USAGE;
		return -1;
	}
	if (!platform)
		oci_platform_host(&want);
	if (oci_store_manifest(store, &i->d, &i->m, err) < 0)
		return -1;
	if (!i->m.is_index)
		return platform ? check_platform(store, &i->m, &want, err) : 0;
	index = MOVE(i->m);
	if (registry_choose(&index, &want, i->ref, &found, err) < 0)
		return -1;
	oci_descriptor_release(&i->d);
	oci_descriptor_copy(found, &i->d);
	if (oci_store_manifest(store, &i->d, &i->m, err) < 0)
		return -1;
	return i->m.is_index ? err_set(err, ERR_INPUT, "an index within an index") : 0;
}

/* What made each layer, from the history. */
static void name_layers(struct local_image *i)
{
	const json_t *step;
	size_t at;

	i->base_layers = i->m.layer_count;
	json_array_foreach(doc_get(i->config.json, "history"), at, step)
	{
		const char *by = doc_text(step, "created_by", "");

		if (doc_bool(step, "empty_layer", false) || i->layers.count == i->m.layer_count)
			continue;
		if (!text_starts(by, OURS)) {
			strv_addf(&i->layers, "layer %zu", i->layers.count + 1);
			continue;
		}
		if (i->base_layers == i->m.layer_count)
			i->base_layers = i->layers.count;
		strv_add(&i->layers, by + strlen(OURS));
		utf8_sanitize(i->layers.items[i->layers.count - 1]);
	}
	while (i->layers.count < i->m.layer_count)
		strv_addf(&i->layers, "layer %zu", i->layers.count + 1);
}

static int read_config(struct oci_store *store, struct local_image *i, struct error *err)
{
	AUTO(buf) struct buf bytes = {0};
	const char *type = i->m.config.media_type;

	if (strcmp(type, OCI_MEDIA_CONFIG) != 0 && strcmp(type, DOCKER_MEDIA_CONFIG) != 0)
		return err_set(err, ERR_INPUT, "it is no image, but an artifact of type %s", type);
	if (oci_store_read(store, &i->m.config, OCI_MAX_MANIFEST_BYTES, &bytes, err) < 0)
		return -1;
	return oci_config_parse(buf_span(&bytes), "its configuration", &i->config, err);
}

int local_image_open(struct oci_store *store, const char *operand, const char *platform,
					 struct local_image *out, struct error *err)
{
	AUTO(oci_ref) struct oci_ref ref = {0};
	AUTO(local_image) struct local_image i = {0};

	if (remote_ref(operand, &ref, err) < 0 || oci_store_find(store, &ref, &i.d, err) < 0)
		return -1;
	i.ref = oci_ref_text(&ref);
	if (choose(store, platform, &i, err) < 0 || read_config(store, &i, err) < 0)
		return err->code == ERR_USAGE ? -1 : err_wrap(err, "%s", i.ref);
	name_layers(&i);
	*out = MOVE(i);
	return 0;
}

int local_image_files(struct ctx *ctx, struct oci_store *store, const struct local_image *i,
					  struct oci_files *out, struct error *err)
{
	if (oci_files_read(store, &i->m, &i->config, ctx->cancel, out, err) < 0)
		return err_wrap(err, "%s", i->ref);
	return 0;
}

static char type_letter(enum tar_type type)
{
	static const char letters[] = {
		[TAR_FILE] = '-', [TAR_DIR] = 'd',          [TAR_SYMLINK] = 'l', [TAR_HARDLINK] = '-',
		[TAR_CHAR] = 'c', [TAR_BLOCK_DEVICE] = 'b', [TAR_FIFO] = 'p',
	};

	return letters[type];
}

const char *local_mode_text(const struct oci_file *f, char out[11])
{
	static const struct {
		int at;
		mode_t bit, execute;
		char letter;
	} special[] = {{3, 04000, 0100, 's'}, {6, 02000, 010, 's'}, {9, 01000, 01, 't'}};

	out[0] = type_letter(f->type);
	for (int i = 0; i < 9; i++)
		out[1 + i] = (char)(f->mode & (0400u >> i) ? "rwx"[i % 3] : '-');
	for (size_t i = 0; i < ARRAY_LEN(special); i++)
		if (f->mode & special[i].bit)
			out[special[i].at] =
				(char)(f->mode & special[i].execute ? special[i].letter : special[i].letter - 32);
	out[10] = '\0';
	return out;
}

char *local_capability_text(const struct oci_file *f)
{
	return f->capability.len ? capability_text(f->capability.bytes, f->capability.len) : NULL;
}

char *local_path_text(const char *path)
{
	char *text = xasprintf("/%s", path);

	utf8_sanitize(text);
	return text;
}

static const char *type_name(enum tar_type type)
{
	static const char *const names[] = {
		[TAR_FILE] = "file", [TAR_DIR] = "folder",         [TAR_SYMLINK] = "link",
		[TAR_CHAR] = "char", [TAR_BLOCK_DEVICE] = "block", [TAR_HARDLINK] = "hardlink",
		[TAR_FIFO] = "fifo",
	};

	return names[type];
}

json_t *local_file_json(const struct local_image *i, const struct oci_file *f)
{
	AUTO_FREE char *path = local_path_text(f->path);
	AUTO_FREE char *mode = xasprintf("%04o", (unsigned)f->mode);
	AUTO_FREE char *target = xstrdup_opt(f->target);
	AUTO_FREE char *capability = local_capability_text(f);
	json_t *doc = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s}", "path", path, "type",
							type_name(f->type), "mode", mode, "uid", (json_int_t)f->uid, "gid",
							(json_int_t)f->gid, "size", (json_int_t)f->size, "mtime",
							(json_int_t)f->mtime_s, "layer", i->layers.items[f->layer]);

	if (f->digest[0])
		json_object_set_new(doc, "digest", json_string(f->digest));
	if (capability)
		json_object_set_new(doc, "capabilities", json_string(capability));
	if (target) {
		utf8_sanitize(target);
		json_object_set_new(doc, "target", json_string(target));
	}
	return doc;
}
