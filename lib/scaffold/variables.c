#include "scaffold/variables.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "conf/project.h"
#include "tmpl/tmpl.h"

#include <ctype.h>
#include <regex.h>
#include <string.h>

int service_name_check(const char *name, struct error *err)
{
	if (project_name_is_valid(name))
		return 0;
	err_set(err, ERR_USAGE, "'%s' cannot be a service's name", name);
	return err_hint(err, "use lower-case letters, digits and '-', starting with a letter, at most "
						 "63 in all");
}

/* One entry of `variables:`. */
struct variable {
	const char *name;
	const char *summary;
	const char *type;
	json_t *fallback;
	const char *pattern;
	int64_t min, max;
	json_t *choices;
};

static const struct doc_field variable_fields[] = {
	DOC_FIELD(struct variable, name, "name", DOC_TEXT, true),
	DOC_FIELD(struct variable, summary, "summary", DOC_TEXT, false),
	DOC_FIELD(struct variable, type, "type", DOC_TEXT, true),
	DOC_FIELD(struct variable, fallback, "default", DOC_ANY, false),
	DOC_FIELD(struct variable, pattern, "pattern", DOC_TEXT, false),
	DOC_FIELD(struct variable, min, "min", DOC_INT, false),
	DOC_FIELD(struct variable, max, "max", DOC_INT, false),
	DOC_FIELD(struct variable, choices, "choices", DOC_TEXTS, false),
	DOC_FIELDS_END,
};

/* orders-api -> orders_api, ORDERS_API, OrdersApi. What is no letter or digit separates words. */
static void derive(json_t *data, const char *name, const char *text)
{
	AUTO(buf) struct buf snake = {0};
	AUTO(buf) struct buf upper = {0};
	AUTO(buf) struct buf pascal = {0};
	AUTO(buf) struct buf key = {0};
	bool starts = true;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (!isalnum(c) || c > 127) {
			starts = true;
			continue;
		}
		if (starts && snake.len > 0) {
			buf_addc(&snake, '_');
			buf_addc(&upper, '_');
		}
		buf_addc(&snake, (char)tolower(c));
		buf_addc(&upper, (char)toupper(c));
		buf_addc(&pascal, (char)(starts ? toupper(c) : tolower(c)));
		starts = false;
	}
	buf_addf(&key, "%s_snake", name);
	json_object_set_new(data, buf_str(&key), json_string(buf_str(&snake)));
	buf_cut(&key, 0);
	buf_addf(&key, "%s_upper", name);
	json_object_set_new(data, buf_str(&key), json_string(buf_str(&upper)));
	buf_cut(&key, 0);
	buf_addf(&key, "%s_pascal", name);
	json_object_set_new(data, buf_str(&key), json_string(buf_str(&pascal)));
}

static int hint_choices(const json_t *choices, struct error *err)
{
	AUTO(buf) struct buf list = {0};

	for (size_t i = 0; i < json_array_size(choices); i++)
		buf_addf(&list, "%s%s", i ? ", " : "", json_string_value(json_array_get(choices, i)));
	return err_hint(err, "give one of %s", buf_str(&list));
}

static int refuse(const struct variable *v, const char *value, struct error *err)
{
	err_set(err, ERR_INPUT, "variable %s cannot be '%s'", v->name, value);
	if (strcmp(v->type, "int") == 0)
		return err_hint(err, "give a number from %lld to %lld", (long long)v->min,
						(long long)v->max);
	if (strcmp(v->type, "bool") == 0)
		return err_hint(err, "give true or false");
	if (json_array_size(v->choices))
		return hint_choices(v->choices, err);
	if (v->pattern)
		return err_hint(err, "it must match %s", v->pattern);
	return err_hint(err, "%s", v->summary ? v->summary : "see 'msctl template show'");
}

static int matches(const struct variable *v, const char *value, bool *yes, struct error *err)
{
	AUTO_FREE char *anchored = xasprintf("^(%s)$", v->pattern);
	regex_t re;

	if (regcomp(&re, anchored, REG_EXTENDED | REG_NOSUB) != 0)
		return err_set(err, ERR_INPUT, "the pattern of variable %s is no regular expression",
					   v->name);
	*yes = regexec(&re, value, 0, NULL, 0) == 0;
	regfree(&re);
	return 0;
}

static int set_text(json_t *data, const struct variable *v, const char *value, struct error *err)
{
	bool fits = strlen(value) <= VARIABLE_MAX_TEXT && utf8_is_valid(value, strlen(value));
	bool chosen = json_array_size(v->choices) == 0;

	for (size_t i = 0; i < json_array_size(v->choices); i++)
		chosen = chosen || strcmp(json_string_value(json_array_get(v->choices, i)), value) == 0;
	if (v->pattern && fits && matches(v, value, &fits, err) < 0)
		return -1;
	if (!fits || !chosen)
		return refuse(v, value, err);
	json_object_set_new(data, v->name, json_string(value));
	derive(data, v->name, value);
	return 0;
}

