#include "chassis/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void out_of_memory(void)
{
	static const char line[] = "{\"level\":\"error\",\"msg\":\"out of memory\"}\n";

	if (write(STDOUT_FILENO, line, sizeof(line) - 1) < 0)
		_exit(70);
	abort();
}

void *must_alloc(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		out_of_memory();
	return memory;
}

char *must_copy(const char *string)
{
	char *copy = strdup(string);

	if (!copy)
		out_of_memory();
	return copy;
}

static void make_room(struct text *text, size_t more)
{
	size_t room = text->room ? text->room : 64;
	char *data;

	if (more > SIZE_MAX / 4 || text->size > SIZE_MAX / 4)
		out_of_memory();
	while (room < text->size + more + 1)
		room *= 2;
	if (room == text->room)
		return;
	data = realloc(text->data, room);
	if (!data)
		out_of_memory();
	text->data = data;
	text->room = room;
}

void text_add(struct text *text, const void *bytes, size_t size)
{
	make_room(text, size);
	if (size > 0)
		memcpy(text->data + text->size, bytes, size);
	text->size += size;
	text->data[text->size] = '\0';
}

void text_addf(struct text *text, const char *format, ...)
{
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (size <= 0)
		return;
	make_room(text, (size_t)size);
	va_start(args, format);
	vsnprintf(text->data + text->size, (size_t)size + 1, format, args);
	va_end(args);
	text->size += (size_t)size;
}

/* Length of the well-formed UTF-8 sequence at `s` (RFC 3629, section 4), or 0. */
static size_t utf8_length(const unsigned char *s)
{
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		return (s[1] & 0xc0) == 0x80 ? 2 : 0;
	if (s[0] >= 0xe0 && s[0] <= 0xef) {
		unsigned char low = s[0] == 0xe0 ? 0xa0 : 0x80;
		unsigned char high = s[0] == 0xed ? 0x9f : 0xbf;

		return s[1] >= low && s[1] <= high && (s[2] & 0xc0) == 0x80 ? 3 : 0;
	}
	if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		unsigned char low = s[0] == 0xf0 ? 0x90 : 0x80;
		unsigned char high = s[0] == 0xf4 ? 0x8f : 0xbf;

		return s[1] >= low && s[1] <= high && (s[2] & 0xc0) == 0x80 && (s[3] & 0xc0) == 0x80 ? 4
																							 : 0;
	}
	return 0;
}

void text_add_json(struct text *text, const char *string)
{
	const unsigned char *s = (const unsigned char *)string;

	text_add(text, "\"", 1);
	while (*s) {
		size_t length = utf8_length(s);

		if (*s == '"' || *s == '\\')
			text_addf(text, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			text_addf(text, "\\u%04x", *s);
		else if (length == 0)
			text_add(text, "\xef\xbf\xbd", 3);
		else
			text_add(text, s, length);
		s += length ? length : 1;
	}
	text_add(text, "\"", 1);
}

const char *text_string(const struct text *text)
{
	return text->data ? text->data : "";
}

void text_release(struct text *text)
{
	free(text->data);
	*text = (struct text){0};
}
