/* msctl inspect - look at an image without fetching it. */
#include "cmd/inspect.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "oci/config.h"

#include <inttypes.h>
#include <string.h>

static const struct opt inspect_opts[] = {
	OPT_FLAG(0, "raw", struct inspect_options, raw, "print the manifest as it is, byte for byte"),
	OPT_FLAG(0, "config", struct inspect_options, config,
			 "print the image's configuration as it is"),
	OPT_STRING(0, "platform", struct inspect_options, platform, "OS/ARCH",
			   "of an image for several platforms show this one"),
	OPT_FLAG(0, "local", struct inspect_options, local, "look into the local store"),
	REMOTE_OPTS(struct inspect_options),
	OPT_DONE,
};

/* Where an image is looked at: a registry, or the local store. */
struct source {
	const struct oci_ref *ref;
	struct oci_store *store; /* NULL: the registry */
	struct registry *registry;
};

struct view {
	struct oci_descriptor d;
	struct oci_manifest m;
	struct buf config;
};

static void view_release(struct view *v)
{
	oci_descriptor_release(&v->d);
	oci_manifest_release(&v->m);
	buf_release(&v->config);
}

static int get_manifest(const struct source *s, const char *digest, struct view *v,
						struct error *err)
{
	AUTO(oci_ref)
	struct oci_ref ref = {
		xstrdup_opt(s->ref->host),
		xstrdup(s->ref->name),
		digest ? NULL : xstrdup_opt(s->ref->tag),
		xstrdup_opt(digest ? digest : s->ref->digest),
	};

	if (!s->store)
		return registry_get_manifest(s->registry, &ref, &v->d, &v->m, err);
	if (oci_store_find(s->store, &ref, &v->d, err) < 0)
		return -1;
	return oci_store_manifest(s->store, &v->d, &v->m, err);
}

/* One manifest of an index. */
static int choose(const struct source *s, const struct oci_platform *want, struct view *v,
				  struct error *err)
{
	AUTO(view) struct view child = {0};
	const struct oci_descriptor *d;

	if (registry_choose(&v->m, want, s->ref->name, &d, err) < 0)
		return -1;
	if (s->store) {
		oci_descriptor_copy(d, &child.d);
		if (oci_store_manifest(s->store, d, &child.m, err) < 0)
			return -1;
	} else if (get_manifest(s, d->digest, &child, err) < 0) {
		return -1;
	}
	view_release(v);
	*v = MOVE(child);
	return 0;
}

static int get_config(const struct source *s, struct view *v, struct error *err)
{
	const struct oci_descriptor *d = &v->m.config;

	if (d->size > OCI_MAX_MANIFEST_BYTES)
		return err_set(err, ERR_INPUT, "config %s is larger than %u bytes", d->digest,
					   OCI_MAX_MANIFEST_BYTES);
	if (s->store)
		return oci_store_read(s->store, d, OCI_MAX_MANIFEST_BYTES, &v->config, err);
	return registry_get_blob(s->registry, s->ref, d, &v->config, err);
}

/* Somebody who asks for a platform wants no other. */
static int check_platform(const struct view *v, const struct oci_platform *want, struct error *err)
{
	AUTO(oci_config) struct oci_config c = {0};

	if (oci_config_parse(buf_span(&v->config), "config", &c, err) < 0)
		return -1;
	return oci_config_check_platform(&c, want, err);
}

static int get_view(const struct source *s, const struct inspect_options *o, struct view *v,
					struct error *err)
{
	struct oci_platform want;

	if (o->platform && oci_platform_parse(o->platform, &want, err) < 0) {
		err->code = ERR_USAGE;
		return -1;
	}
	if (get_manifest(s, NULL, v, err) < 0)
		return -1;
	if (v->m.is_index && o->config && !o->platform)
		oci_platform_host(&want);
	if (v->m.is_index && (o->platform || o->config) && choose(s, &want, v, err) < 0)
		return -1;
	if (v->m.is_index || o->raw)
		return 0;
	if (get_config(s, v, err) < 0)
		return -1;
	return o->platform ? check_platform(v, &want, err) : 0;
}

static json_t *describe_entries(const struct oci_manifest *m, uint64_t *total)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->layer_count; i++) {
		const struct oci_descriptor *d = &m->layers[i];
		json_t *entry = json_pack("{s:s, s:s, s:I}", "digest", d->digest, "mediaType",
								  d->media_type, "size", (json_int_t)d->size);
		AUTO_FREE char *platform = d->platform.os[0] ? oci_platform_text(&d->platform) : NULL;

		if (platform)
			json_object_set_new(entry, "platform", json_string(platform));
		json_array_append_new(list, entry);
		*total += d->size;
	}
	return list;
}

static json_t *texts(const struct strv *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->count; i++)
		json_array_append_new(list, json_string(v->items[i]));
	return list;
}

static int describe_config(const struct view *v, json_t *doc, struct error *err)
{
	AUTO(oci_config) struct oci_config c = {0};
	AUTO_FREE char *platform = NULL;

	if (strcmp(v->m.config.media_type, OCI_MEDIA_CONFIG) != 0 &&
		strcmp(v->m.config.media_type, DOCKER_MEDIA_CONFIG) != 0) {
		json_object_set_new(doc, "artifactType", json_string(v->m.config.media_type));
		return 0;
	}
	if (oci_config_parse(buf_span(&v->config), "config", &c, err) < 0)
		return -1;
	platform = oci_platform_text(&c.platform);
	json_object_set_new(doc, "platform", json_string(platform));
	if (c.created)
		json_object_set_new(doc, "created", json_string(c.created));
	json_object_set_new(doc, "user", json_string(c.user ? c.user : ""));
	json_object_set_new(doc, "entrypoint", texts(&c.entrypoint));
	json_object_set_new(doc, "cmd", texts(&c.cmd));
	json_object_set_new(doc, "env", texts(&c.env));
	json_object_set_new(doc, "ports", texts(&c.exposed_ports));
	if (c.labels)
		json_object_set(doc, "labels", c.labels);
	return 0;
}

