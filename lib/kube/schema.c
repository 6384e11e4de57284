#include "kube/schema.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypto/sha256.h"

#include <string.h>
#include <time.h>

#define MAX_DEPTH 40
#define MAX_NAMES 512

void kube_schema_release(struct kube_schema *s)
{
	json_decref(s->doc);
	s->doc = NULL;
}

static const json_t *deref(const struct kube_schema *s, const json_t *schema)
{
	const char *ref = json_string_value(json_object_get(schema, "$ref"));

	if (!ref || !text_starts(ref, "#/definitions/"))
		return schema;
	return json_object_get(json_object_get(s->doc, "definitions"), ref + strlen("#/definitions/"));
}

static bool is_kind(const json_t *definition, const struct kube_object *o)
{
	const json_t *list = json_object_get(definition, "x-kubernetes-group-version-kind");
	const struct kube_resource *r = o->resource;

	/* a definition with many kinds (DeleteOptions) describes none of them */
	return json_array_size(list) == 1 &&
		   strcmp(doc_text(json_array_get(list, 0), "kind", ""), r->kind) == 0 &&
		   strcmp(doc_text(json_array_get(list, 0), "group", ""), r->group) == 0 &&
		   strcmp(doc_text(json_array_get(list, 0), "version", ""), r->version) == 0;
}

struct checker {
	const struct kube_schema *s;
	struct kube_unknown_field *out;
	struct buf path;
	int depth;
};

static bool check(struct checker *c, const json_t *schema, const json_t *value);

static void report(struct checker *c, const json_t *properties, const char *key)
{
	const char *names[MAX_NAMES + 1];
	const char *near;
	const char *name;
	json_t *ignored;
	size_t n = 0;

	json_object_foreach((json_t *)(uintptr_t)properties, name, ignored) if (n < MAX_NAMES)
		names[n++] = name;
	names[n] = NULL;
	near = text_nearest(key, names);
	snprintf(c->out->path, sizeof(c->out->path), "%s", buf_str(&c->path));
	snprintf(c->out->near, sizeof(c->out->near), "%s", near ? near : "");
}

static bool takes_anything(const json_t *schema)
{
	return json_is_true(json_object_get(schema, "additionalProperties")) ||
		   json_is_true(json_object_get(schema, "x-kubernetes-preserve-unknown-fields"));
}

static bool check_members(struct checker *c, const json_t *schema, const json_t *value)
{
	const json_t *properties = json_object_get(schema, "properties");
	const json_t *others = json_object_get(schema, "additionalProperties");
	size_t len = c->path.len;
	const char *key;
	json_t *member;

	if (!properties && !json_is_object(others))
		return true; /* anything goes */
	json_object_foreach((json_t *)(uintptr_t)value, key, member)
	{
		const json_t *below = json_object_get(properties, key);

		buf_addf(&c->path, "%s%s", len ? "." : "", key);
		if (!below && json_is_object(others))
			below = others;
		if (!below && !takes_anything(schema)) {
			report(c, properties, key);
			return false;
		}
		if (below && !check(c, below, member))
			return false;
		buf_cut(&c->path, len);
	}
	return true;
}

static bool check_elements(struct checker *c, const json_t *schema, const json_t *value)
{
	const json_t *items = json_object_get(schema, "items");
	size_t len = c->path.len;

	for (size_t i = 0; items && i < json_array_size(value); i++) {
		buf_addf(&c->path, "[%zu]", i);
		if (!check(c, items, json_array_get(value, i)))
			return false;
		buf_cut(&c->path, len);
	}
	return true;
}

static bool check(struct checker *c, const json_t *schema, const json_t *value)
{
	bool ok = true;

	schema = deref(c->s, schema);
	if (!schema || c->depth > MAX_DEPTH)
		return true;
	c->depth++;
	if (json_is_object(value))
		ok = check_members(c, schema, value);
	else if (json_is_array(value))
		ok = check_elements(c, schema, value);
	c->depth--;
	return ok;
}

