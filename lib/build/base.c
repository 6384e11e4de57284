#include "build/basetree.h"

#include "base/fs.h"
#include "base/mem.h"
#include "build/fetch.h"
#include "tar/reader.h"

#include <string.h>

#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"
#define MAX_LAYER_BYTES (32ull << 30)

/* ".wh.NAME" takes away what lower layers have, wherever in this layer it stands. */
static int apply_whiteout(struct build *b, const char *path, unsigned layer, struct error *err)
{
	AUTO_FREE char *dir = fs_dirname(path);
	const char *name = fs_basename(path);
	const char *hidden = name + strlen(WHITEOUT);
	bool is_opaque = strcmp(name, OPAQUE) == 0;
	AUTO_FREE char *gone = xasprintf("%s/%s", dir, is_opaque ? "." : hidden);
	AUTO_FREE char *at = NULL;

	if (hidden[0] == '\0' || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
		return err_set(err, ERR_INPUT, "'%s' is a whiteout of nothing", path);
	if (tree_resolve(&b->tree, gone, false, &at, err) < 0)
		return -1;
	tree_remove(&b->tree, at, is_opaque, layer);
	return 0;
}

static int add_entry(struct build *b, const struct tar_entry *e, unsigned layer, struct error *err)
{
	AUTO_FREE char *at = NULL;
	AUTO_FREE char *target = NULL;
	struct tree_node n = {.layer = TREE_BASE,
						  .base_layer = layer,
						  .mode = e->mode,
						  .uid = e->uid,
						  .gid = e->gid,
						  .mtime_s = e->mtime_s,
						  .type = e->type == TAR_DIR ? TREE_DIR : TREE_FILE};

	if (e->path[0] == '\0')
		return 0;
	if (strncmp(fs_basename(e->path), WHITEOUT, strlen(WHITEOUT)) == 0)
		return apply_whiteout(b, e->path, layer, err);
	if (tree_resolve(&b->tree, e->path, false, &at, err) < 0)
		return -1;
	if (e->type == TAR_SYMLINK) {
		n.type = TREE_LINK;
		target = n.target = xstrdup(e->target);
	}
	if (tree_put(&b->tree, at, &n, err) < 0)
		return -1;
	target = NULL;
	return 0;
}

/* What no runtime would unpack is no base. */
static int check_content(const struct build *b, struct tar_reader *r, unsigned index,
						 struct error *err)
{
	const struct strv *diff_ids = &b->base_config.diff_ids;
	char digest[OCI_DIGEST_LEN + 1];
	uint8_t sum[SHA256_BYTES];

	tar_reader_sum(r, sum);
	oci_digest_from(sum, digest);
	if (strcmp(diff_ids->items[index], digest) == 0)
		return 0;
	err_set(err, ERR_INPUT, "%s: its content is not what the image's configuration says",
			b->base.layers[index].digest);
	return err_hint(err, "no runtime unpacks this image: take another base");
}

/* Names and links are what placing files needs; content stays in the blob. */
static int read_layer(struct build *b, unsigned index, struct error *err)
{
	const struct oci_descriptor *d = &b->base.layers[index];
	AUTO_CLOSE int fd = -1;
	AUTO_PTR(tar_reader) struct tar_reader *reader = NULL;
	struct tar_source source = tar_source_fd(&fd);
	struct tar_entry e;
	int rc;

	if (oci_store_open_blob(b->store, d, &fd, err) < 0 ||
		tar_reader_new(&source, d->digest, MAX_LAYER_BYTES, &reader, err) < 0)
		return -1;
	while ((rc = tar_reader_next(reader, &e, err)) > 0)
		if (cancel_check(b->request->cancel, err) < 0 || add_entry(b, &e, index, err) < 0)
			return -1;
	return rc < 0 ? -1 : check_content(b, reader, index, err);
}

int build_base(struct build *b, struct error *err)
{
	struct build_fetch what = {.name = b->project->build.base,
							   .what = "base image",
							   .key = "build.base",
							   .platform = b->platform,
							   .is_native = !b->is_cross};

	if (strcmp(what.name, "scratch") == 0)
		return 0;
	if (build_fetch(b, b->store, &what, &b->base, &b->base_config, err) < 0)
		return -1;
	build_explain_base(b);
	if (build_base_tree_load(b))
		return 0;
	for (unsigned i = 0; i < b->base.layer_count; i++)
		if (read_layer(b, i, err) < 0)
			return err_wrap(err, "base image %s", what.name);
	build_base_tree_keep(b);
	return 0;
}
