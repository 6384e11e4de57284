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
/* A UUID (RFC 9562, version 8) that is a function of the document. Returns out. */
const char *sbom_uuid(const json_t *doc, char out[37]);
