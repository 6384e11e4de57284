/* msctl image diff - how two images of the local store differ. */
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "cmd/local.h"

#include <string.h>

struct image_diff_options {
	const char *platform;
	bool exit_code;
};

static const struct opt image_diff_opts[] = {
	OPT_FLAG(0, "exit-code", struct image_diff_options, exit_code,
			 "end with status 9 when they differ"),
	OPT_STRING(0, "platform", struct image_diff_options, platform, "OS/ARCH",
			   "of images for several platforms compare these"),
	OPT_DONE,
};

struct side {
	struct local_image image;
	struct oci_files files;
};

static void side_release(struct side *s)
{
	local_image_release(&s->image);
	oci_files_release(&s->files);
}

struct comparison {
	const struct side *a, *b;
	json_t *added, *removed, *changed; /* borrowed from the document */
};

static void note(json_t *changes, const char *key, json_t *old, json_t *new)
{
	json_object_set_new(changes, key, json_pack("[o, o]", old, new));
}

static void note_text(json_t *changes, const char *key, const char *old, const char *new)
{
	AUTO_FREE char *x = xstrdup(old ? old : "");
	AUTO_FREE char *y = xstrdup(new ? new : "");

	if (strcmp(x, y) == 0)
		return;
	utf8_sanitize(x);
	utf8_sanitize(y);
	note(changes, key, json_string(x), json_string(y));
}

static void note_number(json_t *changes, const char *key, uint64_t old, uint64_t new)
{
	if (old != new)
		note(changes, key, json_integer((json_int_t)old), json_integer((json_int_t) new));
}

/* What differs between two files of one path. */
static json_t *compare_file(const struct oci_file *x, const struct oci_file *y)
{
	json_t *changes = json_object();
	AUTO_FREE char *owner = xasprintf("%u:%u", x->uid, x->gid);
	AUTO_FREE char *new_owner = xasprintf("%u:%u", y->uid, y->gid);
	AUTO_FREE char *capability = local_capability_text(x);
	AUTO_FREE char *new_capability = local_capability_text(y);
	char mode[11], new_mode[11];

	note_text(changes, "capabilities", capability, new_capability);
	note_text(changes, "mode", local_mode_text(x, mode), local_mode_text(y, new_mode));
	note_text(changes, "owner", owner, new_owner);
	note_number(changes, "size", x->size, y->size);
	note_text(changes, "content", x->digest, y->digest);
	note_text(changes, "target", x->target, y->target);
	note_number(changes, "device", x->dev_major * 1000000ull + x->dev_minor,
				y->dev_major * 1000000ull + y->dev_minor);
	if (x->mtime_s != y->mtime_s)
		note(changes, "time", json_integer(x->mtime_s), json_integer(y->mtime_s));
	return changes;
}

static void add_change(struct comparison *c, const struct oci_file *x, const struct oci_file *y)
{
	AUTO_JSON json_t *changes = compare_file(x, y);
	AUTO_FREE char *path = local_path_text(x->path);

	if (json_object_size(changes) > 0)
		json_array_append_new(c->changed,
							  json_pack("{s:s, s:O}", "path", path, "changes", changes));
}

static void compare_files(struct comparison *c)
{
	const struct oci_files *a = &c->a->files, *b = &c->b->files;
	size_t i = 0, n = 0;

	while (i < a->count || n < b->count) {
		const struct oci_file *x = i < a->count ? a->items[i] : NULL;
		const struct oci_file *y = n < b->count ? b->items[n] : NULL;
		int order = !x ? 1 : !y ? -1 : strcmp(x->path, y->path);

		if (order < 0)
			json_array_append_new(c->removed, local_file_json(&c->a->image, x));
		else if (order > 0)
			json_array_append_new(c->added, local_file_json(&c->b->image, y));
		else
			add_change(c, x, y);
		i += order <= 0;
		n += order >= 0;
	}
}

static bool has_layer(const struct local_image *i, const char *digest)
{
	for (size_t n = 0; n < i->m.layer_count; n++)
		if (strcmp(i->m.layers[n].digest, digest) == 0)
			return true;
	return false;
}

static json_t *compare_layers(const struct side *a, const struct side *b)
{
	const struct side *const sides[] = {a, b};
	json_t *lists[] = {json_array(), json_array()};
	json_t *shared = json_array();

	for (size_t s = 0; s < 2; s++) {
		const struct local_image *i = &sides[s]->image;

		for (size_t n = 0; n < i->m.layer_count; n++) {
			const struct oci_descriptor *d = &i->m.layers[n];
			bool both = has_layer(&sides[1 - s]->image, d->digest);

			if (both && s == 1)
				continue;
			json_array_append_new(both ? shared : lists[s],
								  json_pack("{s:s, s:s, s:I}", "layer", i->layers.items[n],
											"digest", d->digest, "size", (json_int_t)d->size));
		}
	}
	return json_pack("{s:o, s:o, s:o}", "shared", shared, "removed", lists[0], "added", lists[1]);
}

