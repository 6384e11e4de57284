#include "base/auto.h"
#include "base/utf8.h"
#include "doc/yaml.h"
#include "doc/yaml_resolve.h"

#include <ctype.h>
#include <string.h>

/* libyaml refuses a simple key of more than 1024 bytes; longer ones take the "? key" form. */
#define SIMPLE_KEY_MAX 1000

static void indent(struct buf *out, size_t level)
{
	for (size_t i = 0; i < level; i++)
		buf_adds(out, "  ");
}

/* Words that some version of YAML, or a reader that ignores case, takes for a truth, a null, a
 * number, a merge or a default value. */
static bool is_word(const char *text)
{
	static const char *const words[] = {"y",    "n",     "yes",  "no",  "on", "off",
										"true", "false", "null", "nan", "inf"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	return false;
}

/* Text that starts like a number stays bare only if a letter shows that no reader takes it for a
 * number or a date ("10Gi", "500m"): hexadecimal digits, exponents, base marks and the T and Z of
 * dates do not. */
static bool looks_numeric(const char *text)
{
	if (!isdigit((unsigned char)*text))
		return false;
	for (; *text; text++)
		if (isalpha((unsigned char)*text) && !strchr("abcdefoxtzABCDEFOXTZ_", *text))
			return false;
	return true;
}

static bool is_plain(const char *text, size_t len)
{
	static const char more[] = "-._/@";

	if (!isalnum((unsigned char)*text) && *text != '/' && *text != '_')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		char next = text[i + 1];

		if (isalnum((unsigned char)c) || strchr(more, c))
			continue;
		/* a colon or space inside, where it cannot end a key or begin a comment */
		if (c == ':' && next && (isalnum((unsigned char)next) || next == '/'))
			continue;
		if (c == ' ' && isalnum((unsigned char)next))
			continue;
		return false;
	}
	return !is_word(text) && !looks_numeric(text);
}

/* Characters that YAML counts as line breaks, or that it does not allow bare. */
static bool must_escape(const char *c, size_t n)
{
	unsigned char a = (unsigned char)c[0];

	if (n == 1)
		return a < 0x20 || a == 0x7f;
	if (n == 2)
		return a == 0xc2 && (unsigned char)c[1] < 0xa0;
	return n == 3 && (memcmp(c, "\xe2\x80\xa8", 3) == 0 || memcmp(c, "\xe2\x80\xa9", 3) == 0 ||
					  memcmp(c, "\xef\xbb\xbf", 3) == 0 || memcmp(c, "\xef\xbf\xbe", 3) == 0 ||
					  memcmp(c, "\xef\xbf\xbf", 3) == 0);
}

static unsigned code_point(const char *c, size_t n)
{
	const unsigned char *u = (const unsigned char *)c;

	if (n == 1)
		return u[0];
	if (n == 2)
		return (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu);
	return (u[0] & 0x0fu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
}

static void write_quoted(const char *text, size_t len, struct buf *out)
{
	buf_addc(out, '"');
	for (size_t i = 0, n; i < len; i += n) {
		const char *c = text + i;

		n = utf8_sequence(c, len - i);
		if (n == 0)
			break; /* json_t holds valid UTF-8 only */
		if (*c == '"' || *c == '\\')
			buf_addc(out, '\\');
		if (*c == '\n')
			buf_adds(out, "\\n");
		else if (*c == '\t')
			buf_adds(out, "\\t");
		else if (must_escape(c, n))
			buf_addf(out, "\\u%04x", code_point(c, n));
		else
			buf_add(out, c, n);
	}
	buf_addc(out, '"');
}

/* Text of several lines that a literal block can carry without loss. */
static bool fits_block(const char *text, size_t len)
{
	if (!memchr(text, '\n', len) || isspace((unsigned char)*text))
		return false;
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_sequence(text + i, len - i);
		if (n == 0 || (must_escape(text + i, n) && text[i] != '\n' && text[i] != '\t'))
			return false;
		/* a line of nothing but spaces is cut by some readers */
		if (text[i] == '\n' && (text[i + 1] == ' ' || text[i + 1] == '\t') &&
			(text + i + 1)[strspn(text + i + 1, " \t")] == '\n')
			return false;
	}
	return !isblank((unsigned char)text[len - 1]);
}