static const json_t *definition_of(const struct kube_schema *s, const struct kube_object *o)
{
	const char *name;
	json_t *definition;

	json_object_foreach(json_object_get(s->doc, "definitions"), name,
						definition) if (is_kind(definition, o)) return definition;
	return NULL;
}

bool kube_schema_has(const struct kube_schema *s, const struct kube_object *o)
{
	return definition_of(s, o) != NULL;
}

int kube_schema_check(const struct kube_schema *s, const struct kube_object *o,
					  struct kube_unknown_field *out)
{
	struct checker c = {.s = s, .out = out};
	const json_t *definition = definition_of(s, o);
	int found = 0;

	/* a schema without fields would refuse everything below metadata */
	if (json_object_size(json_object_get(definition, "properties")) > 0)
		found = !check(&c, definition, o->doc);
	buf_release(&c.path);
	return found;
}

/* ---- getting it */

struct fetch {
	struct buf body;
};

static int on_data(void *user, const void *data, size_t len, struct error *err)
{
	struct fetch *f = user;

	if (f->body.len + len > KUBE_SCHEMA_MAX_BYTES)
		return err_set(err, ERR_INPUT, "/openapi/v2 is larger than %u MB",
					   KUBE_SCHEMA_MAX_BYTES >> 20);
	buf_add(&f->body, data, len);
	return 0;
}

static int on_done(void *user, int status, struct error *err)
{
	(void)user;
	(void)status;
	return err->code == ERR_NONE ? 0 : -1;
}

/* The schema changes with the server's version and its definitions, of which /version and an hour
 * are a fair measure. */
static char *cache_path(struct kube_client *c, const char *cache_dir)
{
	AUTO_JSON json_t *version = NULL;
	AUTO(buf) struct buf key = {0};
	struct error ignored;
	uint8_t sum[SHA256_BYTES];
	char hex[SHA256_HEX_LEN + 1];

	if (!cache_dir || kube_get(c, "/version", NULL, &version, &ignored) < 0)
		return NULL;
	buf_addf(&key, "%s\n", kube_client_config(c)->server);
	doc_json_write(version, &key);
	sha256_of(key.data, key.len, sum);
	return xasprintf("%s/openapi-%.32s.json", cache_dir, sha256_hex(sum, hex));
}

static bool read_cache(const char *path, struct buf *out)
{
	struct error ignored;
	struct stat st;

	if (!path || stat(path, &st) < 0 || time(NULL) - st.st_mtime > 3600)
		return false;
	return fs_read(path, KUBE_SCHEMA_MAX_BYTES, out, &ignored) == 0;
}

static int fetch_schema(struct kube_client *c, struct buf *out, struct error *err)
{
	AUTO(buf) struct buf body = {0};
	struct fetch f = {0};
	struct kube_stream stream = {on_data, on_done, &f};
	int rc;

	kube_start_stream(c, "/openapi/v2", false, &stream);
	rc = kube_run(c, -1, err);
	body = f.body;
	if (rc == 0)
		*out = MOVE(body);
	return rc;
}

int kube_schema_load(struct kube_client *c, const char *cache_dir, bool fresh,
					 struct kube_schema *out, struct error *err)
{
	AUTO_FREE char *path = cache_path(c, cache_dir);
	AUTO(buf) struct buf text = {0};
	struct error ignored;

	if (!fresh && read_cache(path, &text) &&
		doc_json_parse(buf_span(&text), path, &out->doc, &ignored) == 0)
		return 0;
	buf_cut(&text, 0);
	if (fetch_schema(c, &text, err) < 0 ||
		doc_json_parse(buf_span(&text), "/openapi/v2", &out->doc, err) < 0)
		return -1;
	/* a cache that cannot be written costs the next run some milliseconds */
	if (path && fs_mkdirs(cache_dir, 0700, &ignored) == 0)
		fs_write_atomic(path, text.data, text.len, 0600, &ignored);
	return 0;
}
