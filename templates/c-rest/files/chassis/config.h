/* config.h - settings from the environment, by one table.
 *
 * Each row names a setting, its type, its range and where its value goes in the caller's struct.
 * The value comes from the variable NAME, or from the file that NAME_FILE names (for mounted
 * secrets; a trailing newline is cut); both at once is an error. Every wrong setting is reported,
 * not only the first. The value of a secret never appears in a message. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "chassis/text.h"

#define CONFIG_MAX_VALUE_BYTES 65536

enum config_type {
	CONFIG_TEXT,   /* member is `char *`, owned by the struct */
	CONFIG_INT,    /* member is `int` */
	CONFIG_BOOL,   /* member is `bool`: true or false */
	CONFIG_CHOICE, /* member is `int`: the position in `choices` */
};

struct config_row {
	const char *name;
	enum config_type type;
	size_t offset; /* of the member, by offsetof */
	const char *initial;
	const char *summary;
	int min, max;        /* CONFIG_INT */
	const char *choices; /* CONFIG_CHOICE: words, one space between them */
	bool secret;
};

/* Ends a table. */
#define CONFIG_DONE \
	{ \
		0 \
	}

/* Fill `settings` from the environment. Returns 0, or -1 with one line for each wrong setting added
 * to `errors`. An int whose row has no `initial` keeps the value that the struct already has. */
int config_load(const struct config_row *rows, void *settings, struct text *errors);

/* Print name, value, range and summary of each setting; secrets as ***. */
void config_print(const struct config_row *rows, const void *settings, FILE *out);

/* Free the text members. */
void config_release(const struct config_row *rows, void *settings);
