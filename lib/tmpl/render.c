#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "tmpl/parse.h"

#include <string.h>

/* What one rendering shares with the partials in it. */
struct renderer {
	const struct tmpl_options *options;
	const json_t *stack[TMPL_MAX_DEPTH + 1]; /* contexts, innermost last */
	size_t depth;
	size_t partial_depth;
	size_t steps;
	struct buf *out;
	size_t start; /* length of out before */
};

/* One template or partial. */
struct source {
	struct tmpl_source source;
	const struct token *tokens;
};

static int fail(const struct source *s, const struct token *t, struct error *err, const char *what)
{
	return tmpl_fail(s->source, t->offset, err, "%s '%.*s'", what, (int)t->text.len, t->text.data);
}

static const json_t *member(const json_t *object, struct span name)
{
	AUTO_FREE char *key = xstrndup(name.data, name.len);

	return json_object_get(object, key);
}

/* The value of a name, or NULL: its first part by walking the contexts outwards, each further part
 * in the value before it only. */
static const json_t *lookup(const struct renderer *r, struct span name)
{
	const char *dot = memchr(name.data, '.', name.len);
	struct span first = {name.data, dot ? (size_t)(dot - name.data) : name.len};
	const json_t *value = NULL;

	if (span_is(name, "."))
		return r->stack[r->depth - 1];
	for (size_t i = r->depth; i-- > 0 && !value;)
		value = member(r->stack[i], first);
	while (value && dot) {
		struct span rest = {dot + 1, name.len - (size_t)(dot + 1 - name.data)};

		dot = memchr(rest.data, '.', rest.len);
		first = (struct span){rest.data, dot ? (size_t)(dot - rest.data) : rest.len};
		value = member(value, first);
	}
	return value;
}

static int unknown(const struct renderer *r, const struct source *s, const struct token *t,
				   struct error *err)
{
	const char *names[65] = {NULL};
	AUTO_FREE char *name = xstrndup(t->text.data, t->text.len);
	const char *near;
	const char *key;
	json_t *value;
	size_t n = 0;

	json_object_foreach((json_t *)(uintptr_t)r->stack[0], key, value) if (n < 64) names[n++] = key;
	near = text_nearest(name, names);
	fail(s, t, err, "unknown variable");
	return near ? err_hint(err, "did you mean '%s'?", near) : -1;
}

static int add_variable(struct renderer *r, const struct source *s, const struct token *t,
						struct error *err)
{
	const json_t *value = lookup(r, t->text);
	char number[32];
	const char *text = json_string_value(value);
	const char *problem;

	if (!value && !r->options->lenient)
		return unknown(r, s, t, err);
	if (!value || json_is_null(value))
		return 0;
	if (json_is_object(value) || json_is_array(value))
		return fail(s, t, err, "not text, but an object or array:");
	if (json_is_integer(value)) {
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		text = number;
	} else if (json_is_real(value)) {
		text = doc_real_text(json_real_value(value), number);
	} else if (json_is_boolean(value)) {
		text = json_is_true(value) ? "true" : "false";
	}
	problem = tmpl_escape_add(t->escape, text, t->explicit_raw || r->options->lenient, r->out);
	if (problem)
		return tmpl_fail(s->source, t->offset, err, "the value of '%.*s' %s", (int)t->text.len,
						 t->text.data, problem);
	return 0;
}

/* false, null, empty text and empty lists make a section disappear. */
static bool is_true(const json_t *value)
{
	if (json_is_array(value))
		return json_array_size(value) > 0;
	if (json_is_string(value))
		return json_string_length(value) > 0;
	return value && !json_is_null(value) && !json_is_false(value);
}

static int render_range(struct renderer *r, const struct source *s, size_t from, size_t to,
						struct error *err);

static int render_with(struct renderer *r, const struct source *s, size_t section,
					   const json_t *context, struct error *err)
{
	const struct token *t = &s->tokens[section];
	int rc;

	if (r->depth > TMPL_MAX_DEPTH)
		return fail(s, t, err, "nested too deep:");
	r->stack[r->depth++] = context;
	rc = render_range(r, s, section + 1, t->end, err);
	r->depth--;
	return rc;
}

static int render_section(struct renderer *r, const struct source *s, size_t index,
						  struct error *err)
{
	const struct token *t = &s->tokens[index];
	const json_t *value = lookup(r, t->text);

