/* SPDX licence expressions (SPDX 2.3, annex D). The list of names grows with every version of SPDX,
 * so a name is taken for one by its form; those that Debian writes differently are told apart. */
#include "base/auto.h"
#include "base/text.h"
#include "supply/license.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_WORD 128
#define MAX_DEPTH 32
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."

struct reader {
	const char *rest;
	char word[MAX_WORD]; /* the one that is looked at; "" at the end */
	unsigned depth;
	struct error *err;
};

/* Parentheses are words of their own. */
static int next(struct reader *r)
{
	size_t len;

	r->rest += strspn(r->rest, " \t");
	len = *r->rest == '(' || *r->rest == ')' ? 1 : strcspn(r->rest, " \t()");
	if (len >= sizeof(r->word))
		return err_set(r->err, ERR_INPUT, "a name of it is longer than %d bytes", MAX_WORD - 1);
	snprintf(r->word, sizeof(r->word), "%.*s", (int)len, r->rest);
	r->rest += len;
	return 0;
}

static bool is(const struct reader *r, const char *word)
{
	return strcmp(r->word, word) == 0;
}

static bool is_operator(const struct reader *r)
{
	return is(r, "AND") || is(r, "OR") || is(r, "WITH");
}

/* "GPL-2+" and "Expat" are Debian's; "GPL-2.0+" is an older name of SPDX and stays one. */
static int check_words(const struct reader *r)
{
	AUTO(buf) struct buf spdx = {0};
	size_t len = strcspn(r->word, "+");

	if (!license_to_spdx(span_of(r->word), &spdx) || strcasecmp(buf_str(&spdx), r->word) == 0)
		return 0;
	if (memchr(r->word, '.', len) && strncmp(buf_str(&spdx), r->word, len) == 0 &&
		spdx.data[len] == '-')
		return 0;
	err_set(r->err, ERR_INPUT, "'%s' is no SPDX name", r->word);
	return err_hint(r->err, "write %s", buf_str(&spdx));
}

/* "MIT", "GPL-2.0+", "LicenseRef-x", "DocumentRef-y:LicenseRef-x" */
static bool has_form(const char *word)
{
	size_t len = strspn(word, NAME_CHARS);

	if (word[len] == ':' && text_starts(word, "DocumentRef-") &&
		text_starts(word + len + 1, "LicenseRef-")) {
		word += len + 1;
		len = strspn(word, NAME_CHARS);
	}
	return len > 0 && (word[len] == '\0' || strcmp(word + len, "+") == 0);
}

static int read_name(struct reader *r)
{
	if (r->word[0] == '\0')
		return err_set(r->err, ERR_INPUT, "a name is missing at its end");
	if (is_operator(r) || is(r, ")"))
		return err_set(r->err, ERR_INPUT, "a name is missing before %s", r->word);
	if (!has_form(r->word))
		return err_set(r->err, ERR_INPUT, "'%s' is no SPDX name", r->word);
	if (check_words(r) < 0)
		return -1;
	return next(r);
}

static int read_expression(struct reader *r);

static int read_term(struct reader *r)
{
	if (!is(r, "(")) {
		if (read_name(r) < 0)
			return -1;
		return !is(r, "WITH") ? 0 : next(r) < 0 ? -1 : read_name(r);
	}
	if (++r->depth > MAX_DEPTH)
		return err_set(r->err, ERR_INPUT, "it is nested deeper than %d", MAX_DEPTH);
	if (next(r) < 0 || read_expression(r) < 0)
		return -1;
	if (!is(r, ")"))
		return err_set(r->err, ERR_INPUT, "a ) is missing");
	r->depth--;
	return next(r);
}

/* Which operator binds closer makes no difference to whether it is one. */
static int read_expression(struct reader *r)
{
	if (read_term(r) < 0)
		return -1;
	while (is(r, "AND") || is(r, "OR"))
		if (next(r) < 0 || read_term(r) < 0)
			return -1;
	return 0;
}

int license_check(const char *expression, struct error *err)
{
	struct reader r = {.rest = expression, .err = err};
	int rc = next(&r) < 0 ? -1 : read_expression(&r);

	if (rc == 0 && r.word[0] != '\0')
		rc = err_set(err, ERR_INPUT, "there is no AND, OR or WITH before '%s'", r.word);
	if (rc == 0)
		return 0;
	err_wrap(err, "'%s' is no SPDX licence expression", expression);
	if (!err->hint[0])
		err_hint(err, "write it like MIT, or Apache-2.0 OR MIT, or GPL-2.0-or-later");
	return -1;
}
