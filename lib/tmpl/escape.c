#include "base/fs.h"
#include "base/text.h"
#include "tmpl/parse.h"

#include <ctype.h>
#include <string.h>

bool tmpl_escape_named(struct span name, enum tmpl_escape *out)
{
	static const struct {
		const char *name;
		enum tmpl_escape escape;
	} rows[] = {
		{"raw", TMPL_ESCAPE_RAW},   {"html", TMPL_ESCAPE_HTML},   {"c", TMPL_ESCAPE_C},
		{"json", TMPL_ESCAPE_JSON}, {"yaml", TMPL_ESCAPE_YAML},   {"sh", TMPL_ESCAPE_SH},
		{"make", TMPL_ESCAPE_MAKE}, {"md", TMPL_ESCAPE_MARKDOWN}, {"comment", TMPL_ESCAPE_COMMENT},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (span_is(name, rows[i].name)) {
			*out = rows[i].escape;
			return true;
		}
	return false;
}

enum tmpl_escape tmpl_escape_for(const char *file_name)
{
	static const struct {
		const char *suffix;
		enum tmpl_escape escape;
	} rows[] = {
		{".c", TMPL_ESCAPE_C},       {".h", TMPL_ESCAPE_C},       {".json", TMPL_ESCAPE_JSON},
		{".toml", TMPL_ESCAPE_JSON}, {".yaml", TMPL_ESCAPE_YAML}, {".yml", TMPL_ESCAPE_YAML},
		{".sh", TMPL_ESCAPE_SH},     {".mk", TMPL_ESCAPE_MAKE},   {".md", TMPL_ESCAPE_MARKDOWN},
		{".html", TMPL_ESCAPE_HTML}, {".xml", TMPL_ESCAPE_HTML},  {".svg", TMPL_ESCAPE_HTML},
	};
	const char *base = fs_basename(file_name);

	if (strcmp(base, "Makefile") == 0 || strcmp(base, "GNUmakefile") == 0)
		return TMPL_ESCAPE_MAKE;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (text_ends(base, rows[i].suffix))
			return rows[i].escape;
	return TMPL_ESCAPE_RAW;
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static const char *add_raw(const char *value, bool lines, struct buf *out)
{
	for (const char *c = value; *c; c++)
		if (is_control(*c) && !(lines && (*c == '\n' || *c == '\t')))
			return "has control characters";
	buf_adds(out, value);
	return NULL;
}

static const char *add_html(const char *value, struct buf *out)
{
	for (; *value; value++)
		switch (*value) {
		case '&':
			buf_adds(out, "&amp;");
			break;
		case '<':
			buf_adds(out, "&lt;");
			break;
		case '>':
			buf_adds(out, "&gt;");
			break;
		case '"':
			buf_adds(out, "&quot;");
			break;
		case '\'':
			buf_adds(out, "&#39;");
			break;
		default:
			buf_addc(out, *value);
		}
	return NULL;
}

static const char *add_c(const char *value, struct buf *out)
{
	for (const char *c = value; *c; c++)
		if (*c == '"' || *c == '\\')
			buf_addf(out, "\\%c", *c);
		else if (*c == '?' && c > value && c[-1] == '?')
			buf_adds(out, "\\?"); /* no trigraph */
		else if (*c == '\n')
			buf_adds(out, "\\n");
		else if (is_control(*c))
			buf_addf(out, "\\%03o", (unsigned char)*c);
		else
			buf_addc(out, *c);
	return NULL;
}

/* JSON strings, and YAML's double-quoted ones: the characters that YAML counts as line breaks or
 * does not allow are escaped for both. */
static const char *add_json(const char *value, struct buf *out)
{
	for (const char *c = value; *c; c++)
		if (*c == '"' || *c == '\\')
			buf_addf(out, "\\%c", *c);
		else if (is_control(*c))
			buf_addf(out, "\\u%04x", (unsigned)*c);
		else if (c[0] == '\xc2' && (unsigned char)c[1] < 0xa0)
			buf_addf(out, "\\u%04x", (unsigned char)*++c);
		else if (c[0] == '\xe2' && c[1] == '\x80' && (c[2] == '\xa8' || c[2] == '\xa9')) {
			buf_addf(out, "\\u20%02x", (unsigned char)c[2] - 0x80u);
			c += 2;
		} else if (strncmp(c, "\xef\xbb\xbf", 3) == 0) {
			buf_adds(out, "\\ufeff");
			c += 2;
		} else {
			buf_addc(out, *c);
		}
	return NULL;
}

static const char *add_sh(const char *value, struct buf *out)
{
	for (; *value; value++)
		if (*value == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *value);
	return NULL;
}

/* A word that neither make nor the shell below it reads as anything but itself. */
static const char *add_make(const char *value, struct buf *out)
{
	for (const char *c = value; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_./@+,-:=", *c) && (unsigned char)*c < 0x80)
			return "has characters that cannot be written in a makefile";
	buf_adds(out, value);
	return NULL;
}

static const char *add_markdown(const char *value, struct buf *out)
{
	for (const char *c = value; *c; c++) {
		if (is_control(*c))
			return "has control characters";
		if (strchr("\\`*_[]<>|&", *c) || (c == value && strchr("-+#=~", *c)))
			buf_addc(out, '\\');
		buf_addc(out, *c);
	}
	return NULL;
}

static const char *add_comment(const char *value, struct buf *out)
{
	char last = '\0';

	for (; *value; value++) {
		char c = is_control(*value) ? ' ' : *value;

		/* neither comment ends nor comment starts */
		if ((last == '*' && c == '/') || (last == '/' && c == '*') || (last == '-' && c == '-'))
			buf_addc(out, ' ');
		buf_addc(out, c);
		last = c;
	}
	return last == '\\' ? "ends in a backslash" : NULL;
}

const char *tmpl_escape_add(enum tmpl_escape escape, const char *value, bool lines, struct buf *out)
{
	switch (escape) {
	case TMPL_ESCAPE_HTML:
		return add_html(value, out);
	case TMPL_ESCAPE_C:
		return add_c(value, out);
	case TMPL_ESCAPE_JSON:
	case TMPL_ESCAPE_YAML:
		return add_json(value, out);
	case TMPL_ESCAPE_SH:
		return add_sh(value, out);
	case TMPL_ESCAPE_MAKE:
		return add_make(value, out);
	case TMPL_ESCAPE_MARKDOWN:
		return add_markdown(value, out);
	case TMPL_ESCAPE_COMMENT:
		return add_comment(value, out);
	default:
		return add_raw(value, lines, out);
	}
}
