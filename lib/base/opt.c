#include "base/opt.h"

#include "base/text.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

struct parser {
	const struct opt_set *sets;
	size_t set_count;
	char **argv;
	size_t at; /* the argument being read */
};

const struct opt *opt_find(const struct opt *opts, const char *name, char short_name)
{
	for (; opts->type != OPT_END; opts++)
		if (name ? strcmp(opts->name, name) == 0 : short_name && opts->short_name == short_name)
			return opts;
	return NULL;
}

static const struct opt *find(const struct parser *p, const char *name, char letter, char **base)
{
	for (size_t i = 0; i < p->set_count; i++) {
		const struct opt *o = opt_find(p->sets[i].opts, name, letter);

		if (o) {
			*base = p->sets[i].values;
			return o;
		}
	}
	return NULL;
}

static int unknown(const struct parser *p, const char *name, struct error *err)
{
	const char *names[256] = {NULL};
	size_t n = 0;
	const char *near;

	for (size_t i = 0; i < p->set_count; i++)
		for (const struct opt *o = p->sets[i].opts; o->type != OPT_END && n < 255; o++)
			names[n++] = o->name;
	near = text_nearest(name, names);
	err_set(err, ERR_USAGE, "unknown option '--%s'", name);
	return near ? err_hint(err, "did you mean '--%s'?", near)
				: err_hint(err, "run the command with --help for its options");
}

static int set_choice(const struct opt *o, const char *value, void *place, struct error *err)
{
	const char *near;

	for (const char *const *c = o->choices; *c; c++)
		if (strcmp(*c, value) == 0) {
			*(const char **)place = value;
			return 0;
		}
	near = text_nearest(value, o->choices);
	err_set(err, ERR_USAGE, "option '--%s' does not take '%s'", o->name, value);
	if (near)
		return err_hint(err, "did you mean '%s'?", near);
	if (!o->argument) /* a flag that may have a value */
		return err_hint(err, "write --%s or --%s=%s", o->name, o->name, o->choices[0]);
	return err_hint(err, "give %s", o->argument);
}

static int set_int(const struct opt *o, const char *value, int *place, struct error *err)
{
	int64_t number;

	if (!text_to_int(value, o->min, o->max, &number)) {
		err_set(err, ERR_USAGE, "option '--%s' does not take '%s'", o->name, value);
		return err_hint(err, "give a number from %d to %d", o->min, o->max);
	}
	*place = (int)number;
	return 0;
}

static int set_list(const struct opt *o, const char *value, struct opt_list *list,
					struct error *err)
{
	if (list->count == OPT_LIST_MAX)
		return err_set(err, ERR_USAGE, "option '--%s' is given more than %d times", o->name,
					   OPT_LIST_MAX);
	list->items[list->count++] = value;
	return 0;
}

static int set_value(const struct opt *o, char *base, const char *value, struct error *err)
{
	void *place = base + o->offset;

	switch (o->type) {
	case OPT_TYPE_STRING:
		*(const char **)place = value;
		return 0;
	case OPT_TYPE_INT:
		return set_int(o, value, place, err);
	case OPT_TYPE_MS:
		if (text_parse_duration(value, place, err) < 0) {
			err->code = ERR_USAGE;
			return err_wrap(err, "option '--%s'", o->name);
		}
		return 0;
	case OPT_TYPE_LIST:
		return set_list(o, value, place, err);
	case OPT_TYPE_CHOICE:
		return set_choice(o, value, place, err);
	case OPT_TYPE_FLAG:
		*(bool *)place = true;
		return 0;
	case OPT_TYPE_COUNT:
		++*(int *)place;
		return 0;
	case OPT_END:
		break;
	}
	return 0;
}

static bool takes_value(const struct opt *o)
{
	return o->type != OPT_TYPE_FLAG && o->type != OPT_TYPE_COUNT;
}

/* The value behind an option: attached, or the next argument. */
static int take_value(struct parser *p, const struct opt *o, char *base, const char *attached,
					  struct error *err)
{
	if (!takes_value(o)) {
		const char *word = NULL;

		if (attached && !o->choices)
			return err_set(err, ERR_USAGE, "option '--%s' takes no value", o->name);
		if (attached && set_choice(o, attached, &word, err) < 0)
			return -1;
		return set_value(o, base, "", err);
	}
	if (!attached) {
		attached = p->argv[p->at + 1];
		if (!attached) {
			err_set(err, ERR_USAGE, "option '--%s' needs a value", o->name);
			return err_hint(err, "write --%s %s", o->name, o->argument);
		}
		p->at++;
	}
	return set_value(o, base, attached, err);
}

static int parse_long(struct parser *p, const char *text, struct error *err)
{
	char name[64];
	size_t len = strcspn(text, "=");
	const struct opt *o;
	char *base = NULL;

	if (len >= sizeof(name))
		return err_set(err, ERR_USAGE, "unknown option '--%s'", text);
	memcpy(name, text, len);
	name[len] = '\0';
	o = find(p, name, 0, &base);
	if (!o)
		return unknown(p, name, err);
	return take_value(p, o, base, text[len] == '=' ? text + len + 1 : NULL, err);
}

static int parse_short(struct parser *p, const char *letters, struct error *err)
{
	for (; *letters; letters++) {
		char *base = NULL;
		const struct opt *o = find(p, NULL, *letters, &base);

		if (!o) {
			err_set(err, ERR_USAGE, "unknown option '-%c'", *letters);
			return err_hint(err, "run the command with --help for its options");
		}
		if (takes_value(o))
			return take_value(p, o, base, letters[1] ? letters + 1 : NULL, err);
		set_value(o, base, "", err);
	}
	return 0;
}

int opt_parse(const struct opt_set *sets, size_t count, char **argv, bool stop_at_operand,
			  struct error *err)
{
	struct parser p = {sets, count, argv, 1};
	int operands = 0;
	bool only_operands = false;

	if (!argv[0])
		return 0;
	for (; argv[p.at]; p.at++) {
		char *arg = argv[p.at];

		if (only_operands || arg[0] != '-' || arg[1] == '\0') {
			argv[operands++] = arg;
			only_operands = only_operands || stop_at_operand;
		} else if (strcmp(arg, "--") == 0) {
			only_operands = true;
		} else if (arg[1] == '-') {
			if (parse_long(&p, arg + 2, err) < 0)
				return -1;
		} else if (parse_short(&p, arg + 1, err) < 0) {
			return -1;
		}
	}
	argv[operands] = NULL;
	return operands;
}