static int describe(const struct source *s, const struct view *v, json_t **out, struct error *err)
{
	AUTO_FREE char *text = oci_ref_text(s->ref);
	AUTO_JSON json_t *doc =
		json_pack("{s:s, s:s, s:s, s:I}", "reference", text, "digest", v->d.digest, "mediaType",
				  v->m.media_type, "size", (json_int_t)v->m.len);
	uint64_t total = 0;
	json_t *entries = describe_entries(&v->m, &total);

	json_object_set_new(doc, v->m.is_index ? "manifests" : "layers", entries);
	if (!v->m.is_index) {
		json_object_set_new(doc, "layerBytes", json_integer((json_int_t)total));
		json_object_set_new(doc, "config",
							json_pack("{s:s, s:I}", "digest", v->m.config.digest, "size",
									  (json_int_t)v->m.config.size));
		if (describe_config(v, doc, err) < 0)
			return -1;
	}
	*out = TAKE(doc);
	return 0;
}

static void print_line(struct ctx *ctx, const char *title, const char *value)
{
	AUTO_FREE char *clean = xstrdup(value ? value : "");

	utf8_sanitize(clean);
	if (clean[0])
		fprintf(ctx->out, "%-11s %s\n", title, clean);
}

static void print_list(struct ctx *ctx, const char *title, const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) print_line(ctx, i == 0 ? title : "", json_string_value(item));
}

static void print_entries(struct ctx *ctx, const char *title, const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		AUTO(buf) struct buf line = {0};
		char size[16];

		buf_addf(&line, "%s  %8s  %s", doc_text(item, "digest", ""),
				 text_size((uint64_t)doc_int(item, "size", 0), size),
				 doc_text(item, "platform", ""));
		while (line.len > 0 && line.data[line.len - 1] == ' ')
			buf_cut(&line, line.len - 1);
		print_line(ctx, i == 0 ? title : "", buf_str(&line));
	}
}

static void print_view(struct ctx *ctx, const json_t *doc)
{
	static const char *const lines[][2] = {
		{"reference", "reference"}, {"digest", "digest"},
		{"type", "mediaType"},      {"artifact", "artifactType"},
		{"platform", "platform"},   {"created", "created"},
		{"user", "user"},
	};
	static const char *const lists[] = {"entrypoint", "cmd", "env", "ports"};
	char size[16];

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		print_line(ctx, lines[i][0], doc_text(doc, lines[i][1], ""));
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		print_list(ctx, lists[i], json_object_get(doc, lists[i]));
	if (json_object_get(doc, "layerBytes"))
		print_line(ctx, "size", text_size((uint64_t)doc_int(doc, "layerBytes", 0), size));
	print_entries(ctx, "layers", json_object_get(doc, "layers"));
	print_entries(ctx, "manifests", json_object_get(doc, "manifests"));
}

static int print(struct ctx *ctx, const struct source *s, const struct inspect_options *o,
				 const struct view *v, struct error *err)
{
	AUTO_JSON json_t *doc = NULL;

	if (o->raw || o->config) {
		struct span bytes = o->raw ? (struct span){v->m.bytes, v->m.len} : buf_span(&v->config);

		if (fwrite(bytes.data, 1, bytes.len, ctx->out) != bytes.len)
			return err_errno(err, "cannot write the answer");
		return 0;
	}
	if (describe(s, v, &doc, err) < 0)
		return -1;
	if (out_is_document(ctx))
		return out_print(ctx, doc, NULL, err);
	print_view(ctx, doc);
	return 0;
}

int inspect_image(struct ctx *ctx, const struct inspect_options *o, const char *operand,
				  struct error *err)
{
	AUTO(oci_ref) struct oci_ref ref = {0};
	AUTO_PTR(oci_store) struct oci_store *store = NULL;
	AUTO(remote) struct remote remote = {0};
	AUTO(view) struct view v = {0};
	struct source s = {.ref = &ref};

	if (o->raw && o->config)
		return err_set(err, ERR_USAGE, "--raw and --config exclude each other");
	if (remote_ref(operand, &ref, err) < 0)
		return -1;
	if (o->local || !ref.host) {
		if (oci_store_open(NULL, &store, err) < 0)
			return -1;
		s.store = store;
	} else {
		if (remote_open(ctx, &o->remote, ref.host, &remote, err) < 0)
			return -1;
		s.registry = remote.registry;
	}
	if (get_view(&s, o, &v, err) < 0)
		return err_wrap(err, "cannot inspect %s", operand);
	return print(ctx, &s, o, &v, err);
}

static int inspect_run(struct ctx *ctx, const void *options, int argc, char **argv,
					   struct error *err)
{
	(void)argc;
	return inspect_image(ctx, options, argv[0], err);
}

const struct command cmd_inspect = {
	.name = "inspect",
	.group = GROUP_REGISTRY,
	.summary = "Look at an image in a registry without fetching it",
	.operands = "REF",
	.min_operands = 1,
	.max_operands = 1,
	.options = inspect_opts,
	.options_size = sizeof(struct inspect_options),
	.description =
		"Two requests: the manifest and the configuration, both verified. A reference without a "
		"registry host names an image of the local store.",
	.examples =
		"msctl inspect registry.example.com/shop/orders:1.4.0\n    what is it, and how large\n"
		"msctl inspect --config orders:1.4.0\n    the configuration of a local image as it is",
	.run = inspect_run,
};
