#include "kube/fields.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"
#include "kube/quantity.h"

#include <string.h>

static enum kube_apply_effect worse(enum kube_apply_effect a, enum kube_apply_effect b)
{
	if (a == KUBE_APPLY_CHANGE || b == KUBE_APPLY_CHANGE)
		return KUBE_APPLY_CHANGE;
	return a == KUBE_APPLY_NOTHING ? b : a;
}

static bool is_empty(const json_t *v)
{
	return !v || json_is_null(v) || (json_is_object(v) && json_object_size(v) == 0) ||
		   (json_is_array(v) && json_array_size(v) == 0);
}

/* Members of which the values are resource quantities in every kind. */
static bool holds_quantities(const char *key)
{
	static const char *const names[] = {"limits", "requests",    "capacity",
										"hard",   "allocatable", NULL};

	for (size_t i = 0; key && names[i]; i++)
		if (strcmp(names[i], key) == 0)
			return true;
	return false;
}

/* Two leaves, or two atomic values. */
static enum kube_apply_effect compare(const json_t *desired, const json_t *live, bool quantity)
{
	if (live && json_equal(desired, live))
		return KUBE_APPLY_NOTHING;
	if (is_empty(desired) && is_empty(live))
		return KUBE_APPLY_NOTHING;
	if (quantity && live && kube_quantity_equal(desired, live))
		return KUBE_APPLY_NOTHING;
	/* the server writes a quantity its own way, and fills in defaults inside atomic values */
	if (json_is_object(desired) || json_is_array(desired) || json_is_real(desired) ||
		(live && kube_quantity_equal(desired, live)))
		return KUBE_APPLY_UNSURE;
	return KUBE_APPLY_CHANGE;
}

static enum kube_apply_effect walk(const json_t *desired, const json_t *fields, const json_t *live,
								   const char *key);

/* Does this list element have the key fields of "k:{...}"? */
static bool has_keys(const json_t *element, const json_t *keys)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)keys, name, value)
	{
		const json_t *own = json_object_get(element, name);

		if (!own || !json_equal(own, value))
			return false;
	}
	return true;
}

static const json_t *find_element(const json_t *list, const json_t *keys, size_t *index)
{
	for (*index = 0; *index < json_array_size(list); ++*index)
		if (has_keys(json_array_get(list, *index), keys))
			return json_array_get(list, *index);
	return NULL;
}

static const json_t *find_value(const json_t *list, const json_t *value, size_t *index)
{
	for (*index = 0; *index < json_array_size(list); ++*index)
		if (json_equal(json_array_get(list, *index), value))
			return json_array_get(list, *index);
	return NULL;
}

struct list_walk {
	const json_t *desired, *live;
	size_t matched;
	enum kube_apply_effect effect;
};

/* One "k:{...}" or "v:..." of the fields. */
static void walk_element(struct list_walk *w, const char *field, const json_t *below)
{
	AUTO_JSON json_t *key = json_loads(field + 2, JSON_DECODE_ANY, NULL);
	bool by_key = field[0] == 'k';
	size_t at_desired;
	size_t at_live;
	const json_t *element;
	const json_t *live;

	if (!key || (!by_key && field[0] != 'v')) {
		w->effect = worse(w->effect, KUBE_APPLY_UNSURE);
		return;
	}
	element = by_key ? find_element(w->desired, key, &at_desired)
					 : find_value(w->desired, key, &at_desired);
	live = by_key ? find_element(w->live, key, &at_live) : find_value(w->live, key, &at_live);
	if (!element || !live) {
		w->effect = KUBE_APPLY_CHANGE;
		return;
	}
	w->matched++;
	/* another order is the server's to judge */
	if (at_desired != at_live)
		w->effect = worse(w->effect, KUBE_APPLY_UNSURE);
	if (by_key)
		w->effect = worse(w->effect, walk(element, below, live, NULL));
}

static enum kube_apply_effect walk_list(const json_t *desired, const json_t *fields,
										const json_t *live)
{
	struct list_walk w = {.desired = desired, .live = live};
	const char *field;
	json_t *below;

	json_object_foreach((json_t *)(uintptr_t)fields, field, below) if (strcmp(field, ".") != 0)
		walk_element(&w, field, below);
	return w.matched == json_array_size(desired) ? w.effect : KUBE_APPLY_CHANGE;
}

/* An empty value (emptyDir: {}) leaves no field behind in many servers. */
static enum kube_apply_effect without_field(const json_t *value, const json_t *there)
{
	if (!is_empty(value) || !is_empty(there))
		return KUBE_APPLY_CHANGE;
	return there && json_equal(value, there) ? KUBE_APPLY_NOTHING : KUBE_APPLY_UNSURE;
}

static enum kube_apply_effect walk_object(const json_t *desired, const json_t *fields,
										  const json_t *live, const char *key)
{
	enum kube_apply_effect effect = KUBE_APPLY_NOTHING;
	bool quantities = holds_quantities(key);
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)desired, name, value)
	{
		AUTO_FREE char *field = xasprintf("f:%s", name);
		const json_t *below = json_object_get(fields, field);
		const json_t *there = json_object_get(live, name);

		if (!below)
			effect = worse(effect, without_field(value, there));
		else if (quantities && !json_is_object(value))
			effect = worse(effect, compare(value, there, true));
		else
			effect = worse(effect, walk(value, below, there, name));
	}
	json_object_foreach((json_t *)(uintptr_t)fields, name,
						value) if (strncmp(name, "f:", 2) == 0 &&
								   !json_object_get(desired, name + 2)) return KUBE_APPLY_CHANGE;
	return effect;
}

