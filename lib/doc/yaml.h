/* yaml.h - YAML by libyaml's event API into json_t, with line and column of every node.
 *
 * Plain scalars resolve as kubectl and helm resolve them (go-yaml v2: YAML 1.1 booleans
 * y/yes/on/n/no/off only where go-yaml v2 takes them, 0o17 and 0777 octal, 0x, 1_000, .inf refused,
 * null and ~). A whole real (1e3, 1.0) becomes an integer, as in kubectl's JSON; a number beyond
 * int64_t becomes a real. Keys become text. Duplicate keys are refused with both lines. Merge keys
 * (<<) and aliases are expanded under a cap; explicit keys win over merged ones. Tags other than
 * those of the core schema are refused. Only UTF-8 is read. libyaml 0.2.5 is quadratic in depth:
 * the depth cap stops it early, and yaml_parser_load is never used. */
#pragma once

#include "doc/json.h"

#define YAML_MAX_DEPTH 100
#define YAML_MAX_BYTES (16u << 20)
#define YAML_MAX_SCALAR (1u << 20)
#define YAML_MAX_DOCUMENTS 10000
#define YAML_MAX_ANCHORS 10000
#define YAML_MAX_NODES 1000000           /* after aliases are expanded, over all documents */
#define YAML_MAX_ALIAS_BYTES (64u << 20) /* text that aliases repeat */

/* Where a member of an object or array stands. */
struct doc_mark {
	unsigned line;   /* from 1 */
	unsigned column; /* from 1 */
};

/* One parsed stream. */
struct yaml_file {
	json_t **documents; /* empty documents are left out */
	size_t count;
	struct doc_marks *marks; /* of all documents; lives as long as this struct */
};

void yaml_file_release(struct yaml_file *f);

/* Parse text; name starts each message ("deploy/web.yaml:3:7: ..."). JSON is YAML, so it is read as
 * well. ERR_INPUT. */
int yaml_parse(struct span text, const char *name, struct yaml_file *out, struct error *err);

/* Where the member `key` of an object, or the element `index` of an array, stands (key NULL: by
 * index). parent NULL: where the document `index` begins. False if it is not known. Valid for the
 * parsed tree only, not for copies of it. */
bool doc_mark_of(const struct doc_marks *marks, const json_t *parent, const char *key, size_t index,
				 struct doc_mark *out);
/* "name:line:column" of a member, or just the name when unknown. Caller frees. */
char *doc_where(const struct doc_marks *marks, const char *name, const json_t *parent,
				const char *key, size_t index);

/* Write block style YAML, keys in order; text that any YAML version would read as something else is
 * quoted. */
void yaml_write(const json_t *doc, struct buf *out);
