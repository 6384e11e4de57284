#include "tmpl/parse.h"

#include "base/auto.h"
#include "base/list.h"
#include "base/mem.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

struct parser {
	struct span text;
	const struct tmpl_options *options;
	struct token_list *out;
	char *open, *close;              /* delimiters in force */
	size_t at;                       /* what is parsed */
	size_t sections[TMPL_MAX_DEPTH]; /* indexes of open sections */
	size_t depth;
};

/* One tag as it stands in the text. */
struct tag {
	char sigil; /* '#', '^', '/', '>', '!', '=', '&', '{' or 0 */
	struct span content;
	size_t start, end; /* offsets, delimiters included */
};

void token_list_release(struct token_list *l)
{
	list_release(l);
}

int tmpl_fail(struct tmpl_source source, size_t offset, struct error *err, const char *fmt, ...)
{
	struct span text = source.text;
	AUTO_FREE char *what = NULL;
	unsigned line = 1;
	unsigned column = 1;
	va_list ap;

	for (size_t i = 0; i < offset && i < text.len; i++) {
		line += text.data[i] == '\n';
		column = text.data[i] == '\n' ? 1 : column + 1;
	}
	va_start(ap, fmt);
	what = xvasprintf(fmt, ap);
	va_end(ap);
	return err_set(err, ERR_INPUT, "%s:%u:%u: %s", source.name, line, column, what);
}

#define FAIL(p, offset, err, ...) \
	tmpl_fail((struct tmpl_source){(p)->text, (p)->options->name}, offset, err, __VA_ARGS__)

static struct span slice(struct span text, size_t from, size_t to)
{
	return (struct span){text.data + from, to - from};
}

static struct span trim(struct span s)
{
	while (s.len && isspace((unsigned char)s.data[0]))
		s = slice(s, 1, s.len);
	while (s.len && isspace((unsigned char)s.data[s.len - 1]))
		s.len--;
	return s;
}

/* Offset of needle at or behind from, or SIZE_MAX. */
static size_t find(struct span text, size_t from, const char *needle)
{
	const char *at =
		from <= text.len ? memmem(text.data + from, text.len - from, needle, strlen(needle)) : NULL;

	return at ? (size_t)(at - text.data) : SIZE_MAX;
}

static int read_tag(const struct parser *p, size_t start, struct tag *tag, struct error *err)
{
	AUTO_FREE char *close = NULL;
	size_t from = start + strlen(p->open);
	size_t end;

	tag->start = start;
	tag->sigil = 0;
	if (from < p->text.len && strchr("#^/>!=&{", p->text.data[from]))
		tag->sigil = p->text.data[from++];
	close = xasprintf("%s%s", tag->sigil == '{' ? "}" : tag->sigil == '=' ? "=" : "", p->close);
	end = find(p->text, from, close);
	if (end == SIZE_MAX)
		return FAIL(p, start, err, "this tag is not closed by '%s'", close);
	tag->content = trim(slice(p->text, from, end));
	tag->end = end + strlen(close);
	return 0;
}

/* Where the line of a tag that stands alone on it begins; SIZE_MAX when something else is there.
 * *next: behind its newline. */
static size_t standalone(struct span text, const struct tag *tag, size_t *next)
{
	size_t begin = tag->start;
	size_t end = tag->end;

	while (begin > 0 && (text.data[begin - 1] == ' ' || text.data[begin - 1] == '\t'))
		begin--;
	if (begin > 0 && text.data[begin - 1] != '\n')
		return SIZE_MAX;
	while (end < text.len && (text.data[end] == ' ' || text.data[end] == '\t'))
		end++;
	if (end < text.len && text.data[end] == '\r')
		end++;
	if (end < text.len && text.data[end] != '\n')
		return SIZE_MAX;
	*next = end < text.len ? end + 1 : end;
	return begin;
}

static void add_text(struct parser *p, size_t from, size_t to)
{
	if (to > from)
		list_push(p->out, ((struct token){.type = TOKEN_TEXT, .text = slice(p->text, from, to)}));
}

static int check_name(const struct parser *p, const struct tag *tag, struct span name,
					  struct error *err)
{
	if (name.len == 0)
		return FAIL(p, tag->start, err, "a tag without a name");
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.data[i];

		if (isspace(c) || (!p->options->lenient && !isalnum(c) && !strchr("_.-/", c)))
			return FAIL(p, tag->start, err, "'%.*s' is not a name", (int)name.len, name.data);
	}
	return 0;
}

static int add_variable(struct parser *p, const struct tag *tag, struct error *err)
{
	struct token t = {TOKEN_VARIABLE, tag->content, {NULL, 0}, p->options->escape,
					  false,          tag->start,   0};
	size_t bar = find(tag->content, 0, "|");

	if (tag->sigil) {
		t.escape = TMPL_ESCAPE_RAW;
		t.explicit_raw = true;
	} else if (bar != SIZE_MAX) {
		struct span name = trim(slice(tag->content, bar + 1, tag->content.len));

		t.text = trim(slice(tag->content, 0, bar));
		if (!tmpl_escape_named(name, &t.escape)) {
			FAIL(p, tag->start, err, "no escaper named '%.*s'", (int)name.len, name.data);
			return err_hint(err, "there are c, json, yaml, sh, make, md, html, comment, raw");
		}
		t.explicit_raw = t.escape == TMPL_ESCAPE_RAW;
	}
	if (check_name(p, tag, t.text, err) < 0)
		return -1;
	list_push(p->out, t);
	return 0;
}

