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
	return err_hint(err, "see 'kubectl explain %s' for the fields that there are", o->resource->plural);
}

int strict_check(struct deploy_session *s, const struct deploy_set *set, struct error *err)
{
	AUTO(kube_schema) struct kube_schema schema = {0};
	struct kube_unknown_field field = {0};
	struct error ignored;

	if (s->discovery.aggregated)
		return 0;
	for (size_t i = 0; i < set->items.count; i++) {
		const struct deploy_item *item = set->items.items[i];

		if (item->action == DEPLOY_UNCHANGED)
			continue;
		if (!schema.doc && kube_schema_load(s->client, s->cache_dir, &schema, &ignored) < 0)
			return ignored.code == ERR_INTERRUPTED ? cancel_check(s->cancel, err) : 0;
		if (kube_schema_check(&schema, &item->object, &field))
			return unknown(s, &item->object, &field, err);
	}
	return 0;
}

int strict_explain(const struct kube_object *o, struct error *err)
{
	/* ...strict decoding error: unknown field "spec.replicaz", unknown field "spec.x" */
	const char *word = strstr(err->msg, " field \"");
	const char *start = word ? word + strlen(" field \"") : NULL;
	const char *end = start ? strchr(start, '"') : NULL;
	AUTO_FREE char *path = end ? xstrndup(start, (size_t)(end - start)) : xstrdup("");
	AUTO_FREE char *where = kube_object_where(o, path);
	bool twice = strstr(err->msg, "duplicate field") != NULL;

	if (*path)
		err_set(err, ERR_INPUT, "%s: %s/%s: %s field %s", where, o->kind, o->name,
			twice ? "duplicate" : "unknown", path);
	else
		err_wrap(err, "%s: %s/%s", where, o->kind, o->name);
	return err_hint(err, "see 'kubectl explain %s' for the fields that there are", o->resource->plural);
}
