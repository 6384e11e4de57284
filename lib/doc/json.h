/* json.h - JSON documents (RFC 8259) as jansson's json_t, read strictly.
 *
 * json_t is the only vendor type that travels through the code base, and only through this header.
 * Refused everywhere: duplicate keys, nesting deeper than JSON_MAX_DEPTH, invalid UTF-8, NUL in
 * text, anything behind the document. Bytes that have a digest are kept beside the tree, never
 * written again from it. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_MAX_DEPTH 64

#define AUTO_JSON __attribute__((cleanup(doc_json_auto_)))

static inline void doc_json_auto_(json_t **j)
{
	json_decref(*j);
}

/* Parse one document. name is what messages call it: "manifest of REG/REPO:TAG", a path. ERR_INPUT
 * with line and column. The caller owns *out. */
int doc_json_parse(struct span text, const char *name, json_t **out, struct error *err);

/* Compact, keys sorted, UTF-8 as it is, slashes bare: the one form in which msctl writes documents
 * that get a digest. */
void doc_json_write(const json_t *doc, struct buf *out);
/* The same indented by two spaces, for people, ending in a newline. Keys keep their order. */
void doc_json_write_pretty(const json_t *doc, struct buf *out);

/* The shortest text that reads back as the same number, written into out: "0.1", "1e+20". Returns
 * out. */
const char *doc_real_text(double value, char out[32]);

/* Value at a dotted path ("spec.template.metadata"), NULL when absent. Array elements by number
 * ("spec.containers.0.name"). Keys that contain a dot are out of its reach: use json_object_get.
 * Borrowed. */
json_t *doc_get(const json_t *doc, const char *path);
/* Text, number or truth at a path; the fallback when absent or of another type. Borrowed. */
const char *doc_text(const json_t *doc, const char *path, const char *fallback);
int64_t doc_int(const json_t *doc, const char *path, int64_t fallback);
bool doc_bool(const json_t *doc, const char *path, bool fallback);

/* Structs read from documents by const tables. */
enum doc_type {
	DOC_END = 0,
	DOC_TEXT,     /* const char *, borrowed from the document */
	DOC_INT,      /* int64_t within [0, 2^53]; reals are refused */
	DOC_BOOL,     /* bool */
	DOC_OBJECT,   /* json_t *, borrowed */
	DOC_ARRAY,    /* json_t *, borrowed */
	DOC_TEXTS,    /* json_t *, borrowed: an array of which each element is text */
	DOC_TEXT_MAP, /* json_t *, borrowed: an object of which each value is text */
	DOC_ANY,      /* json_t *, borrowed */
};

struct doc_field {
	const char *name;
	enum doc_type type;
	size_t offset;
	bool required;
};

#define DOC_FIELD(struct_type, member, json_name, doc_type, is_required) \
	{                                                                    \
		json_name, doc_type, offsetof(struct_type, member), is_required  \
	}
#define DOC_FIELDS_END          \
	{                           \
		NULL, DOC_END, 0, false \
	}

struct doc_marks;

/* How doc_read treats what it meets. A zeroed struct: keys outside the table are ignored. */
struct doc_context {
	const char *name; /* file or document, starts each message */
	const char *path; /* where `object` lies: "services.orders"; "" or NULL for the top */
	bool strict;      /* keys outside the table are errors with the nearest name; "x-*" passes */
	const struct doc_marks *marks; /* line and column for messages; NULL: none */
};

/* Read object's fields into *out by the table. Absent optional fields keep what *out held. null
 * counts as absent. ERR_INPUT: "msctl.yaml:12:5: build.ports: expected an array, found text". On
 * failure *out may be partly filled (it holds borrowed pointers only). */
int doc_read(const json_t *object, const struct doc_field *fields, const struct doc_context *where,
			 void *out, struct error *err);