static void set_value(json_t *flat, const char *prefix, const char *key, json_t *value)
{
	AUTO_FREE char *name = xasprintf("%s%s", prefix, key);

	json_object_set(flat, name, value);
}

static void flatten_env(json_t *flat, const json_t *env)
{
	json_t *setting;
	size_t i;

	json_array_foreach(env, i, setting)
	{
		const char *text = json_is_string(setting) ? json_string_value(setting) : "";
		AUTO_FREE char *name = xstrndup(text, strcspn(text, "="));
		AUTO_JSON json_t *value = json_string(text + strlen(name) + (text[strlen(name)] == '='));

		set_value(flat, "env.", name, value);
	}
}

static void flatten_object(json_t *flat, const char *prefix, json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) set_value(flat, prefix, key, value);
}

/* The settings of an image as one flat object: "env.PATH", "Labels.x", "Entrypoint" ... */
static json_t *flatten(const struct local_image *i)
{
	static const char *const top[] = {"architecture", "os", "variant", "created"};
	json_t *config = json_object_get(i->config.json, "config");
	json_t *flat = json_object();
	const char *key;
	json_t *value;

	for (size_t n = 0; n < ARRAY_LEN(top); n++)
		if (json_object_get(i->config.json, top[n]))
			set_value(flat, "", top[n], json_object_get(i->config.json, top[n]));
	json_object_foreach(config, key, value)
	{
		AUTO_FREE char *prefix = xasprintf("%s.", key);

		if (strcmp(key, "Env") == 0)
			flatten_env(flat, value);
		else if (json_is_object(value))
			flatten_object(flat, prefix, value);
		else
			set_value(flat, "", key, value);
	}
	flatten_object(flat, "annotations.", json_object_get(i->m.json, "annotations"));
	return flat;
}

static json_t *compare_config(const struct side *a, const struct side *b)
{
	AUTO_JSON json_t *x = flatten(&a->image);
	AUTO_JSON json_t *y = flatten(&b->image);
	AUTO_JSON json_t *keys = json_copy(x);
	json_t *changes = json_object();
	const char *key;
	const json_t *ignored;

	json_object_update(keys, y);
	json_object_foreach(keys, key, ignored)
	{
		json_t *old = json_object_get(x, key), *new = json_object_get(y, key);

		if (old && new &&json_equal(old, new))
			continue;
		note(changes, key, old ? json_incref(old) : json_null(),
			 new ? json_incref(new) : json_null());
	}
	return changes;
}

static uint64_t image_bytes(const struct local_image *i)
{
	uint64_t total = 0;

	for (size_t n = 0; n < i->m.layer_count; n++)
		total += i->m.layers[n].size;
	return total;
}

static json_t *describe_side(const struct side *s)
{
	return json_pack("{s:s, s:s, s:I}", "reference", s->image.ref, "digest", s->image.d.digest,
					 "size", (json_int_t)image_bytes(&s->image));
}

static json_t *compare(const struct side *a, const struct side *b)
{
	struct comparison c = {a, b, json_array(), json_array(), json_array()};

	compare_files(&c);
	return json_pack("{s:o, s:o, s:b, s:{s:o, s:o, s:o}, s:o, s:o, s:I}", "a", describe_side(a),
					 "b", describe_side(b), "equal",
					 strcmp(a->image.d.digest, b->image.d.digest) == 0, "files", "added", c.added,
					 "removed", c.removed, "changed", c.changed, "layers", compare_layers(a, b),
					 "config", compare_config(a, b), "sizeChange",
					 (json_int_t)image_bytes(&b->image) - (json_int_t)image_bytes(&a->image));
}

static void print_files(struct ctx *ctx, char sign, const json_t *list)
{
	const json_t *f;
	char size[16];
	size_t i;

	json_array_foreach(list, i, f)
	{
		bool is_file = strcmp(doc_text(f, "type", ""), "file") == 0;

		fprintf(ctx->out, "%c %s%s%s%s\n", sign, doc_text(f, "path", ""),
				strcmp(doc_text(f, "type", ""), "folder") == 0 ? "/" : "", is_file ? "  " : "",
				is_file ? text_size((uint64_t)doc_int(f, "size", 0), size) : "");
	}
}

static char *value_text(const json_t *value)
{
	AUTO(buf) struct buf text = {0};
	char *line;

	if (json_is_null(value) || (json_is_string(value) && !json_string_length(value)))
		buf_adds(&text, "(none)");
	else if (json_is_string(value))
		buf_adds(&text, json_string_value(value));
	else
		doc_json_write(value, &text);
	line = buf_take(&text);
	utf8_sanitize(line);
	return line;
}

static void print_change(const char *key, const json_t *pair, struct buf *line)
{
	AUTO_FREE char *old = value_text(json_array_get(pair, 0));
	AUTO_FREE char *new = value_text(json_array_get(pair, 1));

	/* two digests say no more than that they differ */
	if (strcmp(key, "content") == 0)
		buf_addf(line, "%scontent", line->len ? ", " : "");
	else
		buf_addf(line, "%s%s %s -> %s", line->len ? ", " : "", key, old, new);
}

