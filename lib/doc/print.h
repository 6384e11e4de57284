/* print.h - one document, three looks: aligned table, JSON, YAML. */
#pragma once

#include "doc/json.h"

enum print_format {
	PRINT_TABLE,
	PRINT_JSON,
	PRINT_YAML,
};

/* A column shows the value at a doc_get path of each row. */
struct print_column {
	const char *title; /* upper case; NULL ends the list */
	const char *path;
};

/* doc is an array of objects for tables (a single object is one row). JSON and YAML print doc as it
 * is. An absent value is "-" in a table; control characters in values are replaced. */
void print_document(const json_t *doc, const struct print_column *columns, enum print_format format,
					struct buf *out);
