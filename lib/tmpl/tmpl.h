/* tmpl.h - strict Mustache (the official specification's required modules: comments, delimiters,
 * interpolation, inverted, partials, sections).
 *
 * Differences, on purpose: delimiters start as <% %>; an unknown variable is an error with
 * file:line:column; `<% x %>` is escaped for the type of the target file, `<%& x %>` is raw, `<% x
 * | yaml %>` names an escaper (c, json, yaml, sh, make, md, html, comment, raw). A value is never
 * rendered again. What an escaper cannot carry is refused; raw refuses control bytes, except line
 * breaks and tabs where raw was asked for. In Markdown's code spans ask for raw: backslashes stay
 * visible there. false, null, empty text and empty lists make a section disappear. Always ends:
 * TMPL_MAX_DEPTH, TMPL_MAX_OUTPUT. */
#pragma once

#include "doc/json.h"

#define TMPL_MAX_DEPTH 32
#define TMPL_MAX_INPUT (5u << 20)
#define TMPL_MAX_OUTPUT (16u << 20)
#define TMPL_MAX_STEPS 5000000 /* tokens rendered, so that empty loops end as well */

enum tmpl_escape {
	TMPL_ESCAPE_RAW,
	TMPL_ESCAPE_HTML,
	TMPL_ESCAPE_C,    /* inside a "string literal" */
	TMPL_ESCAPE_JSON, /* inside "double quotes" */
	TMPL_ESCAPE_YAML, /* inside "double quotes" */
	TMPL_ESCAPE_SH,   /* inside 'single quotes' */
	TMPL_ESCAPE_MAKE, /* a word of a recipe or assignment; what cannot be escaped is refused */
	TMPL_ESCAPE_MARKDOWN,
	TMPL_ESCAPE_COMMENT, /* one line without comment ends and control bytes */
};

/* The escaper for a file name ("web.yaml", "Makefile", "main.c"). Unknown types: TMPL_ESCAPE_RAW
 * refuses control bytes. */
enum tmpl_escape tmpl_escape_for(const char *file_name);

struct tmpl_options {
	const char *name; /* of the template, starts messages */
	enum tmpl_escape escape;
	bool lenient;             /* unknown variables are empty (the specification's behaviour) */
	const char *open, *close; /* NULL: <% and %> */
	/* The text of a partial, or NULL when there is none (an error unless lenient). */
	const char *(*partial)(void *user, const char *name);
	void *user;
};

/* Render text with data (an object) into *out. ERR_INPUT. */
int tmpl_render(struct span text, const json_t *data, const struct tmpl_options *options,
				struct buf *out, struct error *err);