static int set_value(json_t *data, const struct variable *v, const char *value, struct error *err)
{
	int64_t number;

	if (strcmp(v->type, "string") == 0)
		return set_text(data, v, value, err);
	if (strcmp(v->type, "int") == 0) {
		if (!text_to_int(value, v->min, v->max, &number))
			return refuse(v, value, err);
		json_object_set_new(data, v->name, json_integer((json_int_t)number));
		return 0;
	}
	if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return refuse(v, value, err);
	json_object_set_new(data, v->name, json_boolean(strcmp(value, "true") == 0));
	return 0;
}

/* Defaults are templates themselves, over what is known so far. */
static int set_default(json_t *data, const struct variable *v, const struct template_source *source,
					   struct error *err)
{
	struct tmpl_options options = {.name = source->manifest_name, .escape = TMPL_ESCAPE_RAW};
	AUTO(buf) struct buf text = {0};

	if (!v->fallback) {
		err_set(err, ERR_INPUT, "template %s needs a value for %s", source->name, v->name);
		return err_hint(err, "add --set %s=VALUE", v->name);
	}
	if (json_is_integer(v->fallback)) {
		buf_addf(&text, "%lld", (long long)json_integer_value(v->fallback));
		return set_value(data, v, buf_str(&text), err);
	}
	if (json_is_boolean(v->fallback))
		return set_value(data, v, json_is_true(v->fallback) ? "true" : "false", err);
	if (!json_is_string(v->fallback)) {
		err_set(err, ERR_INPUT, "%s: the default of %s is no text, whole number or truth",
				source->manifest_name, v->name);
		return err_hint(err, "put the value in quotes");
	}
	if (tmpl_render(span_of(json_string_value(v->fallback)), data, &options, &text, err) < 0)
		return -1;
	return set_value(data, v, buf_str(&text), err);
}

static const char *given(const char *name, const char *const *set, size_t set_count)
{
	size_t len = strlen(name);

	/* the last one wins, as on any command line */
	for (size_t i = set_count; i > 0; i--)
		if (strncmp(set[i - 1], name, len) == 0 && set[i - 1][len] == '=')
			return set[i - 1] + len + 1;
	return NULL;
}

/* A name that templates can write: what is built in and what is derived stays as it is. */
static int check_name(const struct template_source *source, const char *name, const json_t *data,
					  struct error *err)
{
	const char *c = name;

	while (islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '_')
		c++;
	if (*c || !islower((unsigned char)*name))
		return err_set(err, ERR_INPUT, "%s: '%s' cannot be a variable's name",
					   source->manifest_name, name);
	if (json_object_get(data, name))
		return err_set(err, ERR_INPUT, "%s: the variable %s is there already",
					   source->manifest_name, name);
	return 0;
}

static int read_variable(const struct template_source *source, size_t i, struct variable *v,
						 struct error *err)
{
	struct doc_context where = {.name = source->manifest_name,
								.path = "variables",
								.strict = true,
								.marks = source->yaml.marks};

	*v = (struct variable){.min = 0, .max = INT64_C(1) << 53};
	if (doc_read(json_array_get(source->variables, i), variable_fields, &where, v, err) < 0)
		return -1;
	if (strcmp(v->type, "string") != 0 && strcmp(v->type, "int") != 0 &&
		strcmp(v->type, "bool") != 0)
		return err_set(err, ERR_INPUT, "%s: variable %s has the unknown type '%s'",
					   source->manifest_name, v->name, v->type);
	return 0;
}

static int check_given(const struct template_source *source, const char *const *set,
					   size_t set_count, struct error *err)
{
	AUTO(strv) struct strv names = {0};

	for (size_t i = 0; i < json_array_size(source->variables); i++)
		strv_add(&names, doc_text(json_array_get(source->variables, i), "name", ""));
	for (size_t i = 0; i < set_count; i++) {
		size_t len = strcspn(set[i], "=");
		AUTO_FREE char *name = xstrndup(set[i], len);
		const char *near;

		if (set[i][len] == '\0') {
			err_set(err, ERR_USAGE, "--set %s has no value", set[i]);
			return err_hint(err, "write --set NAME=VALUE");
		}
		if (strv_has(&names, name))
			continue;
		near = names.count ? text_nearest(name, (const char *const *)(void *)names.items) : NULL;
		err_set(err, ERR_USAGE, "template %s has no variable '%s'", source->name, name);
		return near ? err_hint(err, "did you mean '%s'?", near)
					: err_hint(err, "run 'msctl template show %s' for its variables", source->name);
	}
	return 0;
}

int template_variables(const struct template_source *source, const char *name,
					   const char *const *set, size_t set_count, json_t **out, struct error *err)
{
	AUTO_JSON json_t *data = json_object();

	if (check_given(source, set, set_count, err) < 0)
		return -1;
	json_object_set_new(data, "name", json_string(name));
	derive(data, "name", name);
	for (size_t i = 0; i < json_array_size(source->variables); i++) {
		struct variable v;
		const char *value;

		if (read_variable(source, i, &v, err) < 0 || check_name(source, v.name, data, err) < 0)
			return -1;
		value = given(v.name, set, set_count);
		if (!value && set_default(data, &v, source, err) < 0)
			return -1;
		if (value && set_value(data, &v, value, err) < 0) {
			err->code = ERR_USAGE; /* the value came from the command line */
			return -1;
		}
	}
	*out = json_incref(data);
	return 0;
}
