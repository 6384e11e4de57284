#include "build/fetch.h"

#include "base/mem.h"

#include <string.h>

/* What is being read. */
struct fetch {
	const struct build *b;
	struct oci_store *store;
	const struct build_fetch *what;
	struct oci_ref ref;
};

static void fetch_release(struct fetch *f)
{
	oci_ref_release(&f->ref);
}

/* An image of this machine's platform alone is what most people want to have. */
static int pull(const struct fetch *f, struct error *err)
{
	const struct build_watch *w = &f->b->request->watch;
	const struct build_fetch *what = f->what;
	AUTO_FREE char *platform = oci_platform_text(&what->platform);

	if (!w->pull || !f->ref.host) {
		err_set(err, ERR_MISSING, "the %s %s is not in the local store", what->what, what->name);
		return err_hint(err,
						f->ref.host ? "run 'msctl pull %s'"
									: "build %s first, or name it with its registry's host",
						what->name);
	}
	return w->pull(w->user, what->name, what->is_native ? "" : platform, f->store, err);
}

/* ERR_MISSING: not for this platform, as far as the store knows. */
static int read_manifest(const struct fetch *f, const struct oci_descriptor *d,
						 struct oci_manifest *out, struct error *err)
{
	const struct oci_platform *platform = &f->what->platform;
	AUTO(oci_manifest) struct oci_manifest m = {0};
	const struct oci_descriptor *own;

	if (oci_store_manifest(f->store, d, &m, err) < 0)
		return -1;
	if (!m.is_index) {
		*out = MOVE(m);
		return 0;
	}
	own = oci_index_find(&m, platform);
	if (!own)
		return err_set(err, ERR_MISSING, "it has no image for %s/%s", platform->os, platform->arch);
	return oci_store_manifest(f->store, own, out, err);
}

static int read_config(const struct fetch *f, const struct oci_manifest *m, struct oci_config *out,
					   struct error *err)
{
	const struct oci_platform *platform = &f->what->platform;
	AUTO(buf) struct buf bytes = {0};
	AUTO(oci_config) struct oci_config c = {0};

	if (m->is_index)
		return err_set(err, ERR_INPUT, "an index within an index");
	if (oci_store_read(f->store, &m->config, OCI_MAX_MANIFEST_BYTES, &bytes, err) < 0 ||
		oci_config_parse(buf_span(&bytes), f->what->name, &c, err) < 0)
		return -1;
	if (strcmp(c.platform.arch, platform->arch) != 0)
		return err_set(err, ERR_MISSING, "it is for %s/%s, not for %s/%s", c.platform.os,
					   c.platform.arch, platform->os, platform->arch);
	if (c.diff_ids.count != m->layer_count)
		return err_set(err, ERR_INPUT, "it has %zu layers but %zu diff_ids", m->layer_count,
					   c.diff_ids.count);
	*out = MOVE(c);
	return 0;
}

static int read_image(const struct fetch *f, struct oci_manifest *manifest,
					  struct oci_config *config, struct error *err)
{
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	AUTO(oci_manifest) struct oci_manifest m = {0};

	if (oci_store_find(f->store, &f->ref, &d, err) < 0 || read_manifest(f, &d, &m, err) < 0 ||
		read_config(f, &m, config, err) < 0)
		return -1;
	*manifest = MOVE(m);
	return 0;
}

/* As the store has it; what is not there, or not for this platform, is fetched. */
static int find(const struct fetch *f, struct oci_manifest *manifest, struct oci_config *config,
				struct error *err)
{
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	struct error why = {0}, ignored = {0};

	if (read_image(f, manifest, config, &why) == 0)
		return 0;
	/* an image that was built here is fetched from nowhere */
	if (why.code != ERR_MISSING ||
		(!f->ref.host && oci_store_find(f->store, &f->ref, &d, &ignored) == 0)) {
		*err = why;
		return -1;
	}
	return pull(f, err) < 0 ? -1 : read_image(f, manifest, config, err);
}

int build_fetch(const struct build *b, struct oci_store *store, const struct build_fetch *what,
				struct oci_manifest *manifest, struct oci_config *config, struct error *err)
{
	AUTO(fetch) struct fetch f = {.b = b, .store = store, .what = what};

	if (oci_ref_parse_tagged(what->name, &f.ref, err) < 0)
		return err_wrap(err, "%s: %s", b->project->file, what->key);
	return find(&f, manifest, config, err) < 0 ? err_wrap(err, "%s", what->key) : 0;
}
