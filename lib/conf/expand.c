#include "conf/project.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>
#include <string.h>

struct expander {
	const json_t *vars;
	const struct doc_marks *marks;
	const char *name;
	size_t added;         /* bytes that variables put in */
	const json_t *parent; /* where the value stands, for messages */
	const char *key;
	size_t index;
};

static int fail(const struct expander *x, const char *problem, const char *detail,
				struct error *err)
{
	AUTO_FREE char *place = doc_where(x->marks, x->name, x->parent, x->key, x->index);

	return err_set(err, ERR_INPUT, "%s: %s%s%s%s", place, problem, *detail ? " '" : "", detail,
				   *detail ? "'" : "");
}

/* ${NAME}, ${NAME:-default}, ${NAME:?message} without what encloses it. */
struct expression {
	char *name;
	char *rest; /* default or message */
	char op;    /* '-', '?' or 0 */
};

static void expression_release(struct expression *e)
{
	free(e->name);
	free(e->rest);
}

static int parse_expression(const struct expander *x, struct span inside, struct expression *out,
							struct error *err)
{
	size_t n = 0;

	while (n < inside.len && (isalnum((unsigned char)inside.data[n]) || inside.data[n] == '_'))
		n++;
	if (n == 0 || isdigit((unsigned char)inside.data[0]) ||
		(n < inside.len && (inside.len - n < 2 || inside.data[n] != ':' ||
							(inside.data[n + 1] != '-' && inside.data[n + 1] != '?')))) {
		fail(x, "malformed ${...}", "", err);
		return err_hint(err,
						"write ${NAME}, ${NAME:-default} or ${NAME:?message}; $${ stands for a "
						"plain ${");
	}
	out->name = xstrndup(inside.data, n);
	if (n < inside.len) {
		out->op = inside.data[n + 1];
		out->rest = xstrndup(inside.data + n + 2, inside.len - n - 2);
	}
	return 0;
}

/* The value of an expression: a new reference, or NULL on failure. */
static json_t *evaluate(const struct expander *x, struct span inside, struct error *err)
{
	AUTO(expression) struct expression e = {0};
	json_t *value;
	bool given;

	if (parse_expression(x, inside, &e, err) < 0)
		return NULL;
	value = json_object_get(x->vars, e.name);
	given = value && !json_is_null(value) &&
			(!e.op || !json_is_string(value) || json_string_length(value));
	if (given)
		return json_copy(value);
	if (e.op == '-')
		return json_string(e.rest);
	if (e.op == '?') {
		fail(x, *e.rest ? e.rest : "a variable is needed", "", err);
		err_hint(err, "set %s in 'vars' of the environment", e.name);
		return NULL;
	}
	fail(x, "undefined variable", e.name, err);
	err_hint(
		err,
		"set it in 'vars' of the environment, or write ${%s:-default}; $${ stands for a plain ${",
		e.name);
	return NULL;
}

static int count_added(struct expander *x, size_t bytes, struct error *err)
{
	x->added += bytes;
	if (x->added > PROJECT_MAX_EXPANDED)
		return fail(x, "variables expand to too much", "", err);
	return 0;
}

static int add_value(struct expander *x, const json_t *value, struct buf *out, struct error *err)
{
	size_t before = out->len;

	if (json_is_string(value))
		buf_adds(out, json_string_value(value));
	else
		doc_json_write(value, out);
	return count_added(x, out->len - before, err);
}

/* Does text consist of one expression alone? Then its value keeps its type. */
static bool is_one_expression(const char *text)
{
	const char *end = strchr(text, '}');

	return text[0] == '$' && text[1] == '{' && end && end[1] == '\0';
}

static int expand_text(struct expander *x, const char *text, json_t **out, struct error *err)
{
	AUTO(buf) struct buf result = {0};
	const char *at;

	for (; (at = strstr(text, "${")); text = at) {
		AUTO_JSON json_t *value = NULL;
		const char *end = strchr(at, '}');

		if (at > text && at[-1] == '$') {
			buf_add(&result, text, (size_t)(at - 1 - text));
			buf_adds(&result, "${");
			at += 2;
			continue;
		}
		if (!end)
			return fail(x, "${ without its }", "", err);
		buf_add(&result, text, (size_t)(at - text));
		value = evaluate(x, (struct span){at + 2, (size_t)(end - at - 2)}, err);
		if (!value || add_value(x, value, &result, err) < 0)
			return -1;
		at = end + 1;
	}
	buf_adds(&result, text);
	*out = json_stringn(buf_str(&result), result.len);
	return 0;
}

/* What takes a value's place, or NULL in *out when it stays as it is. */
static int expand_value(struct expander *x, const json_t *old, json_t **out, struct error *err)
{
	const char *text = json_string_value(old);
	AUTO_JSON json_t *value = NULL;

	*out = NULL;
	if (!text || !strstr(text, "${"))
		return 0;
	if (!is_one_expression(text))
		return expand_text(x, text, out, err);
	value = evaluate(x, (struct span){text + 2, strlen(text) - 3}, err);
	if (!value || count_added(x, json_string_length(value), err) < 0)
		return -1;
	*out = TAKE(value);
	return 0;
}

static int expand_node(struct expander *x, json_t *node, struct error *err);

static int expand_object(struct expander *x, json_t *object, struct error *err)
{
	for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
		json_t *changed;

		x->parent = object;
		x->key = json_object_iter_key(i);
		if (expand_value(x, json_object_iter_value(i), &changed, err) < 0)
			return -1;
		if (changed)
			json_object_iter_set_new(object, i, changed);
		else if (expand_node(x, json_object_iter_value(i), err) < 0)
			return -1;
	}
	return 0;
}

static int expand_array(struct expander *x, json_t *array, struct error *err)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		json_t *changed;

		x->parent = array;
		x->key = NULL;
		x->index = i;
		if (expand_value(x, json_array_get(array, i), &changed, err) < 0)
			return -1;
		if (changed)
			json_array_set_new(array, i, changed);
		else if (expand_node(x, json_array_get(array, i), err) < 0)
			return -1;
	}
	return 0;
}

/* Depth is bounded by the parser that made the tree. */
static int expand_node(struct expander *x, json_t *node, struct error *err)
{
	if (json_is_object(node))
		return expand_object(x, node, err);
	if (json_is_array(node))
		return expand_array(x, node, err);
	return 0;
}

int project_expand(json_t *doc, const json_t *vars, const struct doc_marks *marks, const char *name,
				   struct error *err)
{
	struct expander x = {.vars = vars, .marks = marks, .name = name};

	return expand_node(&x, doc, err);
}