static void write_block(const char *text, size_t len, size_t level, struct buf *out)
{
	size_t newlines = 0;

	while (newlines < len && text[len - 1 - newlines] == '\n')
		newlines++;
	buf_adds(out, newlines == 0 ? "|-" : newlines == 1 ? "|" : "|+");
	for (const char *end = text + len; text < end;) {
		size_t line = strcspn(text, "\n");

		buf_addc(out, '\n');
		if (line)
			indent(out, level);
		buf_add(out, text, line);
		text += line;
		if (*text == '\n' && text + 1 < end)
			text++;
		else
			break;
	}
}

static void write_text(const char *text, size_t len, size_t level, struct buf *out)
{
	if (is_plain(text, len))
		buf_add(out, text, len);
	else if (level && fits_block(text, len))
		write_block(text, len, level, out);
	else
		write_quoted(text, len, out);
}

/* With a point: YAML 1.1 wants one before an exponent, and a whole real shall stay a real. */
static void write_real(double value, struct buf *out)
{
	char digits[32];
	size_t mantissa = strcspn(doc_real_text(value, digits), "e");

	buf_add(out, digits, mantissa);
	if (!memchr(digits, '.', mantissa))
		buf_adds(out, ".0");
	buf_adds(out, digits + mantissa);
}

static void write_scalar(const json_t *value, size_t level, struct buf *out)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		write_text(json_string_value(value), json_string_length(value), level, out);
		break;
	case JSON_INTEGER:
		buf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		write_real(json_real_value(value), out);
		break;
	case JSON_TRUE:
		buf_adds(out, "true");
		break;
	case JSON_FALSE:
		buf_adds(out, "false");
		break;
	default:
		buf_adds(out, "null");
	}
}

static void write_node(const json_t *node, size_t level, bool same_line, struct buf *out);

static bool is_nested(const json_t *value)
{
	return (json_is_object(value) && json_object_size(value)) ||
		   (json_is_array(value) && json_array_size(value));
}

/* What stands behind "key:" or "-". */
static void write_value(const json_t *value, size_t level, struct buf *out)
{
	if (json_is_object(value) && !json_object_size(value))
		buf_adds(out, " {}\n");
	else if (json_is_array(value) && !json_array_size(value))
		buf_adds(out, " []\n");
	else {
		buf_addc(out, ' ');
		write_scalar(value, level, out);
		buf_addc(out, '\n');
	}
}

static void write_key(const char *key, size_t level, struct buf *out)
{
	AUTO(buf) struct buf text = {0};

	write_text(key, strlen(key), 0, &text);
	if (text.len > SIMPLE_KEY_MAX) {
		buf_addf(out, "? %s\n", buf_str(&text));
		indent(out, level);
	} else {
		buf_add(out, buf_str(&text), text.len);
	}
	buf_addc(out, ':');
}

static void write_object(const json_t *object, size_t level, bool same_line, struct buf *out)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		if (!same_line)
			indent(out, level);
		same_line = false;
		write_key(key, level, out);
		if (is_nested(value)) {
			buf_addc(out, '\n');
			/* as kubectl writes it: dashes below the key, not further in */
			write_node(value, json_is_array(value) ? level : level + 1, false, out);
		} else {
			write_value(value, level + 1, out);
		}
	}
}

static void write_array(const json_t *array, size_t level, bool same_line, struct buf *out)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
	{
		if (!same_line)
			indent(out, level);
		same_line = false;
		buf_addc(out, '-');
		if (is_nested(item)) {
			buf_addc(out, ' ');
			write_node(item, level + 1, true, out);
		} else {
			write_value(item, level + 1, out);
		}
	}
}

/* same_line: the first member continues a line that is already indented ("- "). */
static void write_node(const json_t *node, size_t level, bool same_line, struct buf *out)
{
	if (json_is_object(node))
		write_object(node, level, same_line, out);
	else
		write_array(node, level, same_line, out);
}

void yaml_write(const json_t *doc, struct buf *out)
{
	AUTO(buf) struct buf scalar = {0};

	if (is_nested(doc)) {
		write_node(doc, 0, false, out);
		return;
	}
	write_value(doc, 0, &scalar);
	buf_adds(out, buf_str(&scalar) + 1);
}
