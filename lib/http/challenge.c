#include "http/challenge.h"

#include "base/auto.h"
#include "base/buf.h"
#include "base/mem.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

void challenges_release(struct challenges *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->items[i].scheme);
		for (size_t j = 0; j < c->items[i].param_count; j++) {
			free(c->items[i].params[j].name);
			free(c->items[i].params[j].value);
		}
	}
	*c = (struct challenges){0};
}

static bool is_tchar(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token68(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("-._~+/", c));
}

static void skip_space(const char **at)
{
	*at += strspn(*at, " \t");
}

static char *take_token(const char **at)
{
	const char *start = *at;
	char *out;

	while (is_tchar(**at))
		(*at)++;
	out = xstrndup(start, (size_t)(*at - start));
	for (char *c = out; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return out;
}

static int malformed(struct error *err, const char *why)
{
	return err_set(err, ERR_INPUT, "malformed WWW-Authenticate header: %s", why);
}

/* The value behind '=': a token, or a quoted string without its quotes. */
static int take_value(const char **at, struct buf *out, struct error *err)
{
	const char *p = *at;

	if (*p != '"') {
		while (is_tchar(*p) || *p == '/' || *p == ':' || *p == '=')
			p++; /* unquoted URLs and base64 are seen in the wild */
		if (p == *at)
			return malformed(err, "a parameter without value");
		buf_add(out, *at, (size_t)(p - *at));
		*at = p;
		return 0;
	}
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		if (*p == '\0' || ((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			return malformed(err, "a quoted text without end");
		buf_addc(out, *p);
	}
	*at = p + 1;
	return 0;
}

/* Is a parameter ("name = value") here, and neither a scheme nor the base64 that follows one? */
static bool at_param(const char *at)
{
	const char *p = at;

	while (is_tchar(*p))
		p++;
	if (p == at)
		return false;
	p += strspn(p, " \t");
	if (*p != '=')
		return false;
	p++;
	p += strspn(p, " \t");
	return *p && *p != ',' && *p != '=';
}

static int take_param(const char **at, struct challenges *all, struct error *err)
{
	struct challenge *c = all->count ? &all->items[all->count - 1] : NULL;
	AUTO_FREE char *name = NULL;
	AUTO(buf) struct buf value = {0};

	if (!c)
		return malformed(err, "a parameter without scheme");
	if (c->param_count == CHALLENGE_MAX_PARAMS)
		return malformed(err, "too many parameters");
	name = take_token(at);
	skip_space(at);
	(*at)++; /* '=' */
	skip_space(at);
	if (take_value(at, &value, err) < 0)
		return -1;
	c->params[c->param_count].name = TAKE(name);
	c->params[c->param_count].value = buf_take(&value);
	c->param_count++;
	return 0;
}

static int take_scheme(const char **at, struct challenges *all, struct error *err)
{
	if (!is_tchar(**at))
		return malformed(err, "an unexpected character");
	if (all->count == CHALLENGE_MAX)
		return malformed(err, "too many challenges");
	all->items[all->count].scheme = take_token(at);
	all->items[all->count].param_count = 0;
	all->count++;
	if (**at && **at != ' ' && **at != '\t' && **at != ',')
		return malformed(err, "an unexpected character");
	skip_space(at);
	if (!**at || **at == ',')
		return 0;
	if (at_param(*at))
		return take_param(at, all, err);
	while (is_token68(**at)) /* what it says is of no use to any scheme we know */
		(*at)++;
	*at += strspn(*at, "=");
	return 0;
}

static int parse_all(const char *at, struct challenges *all, struct error *err)
{
	for (;;) {
		int rc;

		at += strspn(at, " \t,");
		if (!*at)
			return 0;
		rc = at_param(at) ? take_param(&at, all, err) : take_scheme(&at, all, err);
		if (rc < 0)
			return -1;
		skip_space(&at);
		if (*at && *at != ',')
			return malformed(err, "a missing comma");
	}
}

int challenges_parse(const char *value, struct challenges *out, struct error *err)
{
	AUTO(challenges) struct challenges more = {0};

	if (parse_all(value, &more, err) < 0)
		return -1;
	if (out->count + more.count > CHALLENGE_MAX)
		return malformed(err, "too many challenges");
	memcpy(out->items + out->count, more.items, more.count * sizeof(more.items[0]));
	out->count += more.count;
	more.count = 0;
	return 0;
}

const struct challenge *challenges_find(const struct challenges *c, const char *scheme)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->items[i].scheme, scheme) == 0)
			return &c->items[i];
	return NULL;
}

const char *challenge_param(const struct challenge *c, const char *name)
{
	for (size_t i = 0; i < c->param_count; i++)
		if (strcmp(c->params[i].name, name) == 0)
			return c->params[i].value;
	return NULL;
}