static void print_changed(struct ctx *ctx, const json_t *list)
{
	const json_t *f;
	size_t i;

	json_array_foreach(list, i, f)
	{
		AUTO(buf) struct buf line = {0};
		json_t *changes = json_object_get(f, "changes");
		const char *key;
		const json_t *pair;

		json_object_foreach(changes, key, pair) print_change(key, pair, &line);
		fprintf(ctx->out, "~ %s  %s\n", doc_text(f, "path", ""), buf_str(&line));
	}
}

static void print_layers(struct ctx *ctx, const char *title, const json_t *list)
{
	const json_t *l;
	char size[16];
	size_t i;

	json_array_foreach(list, i, l)
		fprintf(ctx->out, "%s  %s  %.19s  %s\n", title, doc_text(l, "layer", ""),
				doc_text(l, "digest", ""), text_size((uint64_t)doc_int(l, "size", 0), size));
}

static void print_config(struct ctx *ctx, json_t *config)
{
	const char *key;
	const json_t *pair;

	json_object_foreach(config, key, pair)
	{
		AUTO(buf) struct buf line = {0};
		AUTO_FREE char *name = xstrdup(key);

		utf8_sanitize(name);
		print_change(name, pair, &line);
		fprintf(ctx->out, "config  %s\n", buf_str(&line));
	}
}

static void print_sizes(struct ctx *ctx, const json_t *doc)
{
	int64_t change = doc_int(doc, "sizeChange", 0);
	char a[16], b[16], by[16];

	fprintf(ctx->out, "size    %s -> %s (%c%s)\n",
			text_size((uint64_t)doc_int(doc, "a.size", 0), a),
			text_size((uint64_t)doc_int(doc, "b.size", 0), b), change < 0 ? '-' : '+',
			text_size((uint64_t)(change < 0 ? -change : change), by));
}

static void print_diff(struct ctx *ctx, const json_t *doc)
{
	if (doc_bool(doc, "equal", false))
		return;
	print_files(ctx, '+', doc_get(doc, "files.added"));
	print_files(ctx, '-', doc_get(doc, "files.removed"));
	print_changed(ctx, doc_get(doc, "files.changed"));
	print_layers(ctx, "layer  =", doc_get(doc, "layers.shared"));
	print_layers(ctx, "layer  -", doc_get(doc, "layers.removed"));
	print_layers(ctx, "layer  +", doc_get(doc, "layers.added"));
	print_config(ctx, json_object_get(doc, "config"));
	print_sizes(ctx, doc);
}

static int open_side(struct ctx *ctx, struct oci_store *store, const char *operand,
					 const char *platform, struct side *out, struct error *err)
{
	AUTO(side) struct side s = {0};

	if (local_image_open(store, operand, platform, &s.image, err) < 0 ||
		local_image_files(ctx, store, &s.image, &s.files, err) < 0)
		return -1;
	*out = MOVE(s);
	return 0;
}

static int image_diff_run(struct ctx *ctx, const void *options, int argc, char **argv,
						  struct error *err)
{
	const struct image_diff_options *o = options;
	AUTO_PTR(oci_store) struct oci_store *store = NULL;
	AUTO(side) struct side a = {0}, b = {0};
	AUTO_JSON json_t *doc = NULL;

	(void)argc;
	if (oci_store_open(NULL, &store, err) < 0 ||
		open_side(ctx, store, argv[0], o->platform, &a, err) < 0 ||
		open_side(ctx, store, argv[1], o->platform, &b, err) < 0)
		return -1;
	doc = compare(&a, &b);
	if (out_is_document(ctx) && out_print(ctx, doc, NULL, err) < 0)
		return -1;
	if (!out_is_document(ctx))
		print_diff(ctx, doc);
	if (!o->exit_code || doc_bool(doc, "equal", false))
		return 0;
	return err_set(err, ERR_DIFFERENT, "%s and %s differ", a.image.ref, b.image.ref);
}

const struct command cmd_image_diff = {
	.name = "image diff",
	.group = GROUP_BUILD,
	.summary = "Show how two images of the local store differ",
	.operands = "A B",
	.min_operands = 2,
	.max_operands = 2,
	.options = image_diff_opts,
	.options_size = sizeof(struct image_diff_options),
	.description =
		"Lists what B has and A has not (+), what A has and B has not (-), and files of both that "
		"differ in mode, owner, size, content, target or time (~); then the layers that they share "
		"(=) or not, the settings of their configurations and annotations that differ, and the "
		"change of size. Nothing is printed when they have one digest.",
	.examples =
		"msctl image diff orders:1.4.0 orders:1.5.0\n    what the new version brings\n"
		"msctl image diff --exit-code -q orders:a orders:b >/dev/null\n    are they the same?",
	.run = image_diff_run,
	.complete = complete_images,
};