static int open_section(struct parser *p, const struct tag *tag, struct error *err)
{
	if (check_name(p, tag, tag->content, err) < 0)
		return -1;
	if (p->depth == TMPL_MAX_DEPTH)
		return FAIL(p, tag->start, err, "sections nested deeper than %d levels", TMPL_MAX_DEPTH);
	p->sections[p->depth++] = p->out->count;
	list_push(p->out, ((struct token){.type = tag->sigil == '#' ? TOKEN_SECTION : TOKEN_INVERTED,
									  .text = tag->content,
									  .offset = tag->start}));
	return 0;
}

static int close_section(struct parser *p, const struct tag *tag, struct error *err)
{
	struct token *section;

	if (p->depth == 0)
		return FAIL(p, tag->start, err, "'%.*s' is closed but was not opened",
					(int)tag->content.len, tag->content.data);
	section = &p->out->items[p->sections[--p->depth]];
	if (section->text.len != tag->content.len ||
		memcmp(section->text.data, tag->content.data, tag->content.len) != 0)
		return FAIL(p, tag->start, err, "'%.*s' is closed where '%.*s' is open",
					(int)tag->content.len, tag->content.data, (int)section->text.len,
					section->text.data);
	section->end = p->out->count;
	list_push(p->out, ((struct token){.type = TOKEN_END, .offset = tag->start}));
	return 0;
}

/* The content of <%= open close =%>. */
static int set_delimiters(struct parser *p, const struct tag *tag, struct error *err)
{
	const char *data = tag->content.data;
	size_t len = tag->content.len;
	size_t n = 0;
	struct span close;

	while (n < len && !isspace((unsigned char)data[n]))
		n++;
	close = trim(slice(tag->content, n, len));
	if (n == 0 || close.len == 0 || memchr(data, '=', len) || memchr(data, '\0', len))
		return FAIL(p, tag->start, err, "two delimiters are expected here");
	for (size_t i = 0; i < close.len; i++)
		if (isspace((unsigned char)close.data[i]))
			return FAIL(p, tag->start, err, "two delimiters are expected here");
	free(p->open);
	p->open = xstrndup(data, n);
	free(p->close);
	p->close = xstrndup(close.data, close.len);
	return 0;
}

static int add_partial(struct parser *p, const struct tag *tag, struct span indent,
					   struct error *err)
{
	if (check_name(p, tag, tag->content, err) < 0)
		return -1;
	list_push(
		p->out,
		((struct token){
			.type = TOKEN_PARTIAL, .text = tag->content, .indent = indent, .offset = tag->start}));
	return 0;
}

static int add_tag(struct parser *p, const struct tag *tag, struct span indent, struct error *err)
{
	switch (tag->sigil) {
	case '#':
	case '^':
		return open_section(p, tag, err);
	case '/':
		return close_section(p, tag, err);
	case '>':
		return add_partial(p, tag, indent, err);
	case '=':
		return set_delimiters(p, tag, err);
	case '!':
		return 0;
	default:
		return add_variable(p, tag, err);
	}
}

static int parse_all(struct parser *p, struct error *err)
{
	for (;;) {
		size_t start = find(p->text, p->at, p->open);
		size_t begin = start;
		size_t next = 0;
		struct tag tag = {.content = {"", 0}};

		if (start == SIZE_MAX)
			break;
		if (read_tag(p, start, &tag, err) < 0)
			return -1;
		if (tag.sigil && tag.sigil != '&' && tag.sigil != '{')
			begin = standalone(p->text, &tag, &next);
		else
			begin = SIZE_MAX;
		add_text(p, p->at, begin == SIZE_MAX ? start : begin);
		if (add_tag(p, &tag,
					begin == SIZE_MAX ? (struct span){"", 0} : slice(p->text, begin, start),
					err) < 0)
			return -1;
		p->at = begin == SIZE_MAX ? tag.end : next;
	}
	add_text(p, p->at, p->text.len);
	if (p->depth) {
		const struct token *t = &p->out->items[p->sections[p->depth - 1]];

		return FAIL(p, t->offset, err, "'%.*s' is not closed", (int)t->text.len, t->text.data);
	}
	return 0;
}

int tmpl_parse(struct span text, const struct tmpl_options *options, struct token_list *out,
			   struct error *err)
{
	struct parser p = {.text = text, .options = options, .out = out};
	int rc;

	p.open = xstrdup(options->open ? options->open : "<%");
	p.close = xstrdup(options->close ? options->close : "%>");
	rc = parse_all(&p, err);
	free(p.open);
	free(p.close);
	return rc;
}