static enum kube_apply_effect walk(const json_t *desired, const json_t *fields, const json_t *live,
								   const char *key)
{
	if (json_object_size(fields) == 0)
		return compare(desired, live, false);
	if (json_is_object(desired) && json_is_object(live))
		return walk_object(desired, fields, live, key);
	if (json_is_array(desired) && json_is_array(live))
		return walk_list(desired, fields, live);
	return KUBE_APPLY_CHANGE;
}

static const json_t *our_entry(const json_t *live, const char *manager)
{
	const json_t *entries = doc_get(live, "metadata.managedFields");

	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *e = json_array_get(entries, i);

		if (strcmp(doc_text(e, "manager", ""), manager) == 0 &&
			strcmp(doc_text(e, "operation", ""), "Apply") == 0 && !*doc_text(e, "subresource", ""))
			return e;
	}
	return NULL;
}

enum kube_apply_effect kube_apply_effect(const json_t *live, const json_t *desired,
										 const char *manager)
{
	const json_t *entry = our_entry(live, manager);
	AUTO_JSON json_t *body = NULL;
	AUTO_JSON json_t *metadata = NULL;

	if (entry &&
		strcmp(doc_text(entry, "apiVersion", ""), doc_text(desired, "apiVersion", "?")) != 0)
		return KUBE_APPLY_UNSURE;
	/* identity is nobody's field */
	body = json_copy((json_t *)(uintptr_t)desired);
	metadata = json_copy(json_object_get(desired, "metadata"));
	json_object_del(body, "apiVersion");
	json_object_del(body, "kind");
	json_object_del(metadata, "name");
	json_object_del(metadata, "namespace");
	if (json_object_size(metadata) > 0)
		json_object_set(body, "metadata", metadata);
	else
		json_object_del(body, "metadata");
	if (!entry)
		/* the server keeps no entry for a manager of nothing (a bare ServiceAccount) */
		return json_object_size(body) == 0 ? KUBE_APPLY_NOTHING : KUBE_APPLY_CHANGE;
	return walk(body, json_object_get(entry, "fieldsV1"), live, NULL);
}

bool kube_is_same_object(const json_t *live, const json_t *answer)
{
	static const char *const bookkeeping[] = {"managedFields", "resourceVersion",   "generation",
											  "uid",           "creationTimestamp", "selfLink"};
	const json_t *pair[2] = {live, answer};
	json_t *stripped[2];
	bool same;

	for (size_t i = 0; i < 2; i++) {
		json_t *metadata = json_copy(json_object_get(pair[i], "metadata"));

		stripped[i] = json_copy((json_t *)(uintptr_t)pair[i]);
		for (size_t k = 0; k < ARRAY_LEN(bookkeeping); k++)
			json_object_del(metadata, bookkeeping[k]);
		json_object_set_new(stripped[i], "metadata", metadata);
		json_object_del(stripped[i], "status");
	}
	same = json_equal(stripped[0], stripped[1]);
	json_decref(stripped[0]);
	json_decref(stripped[1]);
	return same;
}

static bool owns(const json_t *fields, const char *path)
{
	while (*path) {
		size_t len = strcspn(path, ".");
		AUTO_FREE char *key = xasprintf("f:%.*s", (int)len, path);

		fields = json_object_get(fields, key);
		if (!fields)
			return false;
		path += len + (path[len] == '.');
	}
	return true;
}

const char *kube_field_updater(const json_t *live, const char *path, const char *our_manager)
{
	const json_t *entries = doc_get(live, "metadata.managedFields");

	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *e = json_array_get(entries, i);
		const char *manager = doc_text(e, "manager", "");

		if (strcmp(manager, our_manager) != 0 &&
			strcmp(doc_text(e, "operation", ""), "Update") == 0 &&
			owns(json_object_get(e, "fieldsV1"), path))
			return manager;
	}
	return NULL;
}

/* "port=80,protocol=\"TCP\"" -> {"port": 80, "protocol": "TCP"} */
static json_t *parse_keys(const char *text, size_t len)
{
	json_t *keys = json_object();
	const char *end = text + len;

	while (text < end) {
		size_t name = strcspn(text, "=");
		AUTO_FREE char *key = xstrndup(text, name);
		const char *value = text + name + 1;
		size_t n = 0;
		json_t *parsed;

		if (value >= end)
			break;
		if (*value == '"')
			for (n = 1; value + n < end && value[n] != '"'; n++)
				n += value[n] == '\\';
		while (value + n < end && value[n] != ',')
			n++;
		parsed = json_loadb(value, n, JSON_DECODE_ANY, NULL);
		if (parsed)
			json_object_set_new(keys, key, parsed);
		text = value + n + 1;
	}
	return keys;
}

static size_t bracket_len(const char *p)
{
	bool quoted = false;
	size_t n = 1;

	for (; p[n] && (quoted || p[n] != ']'); n++)
		if (p[n] == '"')
			quoted = !quoted;
	return n;
}

bool kube_field_remove(json_t *desired, const char *path)
{
	json_t *at = desired;
	const char *p = path;

	while (at && *p) {
		if (*p == '[') {
			size_t n = bracket_len(p);
			AUTO_JSON json_t *keys = parse_keys(p + 1, n - 1);
			size_t index;
			bool found = find_element(at, keys, &index) != NULL;

			if (!found || json_object_size(keys) == 0 || !p[n])
				return false;
			p += n + 1;
			at = json_array_get(at, index);
		} else {
			size_t n;
			AUTO_FREE char *key = NULL;

			p += *p == '.';
			n = strcspn(p, ".[");
			key = xstrndup(p, n);
			p += n;
			if (!*p)
				return json_object_del(at, key) == 0;
			at = json_object_get(at, key);
		}
	}
	return false;
}
