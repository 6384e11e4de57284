#include "build/private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What the manifest is made of. */
struct parts {
	struct oci_descriptor layers[OCI_MAX_LAYERS];
	size_t layer_count;
	struct strv diff_ids;
	struct strv created_by;
};

static void parts_release(struct parts *p)
{
	for (size_t i = 0; i < p->layer_count; i++)
		oci_descriptor_release(&p->layers[i]);
	strv_release(&p->diff_ids);
	strv_release(&p->created_by);
}

/* A manifest is of one family: Docker's name for a gzip layer becomes OCI's, the bytes are the
 * same. */
static void take_base(const struct build *b, struct parts *parts)
{
	for (size_t i = 0; i < b->base.layer_count; i++) {
		struct oci_descriptor *d = &parts->layers[parts->layer_count++];

		oci_descriptor_copy(&b->base.layers[i], d);
		if (strcmp(d->media_type, DOCKER_MEDIA_LAYER_GZIP) == 0) {
			free(d->media_type);
			d->media_type = xstrdup(OCI_MEDIA_LAYER_GZIP);
		}
	}
	for (size_t i = 0; i < b->base_config.diff_ids.count; i++)
		strv_add(&parts->diff_ids, b->base_config.diff_ids.items[i]);
}

static int write_layers(struct build *b, struct parts *parts, struct build_image *out,
						struct error *err)
{
	const struct build_watch *w = &b->request->watch;

	for (size_t i = 0; w->layer && i < parts->layer_count; i++)
		w->layer(w->user, &b->stamp->ref, &parts->layers[i], true);
	for (enum tree_layer l = TREE_SYSTEM; l < TREE_LAYERS; l++) {
		char diff_id[OCI_DIGEST_LEN + 1];
		struct build_layer layer;
		struct oci_descriptor d = {0};

		if (parts->layer_count >= OCI_MAX_LAYERS)
			return err_set(err, ERR_INPUT, "the image has more than %d layers", OCI_MAX_LAYERS);
		if (build_write_layer(b, l, &layer, &d, diff_id, err) < 0)
			return -1;
		if (!d.media_type)
			continue;
		out->layers[out->layer_count++] = layer;
		parts->layers[parts->layer_count++] = d;
		strv_add(&parts->diff_ids, diff_id);
		strv_addf(&parts->created_by, "msctl build: %s", layer.name);
		if (w->layer)
			w->layer(w->user, &b->stamp->ref, &parts->layers[parts->layer_count - 1],
					 layer.was_there);
	}
	return 0;
}

/* The later of two settings of one variable wins, as it would in a shell. */
static void set_env(struct strv *env, const char *setting)
{
	size_t len = strcspn(setting, "=") + 1;

	for (size_t i = 0; i < env->count; i++) {
		if (strncmp(env->items[i], setting, len) != 0)
			continue;
		free(env->items[i]);
		env->items[i] = xstrdup(setting);
		return;
	}
	strv_add(env, setting);
}

static void copy_texts(const struct strv *from, struct strv *to)
{
	for (size_t i = 0; i < from->count; i++)
		strv_add(to, from->items[i]);
}

static char *first_of(const char *own, const char *base)
{
	return xstrdup_opt(own && *own ? own : base);
}

static void fill_config(const struct build *b, const struct parts *parts, struct oci_config *c)
{
	const struct project_build *p = &b->project->build;
	const struct oci_config *base = &b->base_config;
	char created[32];

	c->platform = b->platform;
	c->json = json_incref(base->json);
	c->created = xstrdup(clock_rfc3339(b->stamp->created, created));
	c->user = first_of(p->user, base->user);
	c->workdir = first_of(p->workdir, base->workdir);
	c->stop_signal = first_of(p->stop_signal, base->stop_signal);
	c->labels = build_labels(b);
	copy_texts(&parts->diff_ids, &c->diff_ids);
	copy_texts(&base->env, &c->env);
	if (!b->base.bytes)
		set_env(&c->env, DEFAULT_PATH);
	for (size_t i = 0; i < p->env.count; i++)
		set_env(&c->env, p->env.items[i]);
	copy_texts(&base->exposed_ports, &c->exposed_ports);
	for (size_t i = 0; i < p->ports.count; i++)
		if (!strv_has(&c->exposed_ports, p->ports.items[i]))
			strv_add(&c->exposed_ports, p->ports.items[i]);
	/* a new entrypoint means nothing to the arguments of the old one */
	copy_texts(b->entrypoint.count ? &b->entrypoint : &base->entrypoint, &c->entrypoint);
	copy_texts(p->cmd.count || b->entrypoint.count ? &p->cmd : &base->cmd, &c->cmd);
}

static json_t *describe(const char *media_type, const char *digest, uint64_t size)
{
	return json_pack("{s:s, s:s, s:I}", "mediaType", media_type, "digest", digest, "size",
					 (json_int_t)size);
}

static int write_config(const struct build *b, const struct parts *parts,
						struct oci_descriptor *out, struct error *err)
{
	AUTO(oci_config) struct oci_config c = {0};
	AUTO(buf) struct buf bytes = {0};

	fill_config(b, parts, &c);
	oci_config_write(&c, &parts->created_by, &bytes);
	out->size = bytes.len;
	return oci_store_put(b->store, bytes.data, bytes.len, out->digest, err);
}

static int write_manifest(const struct build *b, const struct parts *parts,
						  struct oci_descriptor *out, struct error *err)
{
	AUTO(oci_descriptor) struct oci_descriptor config = {0};
	AUTO_JSON json_t *doc = NULL;
	AUTO(buf) struct buf bytes = {0};
	json_t *layers;

	if (write_config(b, parts, &config, err) < 0)
		return -1;
	layers = json_array();
	for (size_t i = 0; i < parts->layer_count; i++)
		json_array_append_new(layers, describe(parts->layers[i].media_type, parts->layers[i].digest,
											   parts->layers[i].size));
	doc =
		json_pack("{s:i, s:s, s:o, s:o, s:o}", "schemaVersion", 2, "mediaType", OCI_MEDIA_MANIFEST,
				  "config", describe(OCI_MEDIA_CONFIG, config.digest, config.size), "layers",
				  layers, "annotations", build_annotations(b));
	doc_json_write(doc, &bytes);
	if (oci_store_put(b->store, bytes.data, bytes.len, out->digest, err) < 0)
		return -1;
	out->size = bytes.len;
	out->media_type = xstrdup(OCI_MEDIA_MANIFEST);
	out->platform = b->platform;
	return 0;
}

int build_write_image(struct build *b, struct build_image *out, struct error *err)
{
	AUTO(parts) struct parts parts = {0};

	if (b->base.layer_count > OCI_MAX_LAYERS)
		return err_set(err, ERR_INPUT, "%s has too many layers", b->project->build.base);
	take_base(b, &parts);
	for (size_t i = 0; i < parts.layer_count; i++)
		out->base_bytes += parts.layers[i].size;
	if (write_layers(b, &parts, out, err) < 0)
		return -1;
	return write_manifest(b, &parts, &out->image, err);
}
