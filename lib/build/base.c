#include "build/private.h"

#include "base/fs.h"
#include "base/mem.h"
#include "tar/reader.h"

#include <errno.h>
#include <string.h>

#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"
#define MAX_LAYER_BYTES (32ull << 30)

/* Fetch it; an image of this machine's platform alone is what most people want to have. */
static int pull_image(struct build *b, const struct oci_ref *ref, struct error *err)
{
	const struct build_watch *w = &b->request->watch;
	const char *name = b->project->build.base;
	AUTO_FREE char *platform = oci_platform_text(&b->platform);

	if (!w->pull || !ref->host) {
		err_set(err, ERR_MISSING, "the base image %s is not in the local store", name);
		return err_hint(err,
						ref->host ? "run 'msctl pull %s'"
								  : "build %s first, or name it with its registry's host",
						name);
	}
	return w->pull(w->user, name, b->is_cross ? platform : "", b->store, err);
}

/* ERR_MISSING: not for this platform, as far as the store knows. */
static int read_manifest(struct build *b, const struct oci_descriptor *d, struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};
	const struct oci_descriptor *own;

	if (oci_store_manifest(b->store, d, &m, err) < 0)
		return -1;
	if (!m.is_index) {
		b->base = MOVE(m);
		return 0;
	}
	own = oci_index_find(&m, &b->platform);
	if (!own)
		return err_set(err, ERR_MISSING, "it has no image for %s/%s", b->platform.os,
					   b->platform.arch);
	return oci_store_manifest(b->store, own, &b->base, err);
}

static int read_config(struct build *b, struct error *err)
{
	AUTO(buf) struct buf bytes = {0};
	struct oci_config *c = &b->base_config;

	if (oci_store_read(b->store, &b->base.config, OCI_MAX_MANIFEST_BYTES, &bytes, err) < 0 ||
		oci_config_parse(buf_span(&bytes), b->project->build.base, c, err) < 0)
		return -1;
	if (strcmp(c->platform.arch, b->platform.arch) != 0)
		return err_set(err, ERR_MISSING, "it is for %s/%s, the image is for %s/%s", c->platform.os,
					   c->platform.arch, b->platform.os, b->platform.arch);
	if (c->diff_ids.count != b->base.layer_count)
		return err_set(err, ERR_INPUT, "it has %zu layers but %zu diff_ids", b->base.layer_count,
					   c->diff_ids.count);
	return 0;
}

static ssize_t read_blob(void *user, void *data, size_t len, struct error *err)
{
	const int *fd = user;
	ssize_t n;

	do
		n = read(*fd, data, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_errno(err, "cannot read the layer") : n;
}

/* ".wh.NAME" takes away what lower layers have, wherever in this layer it stands. */
static int apply_whiteout(struct build *b, const char *path, unsigned layer, struct error *err)
{
	AUTO_FREE char *dir = fs_dirname(path);
	const char *name = fs_basename(path);
	bool is_opaque = strcmp(name, OPAQUE) == 0;
	AUTO_FREE char *gone = xasprintf("%s/%s", dir, is_opaque ? "." : name + strlen(WHITEOUT));
	AUTO_FREE char *at = NULL;

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

/* Names and links are what placing files needs; content stays in the blob. */
static int read_layer(struct build *b, unsigned index, struct error *err)
{
	const struct oci_descriptor *d = &b->base.layers[index];
	AUTO_CLOSE int fd = -1;
	AUTO_PTR(tar_reader) struct tar_reader *reader = NULL;
	struct tar_source source = {.read = read_blob, .user = &fd};
	struct tar_entry e;
	int rc;

	if (oci_store_open_blob(b->store, d, &fd, err) < 0 ||
		tar_reader_new(&source, d->digest, MAX_LAYER_BYTES, &reader, err) < 0)
		return -1;
	while ((rc = tar_reader_next(reader, &e, err)) > 0)
		if (cancel_check(b->request->cancel, err) < 0 || add_entry(b, &e, index, err) < 0)
			return -1;
	return rc;
}

static int read_image(struct build *b, const struct oci_ref *ref, struct error *err)
{
	AUTO(oci_descriptor) struct oci_descriptor d = {0};

	oci_manifest_release(&b->base);
	oci_config_release(&b->base_config);
	if (oci_store_find(b->store, ref, &d, err) < 0 || read_manifest(b, &d, err) < 0)
		return -1;
	return read_config(b, err);
}

/* As the store has it; what is not there, or not for this platform, is fetched. */
static int find_image(struct build *b, const struct oci_ref *ref, struct error *err)
{
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	struct error why = {0}, ignored = {0};

	if (read_image(b, ref, &why) == 0)
		return 0;
	/* an image that was built here is fetched from nowhere */
	if (why.code != ERR_MISSING ||
		(!ref->host && oci_store_find(b->store, ref, &d, &ignored) == 0)) {
		*err = why;
		return -1;
	}
	return pull_image(b, ref, err) < 0 ? -1 : read_image(b, ref, err);
}

int build_base(struct build *b, struct error *err)
{
	const char *name = b->project->build.base;
	AUTO(oci_ref) struct oci_ref ref = {0};

	if (strcmp(name, "scratch") == 0)
		return 0;
	if (oci_ref_parse_tagged(name, &ref, err) < 0)
		return err_wrap(err, "%s: build.base", b->project->file);
	if (find_image(b, &ref, err) < 0)
		return err_wrap(err, "build.base");
	for (unsigned i = 0; i < b->base.layer_count; i++)
		if (read_layer(b, i, err) < 0)
			return err_wrap(err, "base image %s", name);
	return 0;
}
