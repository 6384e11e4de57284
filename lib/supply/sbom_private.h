/* sbom_private.h - what the writers of both formats share; for lib/supply/ only. */
#pragma once

#include "doc/json.h"
#include "supply/sbom.h"

#define SBOM_ID_LEN 20

/* Set a text; NULL leaves the key out. Bytes that are no UTF-8 become '?'. */
void sbom_set(json_t *object, const char *key, const char *text);
json_t *sbom_text(const char *text);
/* A short identifier of a text, the same everywhere. Returns out. */
const char *sbom_id(const char *kind, const char *text, char out[SBOM_ID_LEN + 1]);
/* The same of a package. */
const char *sbom_package_id(const struct sbom *s, const struct sbom_package *p,
							char out[SBOM_ID_LEN + 1]);

/* Documents have a row for each file, of which there may be very many: they are written as text,
 * key by key in sorted order, and only what is small is made of json_t before. */

/* A JSON string. Bytes that are no UTF-8 become '?'. */
void sbom_add_text(struct buf *out, const char *text);
/* A value, which is given up. */
void sbom_add_json(struct buf *out, json_t *value);
/* A place for the document's UUID (RFC 9562, version 8), a function of all that is written. */
void sbom_add_uuid(struct buf *out, size_t *place);
void sbom_end_uuid(struct buf *out, size_t place);
