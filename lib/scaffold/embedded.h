/* embedded.h - the templates that are taken into the binary (made by tests/meta/embed.sh from
 * templates/). */
#pragma once

#include <stddef.h>

struct template_file {
	const char *path; /* "c-rest/files/src/main.c.tmpl"; the table is sorted by it, bytewise */
	const unsigned char *data;
	size_t len;
	unsigned mode; /* 0644 or 0755 */
};

extern const struct template_file embedded_templates[];
extern const size_t embedded_template_count;
