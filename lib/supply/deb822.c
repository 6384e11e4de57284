#include "supply/deb822.h"

#include <strings.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span deb822_trim(struct span text)
{
	while (text.len > 0 && is_blank(text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len > 0 && is_blank(text.data[text.len - 1]))
		text.len--;
	return text;
}

/* Cut a line from the front of *rest, its end left out. */
static bool next_line(struct span *rest, struct span *line)
{
	const char *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->data, '\n', rest->len);
	line->data = rest->data;
	line->len = end ? (size_t)(end - rest->data) : rest->len;
	rest->data += line->len + (end != NULL);
	rest->len -= line->len + (end != NULL);
	return true;
}

bool deb822_next(struct span *rest, struct span *paragraph)
{
	struct span line = {0};
	const char *start = NULL;
	const char *end = NULL;

	while (next_line(rest, &line)) {
		if (deb822_trim(line).len == 0) {
			if (start)
				break;
			continue;
		}
		if (!start)
			start = line.data;
		end = line.data + line.len;
	}
	if (!start)
		return false;
	*paragraph = (struct span){start, (size_t)(end - start)};
	return true;
}

static bool is_continuation(struct span line)
{
	return line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t');
}

struct span deb822_get(struct span paragraph, const char *name)
{
	size_t len = strlen(name);
	struct span rest = paragraph;
	struct span line = {0};

	while (next_line(&rest, &line)) {
		const char *end = line.data + line.len;
		struct span more = rest;

		if (line.len <= len || line.data[len] != ':' || strncasecmp(line.data, name, len) != 0)
			continue;
		for (struct span next = {0}; next_line(&more, &next) && is_continuation(next);)
			end = next.data + next.len;
		line.data += len + 1;
		return deb822_trim((struct span){line.data, (size_t)(end - line.data)});
	}
	return (struct span){0};
}

struct span deb822_first_line(struct span value)
{
	struct span line = {0};

	next_line(&value, &line);
	return deb822_trim(line);
}
