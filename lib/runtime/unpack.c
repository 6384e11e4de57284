#include "runtime/private.h"

#include "base/fs.h"
#include "base/mem.h"
#include "tar/extract.h"

#include <errno.h>
#include <string.h>

/* A layer on its way from the store: hashed while it is read. */
struct layer_stream {
	int fd;
	struct sha256 *hash;
	const struct cancel *cancel;
	const struct log *log;
};

static ssize_t read_layer(void *user, void *data, size_t len, struct error *err)
{
	struct layer_stream *s = user;
	ssize_t n;

	if (cancel_check(s->cancel, err) < 0)
		return -1;
	do
		n = read(s->fd, data, len);
	while (n < 0 && errno == EINTR && !cancel_requested(s->cancel));
	if (n < 0)
		return err_errno(err, "cannot read a layer");
	sha256_add(s->hash, data, (size_t)n);
	return n;
}

static int read_rest(struct layer_stream *s)
{
	char chunk[16384];
	struct error ignored;
	ssize_t n;

	do
		n = read_layer(s, chunk, sizeof(chunk), &ignored);
	while (n > 0);
	return n < 0 ? -1 : 0;
}

static void note_skipped(void *user, const char *path, const char *why)
{
	const struct layer_stream *s = user;

	log_line(s->log, 1, "skipped %s: %s", path, why);
}

static bool is_layer_type(const char *type)
{
	static const char *const known[] = {OCI_MEDIA_LAYER, OCI_MEDIA_LAYER_GZIP, OCI_MEDIA_LAYER_ZSTD,
										DOCKER_MEDIA_LAYER_GZIP,
										"application/vnd.docker.image.rootfs.diff.tar"};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(type, known[i]) == 0)
			return true;
	return false;
}

static int damaged(struct oci_store *store, const struct oci_descriptor *d, const char *name,
				   struct error *err)
{
	oci_store_drop_broken(store, d->digest);
	err_set(err, ERR_INPUT, "%s: layer %s is damaged and was removed", name, d->digest);
	return err_hint(err, "pull or build the image again");
}

static int apply_layer(struct oci_store *store, const struct runtime_layers *l, size_t index,
					   int root_fd, struct error *err)
{
	const struct oci_descriptor *d = &l->manifest->layers[index];
	AUTO_PTR(sha256) struct sha256 *hash = sha256_new();
	AUTO_CLOSE int fd = -1;
	AUTO_FREE char *name = xasprintf("layer %.19s", d->digest);
	struct layer_stream stream = {.hash = hash, .cancel = l->cancel, .log = l->log};
	struct tar_source source = {read_layer, &stream};
	struct extract_options options = {
		.keep_owner = geteuid() == 0, .skipped = note_skipped, .user = &stream};
	uint8_t sum[SHA256_BYTES], inner[SHA256_BYTES];
	char digest[OCI_DIGEST_LEN + 1];
	int rc;

	if (oci_store_open_blob(store, d, &fd, err) < 0)
		return -1;
	stream.fd = fd;
	rc = tar_extract(&source, name, root_fd, &options, inner, err);
	if (rc < 0 && (err->code != ERR_INPUT || read_rest(&stream) < 0))
		return -1;
	sha256_end(hash, sum);
	/* a layer that cannot be read may be one that the disk has spoilt */
	if (strcmp(oci_digest_from(sum, digest), d->digest) != 0)
		return damaged(store, d, name, err);
	if (rc < 0)
		return -1;
	if (strcmp(oci_digest_from(inner, digest), l->config->diff_ids.items[index]) != 0)
		return err_set(err, ERR_INPUT, "%s: its content has the digest %s, the image says %s", name,
					   digest, l->config->diff_ids.items[index]);
	return 0;
}

static int choose_manifest(struct oci_store *store, const struct oci_descriptor *image,
						   const char *name, struct oci_manifest *out, struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};
	struct oci_platform host;
	const struct oci_descriptor *d;

	if (oci_store_manifest(store, image, &m, err) < 0)
		return -1;
	if (!m.is_index) {
		*out = MOVE(m);
		return 0;
	}
	oci_platform_host(&host);
	d = oci_index_find(&m, &host);
	if (!d) {
		err_set(err, ERR_MISSING, "%s has no image for %s/%s", name, host.os, host.arch);
		return err_hint(err,
						"build or pull it for this platform; 'msctl inspect %s' shows which "
						"there are",
						name);
	}
	if (oci_store_manifest(store, d, out, err) < 0)
		return -1;
	if (out->is_index) {
		oci_manifest_release(out);
		return err_set(err, ERR_INPUT, "%s: an index within an index", name);
	}
	return 0;
}

static int check_layers(const struct oci_manifest *m, const struct oci_config *c, const char *name,
						struct error *err)
{
	if (m->layer_count != c->diff_ids.count)
		return err_set(err, ERR_INPUT, "%s: %zu layers, but %zu diff_ids", name, m->layer_count,
					   c->diff_ids.count);
	for (size_t i = 0; i < m->layer_count; i++)
		if (!is_layer_type(m->layers[i].media_type))
			return err_set(err, ERR_INPUT, "%s: a layer of type '%s' cannot be unpacked", name,
						   m->layers[i].media_type);
	return 0;
}

int runtime_unpack(struct oci_store *store, const struct runtime_layers *layers, int root_fd,
				   struct error *err)
{
	if (check_layers(layers->manifest, layers->config, layers->name, err) < 0)
		return -1;
	for (size_t i = 0; i < layers->manifest->layer_count; i++)
		if (apply_layer(store, layers, i, root_fd, err) < 0)
			return err_wrap(err, "cannot unpack %s", layers->name);
	return 0;
}

int bundle_unpack(struct runtime_bundle *b, struct oci_store *store,
				  const struct oci_descriptor *image, const struct runtime_options *o,
				  struct oci_config *config, struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};
	AUTO(oci_config) struct oci_config c = {0};
	AUTO(buf) struct buf text = {0};
	AUTO_FREE char *config_name = xasprintf("configuration of %s", b->name);
	struct runtime_layers layers = {
		.name = b->name, .manifest = &m, .config = &c, .cancel = o->cancel, .log = o->log};

	if (choose_manifest(store, image, b->name, &m, err) < 0 ||
		oci_store_read(store, &m.config, OCI_MAX_MANIFEST_BYTES, &text, err) < 0 ||
		oci_config_parse(buf_span(&text), config_name, &c, err) < 0 ||
		bundle_check_platform(&c.platform, b->name, o->log, err) < 0 ||
		runtime_unpack(store, &layers, b->root_fd, err) < 0)
		return -1;
	*config = MOVE(c);
	return 0;
}
