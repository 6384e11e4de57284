#include "base/mem.h"
#include "oci/config.h"
#include "registry/download.h"

#include <string.h>

static bool is_layer_type(const char *type)
{
	static const char *const known[] = {
		OCI_MEDIA_LAYER,
		OCI_MEDIA_LAYER_GZIP,
		OCI_MEDIA_LAYER_ZSTD,
		DOCKER_MEDIA_LAYER_GZIP,
		"application/vnd.docker.image.rootfs.diff.tar",
		"application/vnd.docker.image.rootfs.diff.tar.zstd",
		"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
		"application/vnd.oci.image.layer.nondistributable.v1.tar",
		"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
		"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(known[i], type) == 0)
			return true;
	return false;
}

static bool is_image(const struct oci_manifest *m)
{
	return strcmp(m->config.media_type, OCI_MEDIA_CONFIG) == 0 ||
		   strcmp(m->config.media_type, DOCKER_MEDIA_CONFIG) == 0;
}

/* An image that would be pulled only to be unusable is refused before its layers come. */
static int check_image(const struct oci_manifest *m, struct error *err)
{
	if (!is_image(m)) {
		err_set(err, ERR_INPUT, "this is no image but an artifact of type '%s'",
				m->config.media_type);
		return err_hint(err, "msctl pulls container images");
	}
	for (size_t i = 0; i < m->layer_count; i++)
		if (!is_layer_type(m->layers[i].media_type))
			return err_set(err, ERR_INPUT, "layer %s has the unknown media type '%s'",
						   m->layers[i].digest, m->layers[i].media_type);
	return 0;
}

static bool is_for(const struct oci_platform *is, const struct oci_platform *want)
{
	return strcmp(is->os, want->os) == 0 && strcmp(is->arch, want->arch) == 0 &&
		   (!is->variant[0] || !want->variant[0] || strcmp(is->variant, want->variant) == 0);
}

static int wrong_platform(const struct oci_platform *is, const struct oci_platform *want,
						  struct error *err)
{
	AUTO_FREE char *has = oci_platform_text(is);
	AUTO_FREE char *wanted = oci_platform_text(want);

	err_set(err, ERR_MISSING, "the image is for %s, not for %s", has, wanted);
	return err_hint(err, "pull it without --platform, or with --platform %s", has);
}

int pull_check_config(const struct oci_manifest *m, const struct oci_platform *expect,
					  struct span config, const char *name, struct error *err)
{
	AUTO(oci_config) struct oci_config c = {0};

	if (!is_image(m)) /* an attestation that stands in an index beside the images */
		return 0;
	if (oci_config_parse(config, name, &c, err) < 0)
		return -1;
	if (c.diff_ids.count != m->layer_count)
		return err_set(err, ERR_INPUT, "%s names %zu layers, its manifest %zu", name,
					   c.diff_ids.count, m->layer_count);
	if (expect && !is_for(&c.platform, expect))
		return wrong_platform(&c.platform, expect, err);
	return 0;
}

/* From the store when it is there, else from the registry by its digest. */
static int get_child(struct pull *p, const struct oci_descriptor *d, struct oci_manifest *out,
					 struct error *err)
{
	struct error ignored;
	AUTO(oci_ref)
	struct oci_ref ref = {
		.host = xstrdup(p->what->from->host),
		.name = xstrdup(p->what->from->name),
		.digest = xstrdup(d->digest),
	};
	AUTO(oci_descriptor) struct oci_descriptor is = {0};

	if (oci_store_has(p->what->store, d->digest, d->size) &&
		oci_store_manifest(p->what->store, d, out, &ignored) == 0)
		return 0;
	if (registry_get_manifest(p->r, &ref, &is, out, err) < 0)
		return -1;
	if (is.size != d->size || strcmp(is.media_type, d->media_type) != 0)
		return err_set(err, ERR_INPUT, "manifest %s is not as its index describes it", d->digest);
	return 0;
}

static void take(struct pull *p, struct oci_manifest *m, const struct oci_descriptor *d)
{
	struct oci_descriptor copy;

	oci_descriptor_copy(d, &copy);
	list_push(&p->manifests, MOVE(*m));
	list_push(&p->descriptors, copy);
}

static int take_all(struct pull *p, struct oci_manifest *m, const struct oci_descriptor *d,
					int depth, struct error *err)
{
	if (depth > OCI_MAX_DEPTH)
		return err_set(err, ERR_INPUT, "indexes are nested deeper than %d", OCI_MAX_DEPTH);
	for (size_t i = 0; m->is_index && i < m->layer_count; i++) {
		AUTO(oci_manifest) struct oci_manifest child = {0};

		if (session_check_time(p->r, err) < 0 || get_child(p, &m->layers[i], &child, err) < 0 ||
			take_all(p, &child, &m->layers[i], depth + 1, err) < 0)
			return -1;
	}
	take(p, m, d);
	return 0;
}

/* Of an index take the one image for the platform, and the index above it if that is kept. */
static int take_one(struct pull *p, struct oci_manifest *m, const struct oci_descriptor *d,
					const struct oci_platform *want, int depth, struct error *err)
{
	const struct oci_descriptor *chosen;
	AUTO(oci_manifest) struct oci_manifest child = {0};

	if (!m->is_index) {
		if (check_image(m, err) < 0)
			return -1;
		take(p, m, d);
		return 0;
	}
	if (depth > OCI_MAX_DEPTH)
		return err_set(err, ERR_INPUT, "indexes are nested deeper than %d", OCI_MAX_DEPTH);
	if (registry_choose(m, want, p->what->from->name, &chosen, err) < 0 ||
		get_child(p, chosen, &child, err) < 0 ||
		take_one(p, &child, chosen, want, depth + 1, err) < 0)
		return -1;
	if (p->what->keep_index)
		take(p, m, d);
	return 0;
}

/* What the reference names; of an index the one manifest for the platform, unless all are wanted.
 */
static int resolve(struct pull *p, struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	struct oci_platform host;
	const struct oci_platform *want = p->what->platform;

	if (registry_get_manifest(p->r, p->what->from, &d, &m, err) < 0)
		return -1;
	if (p->what->all_platforms)
		return take_all(p, &m, &d, 0, err);
	if (!m.is_index)
		p->expect = want;
	if (!want) {
		oci_platform_host(&host);
		want = &host;
	}
	return take_one(p, &m, &d, want, 0, err);
}

/* All is there and verified: the small pieces go into the store, then the name. */
static int commit(struct pull *p, struct error *err)
{
	struct oci_store *store = p->what->store;
	const struct oci_descriptor *top = &p->descriptors.items[p->descriptors.count - 1];
	char digest[OCI_DIGEST_LEN + 1];

	for (size_t i = 0; i < p->count; i++) {
		const struct download *x = &p->downloads[i];

		if (x->manifest && oci_store_put(store, x->config.data, x->config.len, digest, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < p->manifests.count; i++) {
		const struct oci_manifest *m = &p->manifests.items[i];

		if (oci_store_has(store, p->descriptors.items[i].digest, m->len))
			continue;
		if (oci_store_put(store, m->bytes, m->len, digest, err) < 0)
			return -1;
		p->result->manifests++;
	}
	return oci_store_tag(store, p->what->from, top, err);
}

static void remember(const struct pull *p)
{
	AUTO(mounts) struct mounts m = {0};
	const json_t *item;
	size_t i;

	mounts_load(&m, p->r->o.cache_dir, p->r->o.host);
	json_array_foreach(p->result->blobs, i,
					   item) if (strcmp(doc_text(item, "outcome", ""), "downloaded") == 0)
		mounts_add(&m, doc_text(item, "digest", ""), p->what->from->name);
	mounts_save(&m);
}

static int pull(struct pull *p, struct error *err)
{
	if (resolve(p, err) < 0 || downloads_run(p, err) < 0 || commit(p, err) < 0)
		return -1;
	oci_descriptor_copy(&p->descriptors.items[p->descriptors.count - 1], &p->result->image);
	remember(p);
	return 0;
}

static void pull_release(struct pull *p)
{
	downloads_release(p);
	for (size_t i = 0; i < p->manifests.count; i++)
		oci_manifest_release(&p->manifests.items[i]);
	for (size_t i = 0; i < p->descriptors.count; i++)
		oci_descriptor_release(&p->descriptors.items[i]);
	list_release(&p->manifests);
	list_release(&p->descriptors);
}

int registry_pull(struct registry *r, const struct registry_pull *what,
				  struct registry_result *result, struct error *err)
{
	AUTO(registry_result) struct registry_result done = {0};
	AUTO(pull) struct pull p = {.r = r, .what = what, .result = &done};

	if (pull(&p, err) < 0) {
		AUTO_FREE char *ref = oci_ref_text(what->from);

		session_hint(r, err);
		return err_wrap(err, "cannot pull %s", ref);
	}
	*result = MOVE(done);
	return 0;
}
