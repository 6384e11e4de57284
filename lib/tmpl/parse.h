/* parse.h - a template as a list of tokens. Private to lib/tmpl. */
#pragma once

#include "tmpl/tmpl.h"

enum token_type {
	TOKEN_TEXT,
	TOKEN_VARIABLE,
	TOKEN_SECTION,
	TOKEN_INVERTED,
	TOKEN_END, /* of a section */
	TOKEN_PARTIAL,
};

struct token {
	enum token_type type;
	struct span text;        /* the text, or the name without the blanks around it */
	struct span indent;      /* of a partial that stands alone on its line */
	enum tmpl_escape escape; /* of variables */
	bool explicit_raw;       /* of variables: raw was asked for, so lines may come through */
	size_t offset;           /* of the tag in the template */
	size_t end;              /* of sections: index of their TOKEN_END */
};

struct token_list {
	struct token *items;
	size_t count;
	size_t cap;
};

void token_list_release(struct token_list *l);

/* Tokens borrow from text. */
int tmpl_parse(struct span text, const struct tmpl_options *options, struct token_list *out,
			   struct error *err);

/* A template as messages need it. */
struct tmpl_source {
	struct span text;
	const char *name;
};

/* "name:line:column: ..." for an offset. ERR_INPUT. Returns -1. */
int tmpl_fail(struct tmpl_source source, size_t offset, struct error *err, const char *fmt, ...)
	PRINTF(4, 5);

/* The escaper of a name written behind '|'; false if there is none. */
bool tmpl_escape_named(struct span name, enum tmpl_escape *out);

/* Append value so that it stays one value in its place. NULL, or why it cannot be. lines: raw text
 * may have line breaks. */
const char *tmpl_escape_add(enum tmpl_escape escape, const char *value, bool lines,
							struct buf *out);
