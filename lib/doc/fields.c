#include "base/auto.h"
#include "base/text.h"
#include "doc/yaml.h"

#include <string.h>

#define MAX_INT (INT64_C(1) << 53) /* what every JSON reader can hold (RFC 8259, section 6) */
#define MAX_FIELDS 128

static const char *const expected[] = {
	[DOC_TEXT] = "text",
	[DOC_INT] = "a whole number",
	[DOC_BOOL] = "true or false",
	[DOC_OBJECT] = "an object",
	[DOC_ARRAY] = "an array",
	[DOC_TEXTS] = "an array of text",
	[DOC_TEXT_MAP] = "an object of text",
};

static const char *found(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "text";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return json_is_true(value) ? "true" : "false";
	default:
		return "null";
	}
}

/* Start an error at a member: "msctl.yaml:12:5: build.ports: ". */
static int fail_at(const struct doc_context *where, const json_t *object, const char *key,
				   const char *problem, struct error *err)
{
	AUTO_FREE char *place = doc_where(where->marks, where->name, object, key, 0);
	const char *path = where->path ? where->path : "";

	return err_set(err, ERR_INPUT, "%s: %s%s%s: %s", place, path, *path ? "." : "", key, problem);
}

static int wrong_type(const struct doc_context *where, const json_t *object,
					  const struct doc_field *field, const json_t *value, struct error *err)
{
	char problem[128];

	snprintf(problem, sizeof(problem), "expected %s, found %s", expected[field->type],
			 found(value));
	fail_at(where, object, field->name, problem, err);
	if (field->type == DOC_TEXT && !json_is_object(value) && !json_is_array(value))
		err_hint(err, "put the value in quotes");
	return -1;
}

/* The first element or member that is no text, or NULL. */
static const json_t *not_text(json_t *value)
{
	const json_t *item;
	const char *key;
	size_t i;

	if (json_is_array(value)) {
		json_array_foreach(value, i, item) if (!json_is_string(item)) return item;
		return NULL;
	}
	json_object_foreach(value, key, item) if (!json_is_string(item)) return item;
	return NULL;
}

static int wrong_item(const struct doc_context *where, const json_t *object,
					  const struct doc_field *field, const json_t *item, struct error *err)
{
	char problem[128];

	snprintf(problem, sizeof(problem), "expected %s, found %s in it", expected[field->type],
			 found(item));
	fail_at(where, object, field->name, problem, err);
	if (!json_is_object(item) && !json_is_array(item))
		err_hint(err, "put the value in quotes");
	return -1;
}

static bool has_type(enum doc_type type, const json_t *value)
{
	switch (type) {
	case DOC_TEXT:
		return json_is_string(value);
	case DOC_INT:
		return json_is_integer(value);
	case DOC_BOOL:
		return json_is_boolean(value);
	case DOC_OBJECT:
	case DOC_TEXT_MAP:
		return json_is_object(value);
	case DOC_ARRAY:
	case DOC_TEXTS:
		return json_is_array(value);
	default:
		return true;
	}
}

static int read_field(const struct doc_context *where, const json_t *object,
					  const struct doc_field *field, void *out, struct error *err)
{
	json_t *value = json_object_get(object, field->name);
	char *to = (char *)out + field->offset;
	const json_t *item;

	if (!value || json_is_null(value)) {
		if (field->required)
			return fail_at(where, object, field->name, "required, but not given", err);
		return 0;
	}
	if (!has_type(field->type, value))
		return wrong_type(where, object, field, value, err);
	if (field->type == DOC_TEXTS || field->type == DOC_TEXT_MAP) {
		item = not_text(value);
		if (item)
			return wrong_item(where, object, field, item, err);
	}
	if (field->type == DOC_TEXT) {
		*(const char **)to = json_string_value(value);
	} else if (field->type == DOC_BOOL) {
		*(bool *)to = json_is_true(value);
	} else if (field->type == DOC_INT) {
		if (json_integer_value(value) < 0 || json_integer_value(value) > MAX_INT)
			return fail_at(where, object, field->name, "not between 0 and 2^53", err);
		*(int64_t *)to = json_integer_value(value);
	} else {
		*(json_t **)to = value;
	}
	return 0;
}

static int refuse_key(const struct doc_context *where, const json_t *object, const char *key,
					  const struct doc_field *fields, struct error *err)
{
	const char *names[MAX_FIELDS + 1] = {NULL};
	size_t n = 0;
	const char *near;

	for (; fields->name && n < MAX_FIELDS; fields++)
		names[n++] = fields->name;
	near = text_nearest(key, names);
	fail_at(where, object, key, "unknown key", err);
	return near ? err_hint(err, "did you mean '%s'?", near)
				: err_hint(err, "remove it, or name it 'x-%s' to have it ignored", key);
}

static bool has_field(const struct doc_field *fields, const char *key)
{
	for (; fields->name; fields++)
		if (strcmp(fields->name, key) == 0)
			return true;
	return false;
}

int doc_read(const json_t *object, const struct doc_field *fields, const struct doc_context *where,
			 void *out, struct error *err)
{
	const char *path = where->path && *where->path ? where->path : NULL;
	void *iter;

	if (!json_is_object(object))
		return err_set(err, ERR_INPUT, "%s: %s%sexpected an object, found %s", where->name,
					   path ? path : "", path ? ": " : "", object ? found(object) : "nothing");
	if (where->strict) {
		iter = json_object_iter((json_t *)(uintptr_t)object);
		for (; iter; iter = json_object_iter_next((json_t *)(uintptr_t)object, iter)) {
			const char *key = json_object_iter_key(iter);

			if (!text_starts(key, "x-") && !has_field(fields, key))
				return refuse_key(where, object, key, fields, err);
		}
	}
	for (const struct doc_field *f = fields; f->name; f++)
		if (read_field(where, object, f, out, err) < 0)
			return -1;
	return 0;
}
