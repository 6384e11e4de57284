#include "doc/yaml_alias.h"

#include "base/auto.h"
#include "doc/marks.h"

#include <string.h>

static bool copy_members(struct yaml_copier *c, json_t *from, json_t *to, size_t depth)
{
	const char *key;
	json_t *value;
	size_t i = 0;

	json_object_foreach(from, key, value)
	{
		struct doc_mark mark = {0};
		json_t *copy = yaml_copy(c, value, depth);

		if (!copy)
			return false;
		/* by index: members stand in order of insertion, and a search would be quadratic */
		doc_mark_of(c->marks, from, NULL, i++, &mark);
		marks_add(c->marks, to, key, mark);
		json_object_set_new(to, key, copy);
		c->alias_bytes += strlen(key);
	}
	return true;
}

static bool copy_elements(struct yaml_copier *c, const json_t *from, json_t *to, size_t depth)
{
	const json_t *value;
	size_t i;

	json_array_foreach(from, i, value)
	{
		struct doc_mark mark = {0};
		json_t *copy = yaml_copy(c, value, depth);

		if (!copy)
			return false;
		doc_mark_of(c->marks, from, NULL, i, &mark);
		marks_add(c->marks, to, NULL, mark);
		json_array_append_new(to, copy);
	}
	return true;
}

json_t *yaml_copy(struct yaml_copier *c, const json_t *from, size_t depth)
{
	json_t *source = (json_t *)(uintptr_t)from;
	AUTO_JSON json_t *to = NULL;
	bool copied;

	c->alias_bytes += json_string_length(from);
	if (++c->node_count > YAML_MAX_NODES || c->alias_bytes > YAML_MAX_ALIAS_BYTES) {
		c->problem = "aliases expand to too much";
		return NULL;
	}
	if (!json_is_object(from) && !json_is_array(from))
		return json_copy(source);
	if (depth >= YAML_MAX_DEPTH) {
		c->problem = "nested too deep by aliases";
		return NULL;
	}
	to = json_is_object(from) ? json_object() : json_array();
	copied = json_is_object(from) ? copy_members(c, source, to, depth + 1)
								  : copy_elements(c, from, to, depth + 1);
	return copied ? TAKE(to) : NULL;
}

static void merge_object(struct doc_marks *marks, json_t *to, json_t *from)
{
	const char *key;
	json_t *value;
	size_t i = 0;

	json_object_foreach(from, key, value)
	{
		struct doc_mark mark = {0};

		doc_mark_of(marks, from, NULL, i++, &mark);
		if (json_object_get(to, key))
			continue;
		marks_add(marks, to, key, mark);
		json_object_set(to, key, value);
	}
}

bool yaml_merge(struct doc_marks *marks, json_t *to, const json_t *from)
{
	json_t *item;
	size_t i;

	if (json_is_object(from)) {
		merge_object(marks, to, (json_t *)(uintptr_t)from);
		return true;
	}
	if (!json_is_array(from))
		return false;
	json_array_foreach(from, i, item)
	{
		if (!json_is_object(item))
			return false;
		merge_object(marks, to, item);
	}
	return true;
}
