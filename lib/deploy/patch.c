#include "deploy/patch.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

void patch_merge(json_t *target, const json_t *patch)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)patch, key, value)
	{
		json_t *there = json_object_get(target, key);

		if (json_is_null(value)) {
			json_object_del(target, key);
		} else if (json_is_object(value)) {
			if (!json_is_object(there)) {
				there = json_object();
				json_object_set_new(target, key, there);
			}
			patch_merge(there, value);
		} else {
			json_object_set_new(target, key, json_deep_copy(value));
		}
	}
}

/* ---- pointers */

/* The next reference token, unescaped; *p moves behind it. Caller frees. */
static char *next_token(const char **p)
{
	const char *s = *p + 1;
	size_t len = strcspn(s, "/");
	char *token = xstrndup(s, len);
	char *out = token;

	for (const char *in = token; *in; in++) {
		if (in[0] == '~' && in[1] == '1') {
			*out++ = '/';
			in++;
		} else if (in[0] == '~' && in[1] == '0') {
			*out++ = '~';
			in++;
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
	*p = s + len;
	return token;
}

static json_t *child(const json_t *parent, const char *token)
{
	int64_t index;

	if (json_is_object(parent))
		return json_object_get(parent, token);
	if (json_is_array(parent) && text_to_int(token, 0, INT32_MAX, &index))
		return json_array_get(parent, (size_t)index);
	return NULL;
}

json_t *patch_pointer_get(json_t *doc, const char *pointer)
{
	while (doc && *pointer == '/') {
		AUTO_FREE char *token = next_token(&pointer);

		doc = child(doc, token);
	}
	return *pointer ? NULL : doc;
}

/* The container that holds the pointer's last token. */
static json_t *parent_of(json_t *doc, const char *pointer, char **last)
{
	while (doc && *pointer == '/') {
		char *token = next_token(&pointer);

		if (!*pointer) {
			*last = token;
			return doc;
		}
		doc = child(doc, token);
		free(token);
	}
	return NULL;
}

/* ---- operations */

static int put(json_t **doc, const char *pointer, json_t *value, bool replace, struct error *err)
{
	AUTO_FREE char *last = NULL;
	json_t *parent;
	int64_t index;
	AUTO_JSON json_t *copy = json_deep_copy(value);

	if (!*pointer) {
		json_decref(*doc);
		*doc = TAKE(copy);
		return 0;
	}
	parent = parent_of(*doc, pointer, &last);
	if (!parent || (replace && !child(parent, last)))
		return err_set(err, ERR_INPUT, "there is no such path");
	if (json_is_object(parent))
		return json_object_set(parent, last, copy);
	if (!json_is_array(parent))
		return err_set(err, ERR_INPUT, "the path leads into a scalar");
	if (strcmp(last, "-") == 0)
		return json_array_append(parent, copy);
	if (!text_to_int(last, 0, (int64_t)json_array_size(parent), &index))
		return err_set(err, ERR_INPUT, "'%s' is not a place in an array of %zu", last,
					   json_array_size(parent));
	return replace ? json_array_set(parent, (size_t)index, copy)
				   : json_array_insert(parent, (size_t)index, copy);
}

static int take_out(json_t *doc, const char *pointer, struct error *err)
{
	AUTO_FREE char *last = NULL;
	json_t *parent = parent_of(doc, pointer, &last);
	int64_t index;

	if (!parent || !child(parent, last))
		return err_set(err, ERR_INPUT, "there is no such path");
	if (json_is_object(parent))
		return json_object_del(parent, last);
	if (!text_to_int(last, 0, INT32_MAX, &index))
		return err_set(err, ERR_INPUT, "there is no such path");
	return json_array_remove(parent, (size_t)index);
}

static int copy_from(json_t **doc, const json_t *operation, const char *path, bool move,
					 struct error *err)
{
	const char *from = doc_text(operation, "from", NULL);
	AUTO_JSON json_t *value = NULL;

	if (!from)
		return err_set(err, ERR_INPUT, "'from' is missing");
	value = json_incref(patch_pointer_get(*doc, from));
	if (!value)
		return err_set(err, ERR_INPUT, "there is no '%s'", from);
	if (move && text_starts(path, from) && path[strlen(from)] == '/')
		return err_set(err, ERR_INPUT, "'%s' cannot move into itself", from);
	if (move && take_out(*doc, from, err) < 0)
		return -1;
	return put(doc, path, value, false, err);
}

static int operate(json_t **doc, const json_t *operation, const char *op, const char *path,
				   struct error *err)
{
	json_t *value = json_object_get(operation, "value");

	if (*path && *path != '/')
		return err_set(err, ERR_INPUT, "the path must start with '/'");
	if (strcmp(op, "remove") == 0)
		return take_out(*doc, path, err);
	if (strcmp(op, "move") == 0 || strcmp(op, "copy") == 0)
		return copy_from(doc, operation, path, *op == 'm', err);
	if (strcmp(op, "add") != 0 && strcmp(op, "replace") != 0 && strcmp(op, "test") != 0)
		return err_set(err, ERR_INPUT, "unknown operation");
	if (!value)
		return err_set(err, ERR_INPUT, "'value' is missing");
	if (*op == 't') {
		const json_t *there = patch_pointer_get(*doc, path);

		return there && json_equal(there, value) ? 0 : err_set(err, ERR_INPUT, "the test failed");
	}
	return put(doc, path, value, *op == 'r', err);
}

int patch_json6902(json_t **doc, const json_t *operations, struct error *err)
{
	AUTO_JSON json_t *work = json_deep_copy(*doc);

	if (!json_is_array(operations))
		return err_set(err, ERR_INPUT, "json6902: expected a list of operations");
	for (size_t i = 0; i < json_array_size(operations); i++) {
		const json_t *operation = json_array_get(operations, i);
		const char *op = doc_text(operation, "op", "");
		const char *path = doc_text(operation, "path", "");

		if (operate(&work, operation, op, path, err) < 0)
			return err_wrap(err, "json6902: operation %zu (%s %s)", i + 1, op, path);
	}
	json_decref(*doc);
	*doc = TAKE(work);
	return 0;
}
