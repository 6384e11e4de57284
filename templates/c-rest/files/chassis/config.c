#include "chassis/config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *variable, const char *path, struct text *errors)
{
	FILE *file = fopen(path, "re");
	char *value;
	size_t size;

	if (!file) {
		text_addf(errors, "%s: cannot read %s: %s\n", variable, path, strerror(errno));
		return NULL;
	}
	value = must_alloc(1, CONFIG_MAX_VALUE_BYTES + 1);
	size = fread(value, 1, CONFIG_MAX_VALUE_BYTES + 1, file);
	if (ferror(file) || size > CONFIG_MAX_VALUE_BYTES || memchr(value, '\0', size)) {
		text_addf(errors, "%s: %s must be a text file of at most %d bytes\n", variable, path,
			CONFIG_MAX_VALUE_BYTES);
		fclose(file);
		free(value);
		return NULL;
	}
	fclose(file);
	if (size > 0 && value[size - 1] == '\n')
		size--;
	if (size > 0 && value[size - 1] == '\r')
		size--;
	value[size] = '\0';
	return value;
}

/* The text of a setting, to be freed; NULL with *failed when it cannot be had, NULL when unset. */
static char *find_value(const struct config_row *row, struct text *errors, bool *failed)
{
	char file_variable[128];
	const char *value = getenv(row->name);
	const char *path;
	char *found;

	snprintf(file_variable, sizeof(file_variable), "%s_FILE", row->name);
	path = getenv(file_variable);
	if (value && path) {
		text_addf(errors, "%s: set it or %s, not both\n", row->name, file_variable);
		*failed = true;
		return NULL;
	}
	if (path) {
		found = read_file(file_variable, path, errors);
		*failed = !found;
		return found;
	}
	if (value)
		return must_copy(value);
	return row->initial ? must_copy(row->initial) : NULL;
}

static int set_int(
	const struct config_row *row, const char *value, int *member, struct text *errors)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (errno || end == value || *end || number < row->min || number > row->max) {
		text_addf(
			errors, "%s: must be a whole number from %d to %d", row->name, row->min, row->max);
		text_addf(errors, row->secret ? "\n" : ", not '%s'\n", value);
		return -1;
	}
	*member = (int)number;
	return 0;
}

static int set_choice(
	const struct config_row *row, const char *value, int *member, struct text *errors)
{
	size_t length = strlen(value);
	int position = 0;

	for (const char *word = row->choices; *word; position++) {
		size_t size = strcspn(word, " ");

		if (size == length && memcmp(word, value, size) == 0) {
			*member = position;
			return 0;
		}
		word += size + (word[size] == ' ');
	}
	text_addf(errors, "%s: must be one of: %s; not '%s'\n", row->name, row->choices, value);
	return -1;
}

static int set_bool(
	const struct config_row *row, const char *value, bool *member, struct text *errors)
{
	if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0) {
		text_addf(errors, "%s: must be true or false, not '%s'\n", row->name, value);
		return -1;
	}
	*member = value[0] == 't';
	return 0;
}

static int load_row(const struct config_row *row, void *settings, struct text *errors)
{
	void *member = (char *)settings + row->offset;
	bool failed = false;
	char *value = find_value(row, errors, &failed);
	int status = 0;

	if (!value)
		return failed ? -1 : 0;
	switch (row->type) {
	case CONFIG_TEXT:
		free(*(char **)member);
		*(char **)member = value;
		return 0;
	case CONFIG_INT:
		status = set_int(row, value, member, errors);
		break;
	case CONFIG_BOOL:
		status = set_bool(row, value, member, errors);
		break;
	case CONFIG_CHOICE:
		status = set_choice(row, value, member, errors);
		break;
	}
	free(value);
	return status;
}

int config_load(const struct config_row *rows, void *settings, struct text *errors)
{
	int status = 0;

	for (const struct config_row *row = rows; row->name; row++)
		if (load_row(row, settings, errors) < 0)
			status = -1;
	return status;
}

static void print_choice(const struct config_row *row, int position, FILE *out)
{
	const char *word = row->choices;

	for (; position > 0; position--)
		word += strcspn(word, " ") + 1;
	fprintf(out, "%.*s", (int)strcspn(word, " "), word);
}

void config_print(const struct config_row *rows, const void *settings, FILE *out)
{
	for (const struct config_row *row = rows; row->name; row++) {
		const void *member = (const char *)settings + row->offset;

		fprintf(out, "# %s", row->summary);
		if (row->type == CONFIG_INT)
			fprintf(out, " (%d to %d)", row->min, row->max);
		if (row->type == CONFIG_CHOICE)
			fprintf(out, " (%s)", row->choices);
		fprintf(out, "\n%s=", row->name);
		if (row->secret)
			fputs("***", out);
		else if (row->type == CONFIG_TEXT)
			fputs(*(char *const *)member ? *(char *const *)member : "", out);
		else if (row->type == CONFIG_INT)
			fprintf(out, "%d", *(const int *)member);
		else if (row->type == CONFIG_BOOL)
			fputs(*(const bool *)member ? "true" : "false", out);
		else
			print_choice(row, *(const int *)member, out);
		fputc('\n', out);
	}
}

void config_release(const struct config_row *rows, void *settings)
{
	for (const struct config_row *row = rows; row->name; row++) {
		char **member;

		if (row->type != CONFIG_TEXT)
			continue;
		member = (char **)((char *)settings + row->offset);
		free(*member);
		*member = NULL;
	}
}
