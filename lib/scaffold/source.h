/* source.h - a template as it is found: built into the binary, or in a folder.
 *
 *	NAME/template.yaml        what it is and which variables it takes
 *	NAME/files/...            rendered (names that end in .tmpl) or copied
 *
 * Only regular files count; a link or a device in a template folder is an error. */
#pragma once

#include "base/error.h"
#include "base/strv.h"
#include "doc/yaml.h"

#include <stdbool.h>

#define TEMPLATE_MAX_FILES 20000
#define TEMPLATE_MAX_FILE_BYTES (5u << 20)
#define TEMPLATE_MAX_BYTES (100u << 20)

struct source_file {
	char *path; /* below files/, still with template tags and .tmpl */
	char *data;
	size_t len;
	bool executable;
};

struct template_source {
	char *origin; /* "c-rest" or the folder, as messages name it */
	const char *name;
	const char *version;
	const char *summary;
	json_t *variables; /* array of objects, checked; or NULL. Borrowed from yaml */
	struct yaml_file yaml;
	char *manifest_name; /* "c-rest/template.yaml" */
	struct source_file *files;
	size_t file_count;
};

void template_source_release(struct template_source *s);

/* Load a built-in template by name, or a folder when `what` has a slash. ERR_MISSING with the
 * nearest name; ERR_INPUT for a malformed template. */
int template_source_load(const char *what, struct template_source *out, struct error *err);

/* The names of the built-in templates. */
void template_source_names(struct strv *out);
