#include "deploy/strict.h"

#include "base/auto.h"
#include "base/mem.h"
#include "kube/schema.h"

#include <string.h>

static int unknown(const struct deploy_session *s, const struct kube_object *o,
				   const struct kube_unknown_field *field, struct error *err)
{
	AUTO_FREE char *where = kube_object_where(o, field->path);
	AUTO_FREE char *label = kube_object_label(o, s->namespace_);

	err_set(err, ERR_INPUT, "%s: %s: unknown field %s", where, label, field->path);
	if (field->near[0])
		return err_hint(err, "did you mean '%s'?", field->near);
	return err_hint(err, "see 'kubectl explain %s' for the fields that there are",
					o->resource->plural);
}

/* A schema that describes the object, as far as the server has one; the copy may be older than the
 * kind. */
static int load_for(struct deploy_session *s, const struct kube_object *o,
					struct kube_schema *schema, bool *fresh)
{
	struct error ignored;

	if (!schema->doc && kube_schema_load(s->client, s->cache_dir, false, schema, &ignored) < 0)
		return -1;
	if (*fresh || kube_schema_has(schema, o))
		return 0;
	*fresh = true;
	kube_schema_release(schema);
	return kube_schema_load(s->client, s->cache_dir, true, schema, &ignored);
}

int strict_check(struct deploy_session *s, const struct deploy_set *set, struct error *err)
{
	AUTO(kube_schema) struct kube_schema schema = {0};
	struct kube_unknown_field field = {0};
	bool fresh = false;

	if (s->discovery.aggregated)
		return 0;
	for (size_t i = 0; i < set->items.count; i++) {
		const struct deploy_item *item = set->items.items[i];

		if (item->action == DEPLOY_UNCHANGED)
			continue;
		if (load_for(s, &item->object, &schema, &fresh) < 0)
			return cancel_check(s->cancel, err);
		if (kube_schema_check(&schema, &item->object, &field))
			return unknown(s, &item->object, &field, err);
	}
	return 0;
}

/* The path in: strict decoding error: unknown field "spec.x" · .spec.x: field not declared in
 * schema. Caller frees. */
static char *path_in(const char *message)
{
	const char *word = strstr(message, " field \"");
	const char *undeclared = strstr(message, ": field not declared");
	const char *start = word ? word + strlen(" field \"") : undeclared;

	if (!start)
		return xstrdup("");
	if (word)
		return xstrndup(start, strcspn(start, "\""));
	while (start > message && start[-1] != ' ')
		start--;
	start += *start == '.';
	return xstrndup(start, (size_t)(undeclared - start));
}

bool strict_is_unknown_field(const char *message)
{
	return strstr(message, "unknown field \"") || strstr(message, "duplicate field \"") ||
		   strstr(message, "field not declared in schema");
}

int strict_explain(const struct kube_object *o, struct error *err)
{
	AUTO_FREE char *path = path_in(err->msg);
	AUTO_FREE char *where = kube_object_where(o, path);
	bool twice = strstr(err->msg, "duplicate field") != NULL;

	if (*path)
		err_set(err, ERR_INPUT, "%s: %s/%s: %s field %s", where, o->kind, o->name,
				twice ? "duplicate" : "unknown", path);
	else
		err_wrap(err, "%s: %s/%s", where, o->kind, o->name);
	return err_hint(err, "see 'kubectl explain %s' for the fields that there are",
					o->resource->plural);
}