	if (!value && !r->options->lenient)
		return unknown(r, s, t, err);
	if (is_true(value) == (t->type == TOKEN_INVERTED))
		return 0;
	if (t->type == TOKEN_INVERTED)
		return render_range(r, s, index + 1, t->end, err);
	if (!json_is_array(value))
		return render_with(r, s, index, value, err);
	for (size_t i = 0; i < json_array_size(value); i++)
		if (render_with(r, s, index, json_array_get(value, i), err) < 0)
			return -1;
	return 0;
}

static char *indented(const char *text, struct span indent)
{
	AUTO(buf) struct buf out = {0};

	for (bool line_start = true; *text; text++) {
		if (line_start)
			buf_add(&out, indent.data, indent.len);
		line_start = *text == '\n';
		buf_addc(&out, *text);
	}
	return buf_take(&out);
}

static int render_source(struct renderer *r, struct span text, const char *name, struct error *err);

static int render_partial(struct renderer *r, const struct source *s, const struct token *t,
						  struct error *err)
{
	AUTO_FREE char *name = xstrndup(t->text.data, t->text.len);
	AUTO_FREE char *own = NULL;
	const char *text = r->options->partial ? r->options->partial(r->options->user, name) : NULL;
	int rc;

	if (!text)
		return r->options->lenient ? 0 : fail(s, t, err, "no partial named");
	if (r->partial_depth == TMPL_MAX_DEPTH)
		return fail(s, t, err, "partials nested too deep:");
	/* parsing again costs as well; indentation multiplies it */
	r->steps += strlen(text) / 8 + strlen(text) * t->indent.len / 8;
	if (r->steps > TMPL_MAX_STEPS)
		return fail(s, t, err, "too much to render at");
	own = indented(text, t->indent);
	r->partial_depth++;
	rc = render_source(r, span_of(own), name, err);
	r->partial_depth--;
	return rc;
}

static int render_token(struct renderer *r, const struct source *s, size_t index, struct error *err)
{
	const struct token *t = &s->tokens[index];

	switch (t->type) {
	case TOKEN_TEXT:
		buf_add(r->out, t->text.data, t->text.len);
		return 0;
	case TOKEN_VARIABLE:
		return add_variable(r, s, t, err);
	case TOKEN_SECTION:
	case TOKEN_INVERTED:
		return render_section(r, s, index, err);
	case TOKEN_PARTIAL:
		return render_partial(r, s, t, err);
	default:
		return 0;
	}
}

static int render_range(struct renderer *r, const struct source *s, size_t from, size_t to,
						struct error *err)
{
	for (size_t i = from; i < to; i++) {
		const struct token *t = &s->tokens[i];

		if (++r->steps > TMPL_MAX_STEPS)
			return tmpl_fail(s->source, t->offset, err, "too much to render");
		if (render_token(r, s, i, err) < 0)
			return -1;
		if (r->out->len - r->start > TMPL_MAX_OUTPUT)
			return tmpl_fail(s->source, t->offset, err, "more than %u MiB come out",
							 TMPL_MAX_OUTPUT >> 20);
		if (t->type == TOKEN_SECTION || t->type == TOKEN_INVERTED)
			i = t->end;
	}
	return 0;
}

static int render_source(struct renderer *r, struct span text, const char *name, struct error *err)
{
	AUTO(token_list) struct token_list tokens = {0};
	struct tmpl_options options = *r->options;
	struct source s = {{text, name}, NULL};

	options.name = name;
	if (tmpl_parse(text, &options, &tokens, err) < 0)
		return -1;
	s.tokens = tokens.items;
	return render_range(r, &s, 0, tokens.count, err);
}

int tmpl_render(struct span text, const json_t *data, const struct tmpl_options *options,
				struct buf *out, struct error *err)
{
	struct renderer r = {.options = options, .out = out, .start = out->len};
	size_t before = out->len;

	if (text.len > TMPL_MAX_INPUT)
		return err_set(err, ERR_INPUT, "%s: larger than %u MiB", options->name,
					   TMPL_MAX_INPUT >> 20);
	if (!utf8_is_valid(text.data, text.len)) {
		err_set(err, ERR_INPUT, "%s: not valid UTF-8", options->name);
		return err_hint(err, "a file that is no text must not be a template");
	}
	r.stack[r.depth++] = data;
	if (render_source(&r, text, options->name, err) < 0) {
		buf_cut(out, before);
		return -1;
	}
	return 0;
}
