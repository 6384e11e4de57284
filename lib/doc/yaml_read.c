#include "base/auto.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "doc/marks.h"
#include "doc/yaml_alias.h"
#include "doc/yaml_resolve.h"

#include <string.h>
#include <yaml.h>

/* An object or array that is still open. */
struct frame {
	json_t *node; /* borrowed: its parent or the reader holds it */
	char *key;    /* of objects: the key whose value comes next, or NULL */
	struct doc_mark key_mark;
	bool merging;  /* of objects: the value that comes next belongs to << */
	json_t *merge; /* of objects: what << named, or NULL */
	struct doc_mark merge_mark;
};

struct reader {
	yaml_parser_t parser;
	const char *name;
	struct frame frames[YAML_MAX_DEPTH];
	size_t depth;
	json_t *root; /* of the open document, or NULL */
	struct doc_mark root_mark;
	struct map anchors; /* of the open document: name to json_t * */
	size_t anchor_count;
	size_t document_count;
	LIST(json_t *) documents;
	struct yaml_copier copier; /* holds the marks and counts the values */
};

static void drop_anchors(struct reader *r)
{
	for (size_t i = 0; i < r->anchors.count; i++)
		json_decref(r->anchors.entries[i].value);
	map_release(&r->anchors);
}

static void reader_release(struct reader *r)
{
	yaml_parser_delete(&r->parser);
	for (size_t i = 0; i < r->depth; i++) {
		free(r->frames[i].key);
		json_decref(r->frames[i].merge);
	}
	json_decref(r->root);
	drop_anchors(r);
	for (size_t i = 0; i < r->documents.count; i++)
		json_decref(r->documents.items[i]);
	list_release(&r->documents);
	marks_free(r->copier.marks);
}

static int fail(const struct reader *r, struct doc_mark at, const char *problem, struct error *err)
{
	return err_set(err, ERR_INPUT, "%s:%u:%u: %s", r->name, at.line, at.column, problem);
}

static int too_much(const struct reader *r, struct doc_mark at, const char *problem,
					struct error *err)
{
	fail(r, at, problem, err);
	return err_hint(err,
					"check that this is the file you mean; split it, or write it with less nesting "
					"and fewer aliases");
}

static int refuse_duplicate(const struct reader *r, struct doc_mark at, const char *key,
							struct doc_mark first, struct error *err)
{
	err_set(err, ERR_INPUT, "%s:%u:%u: the key '%s' was already given on line %u", r->name, at.line,
			at.column, key, first.line);
	return err_hint(err, "remove one of the two");
}

/* Keys are text: a number or a truth becomes the text that kubectl makes of it. */
static char *key_text(const json_t *value)
{
	if (json_is_string(value))
		return xstrdup(json_string_value(value));
	if (json_is_boolean(value))
		return xstrdup(json_is_true(value) ? "true" : "false");
	if (json_is_integer(value))
		return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return xasprintf("%g", json_real_value(value));
}

static int take_key(struct reader *r, struct frame *f, const json_t *value, struct doc_mark at,
					struct error *err)
{
	struct doc_mark first = {0};

	if (json_is_null(value))
		return fail(r, at, "a key is empty", err);
	if (json_is_object(value) || json_is_array(value))
		return fail(r, at, "a key must be text", err);
	f->key = key_text(value);
	f->key_mark = at;
	if (!json_object_get(f->node, f->key))
		return 0;
	doc_mark_of(r->copier.marks, f->node, f->key, 0, &first);
	return refuse_duplicate(r, at, f->key, first, err);
}

/* Put a new value into the innermost open node, or make it the document. Takes the reference. */
static int place(struct reader *r, json_t *value, struct doc_mark at, struct error *err)
{
	AUTO_JSON json_t *own = value;
	struct frame *f = r->depth ? &r->frames[r->depth - 1] : NULL;

	if (++r->copier.node_count > YAML_MAX_NODES)
		return too_much(r, at, "too many values", err);
	if (!f) {
		r->root = TAKE(own);
		r->root_mark = at;
	} else if (json_is_array(f->node)) {
		marks_add(r->copier.marks, f->node, NULL, at);
		json_array_append_new(f->node, TAKE(own));
	} else if (f->merging) {
		f->merging = false;
		f->merge = TAKE(own);
	} else if (!f->key) {
		return take_key(r, f, own, at, err);
	} else {
		marks_add(r->copier.marks, f->node, f->key, f->key_mark);
		json_object_set_new(f->node, f->key, TAKE(own));
		free(TAKE(f->key));
	}
	return 0;
}

static int set_anchor(struct reader *r, const yaml_char_t *anchor, json_t *node, struct doc_mark at,
					  struct error *err)
{
	const char *name = (const char *)anchor;

	if (!name)
		return 0;
	if (++r->anchor_count > YAML_MAX_ANCHORS)
		return too_much(r, at, "too many anchors", err);
	json_decref(map_get(&r->anchors, name));
	map_put(&r->anchors, name, json_incref(node));
	return 0;
}

/* ---- aliases and merge keys */

static int on_alias(struct reader *r, const yaml_event_t *e, struct doc_mark at, struct error *err)
{
	const char *name = (const char *)e->data.alias.anchor;
	const json_t *from = map_get(&r->anchors, name);
	json_t *copy;

	if (!from) {
		err_set(err, ERR_INPUT, "%s:%u:%u: no anchor '&%s' before this alias", r->name, at.line,
				at.column, name);
		return err_hint(err, "if text was meant, put it in quotes");
	}
	for (size_t i = 0; i < r->depth; i++)
		if (r->frames[i].node == from)
			return fail(r, at, "recursive alias", err);
	copy = yaml_copy(&r->copier, from, r->depth);
	return copy ? place(r, copy, at, err) : too_much(r, at, r->copier.problem, err);
}

static bool is_merge_key(const struct reader *r, const yaml_event_t *e)
{
	const struct frame *f = r->depth ? &r->frames[r->depth - 1] : NULL;

	return f && json_is_object(f->node) && !f->key && !f->merging &&
		   e->data.scalar.plain_implicit &&
		   span_is((struct span){(const char *)e->data.scalar.value, e->data.scalar.length}, "<<");
}

static int on_merge_key(struct reader *r, struct doc_mark at, struct error *err)
{
	struct frame *f = &r->frames[r->depth - 1];

	if (f->merge) {
		refuse_duplicate(r, at, "<<", f->merge_mark, err);
		return err_hint(err, "write it once, with a list: <<: [*a, *b]");
	}
	f->merging = true;
	f->merge_mark = at;
	return 0;
}

/* ---- scalars */

static json_t *untagged(const yaml_event_t *e)
{
	const char *text = (const char *)e->data.scalar.value;

	if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return yaml_resolve(text);
	return json_stringn(text, e->data.scalar.length);
}

/* A scalar with a tag of the core schema; NULL when the text does not fit. */
static json_t *tagged(const char *tag, const yaml_event_t *e)
{
	const char *text = (const char *)e->data.scalar.value;
	AUTO_JSON json_t *value = NULL;

	if (strcmp(tag, "!") == 0 || strcmp(tag, YAML_STR_TAG) == 0 ||
		strcmp(tag, YAML_TIMESTAMP_TAG) == 0)
		return json_stringn(text, e->data.scalar.length);
	value = yaml_resolve(text);
	if ((strcmp(tag, YAML_NULL_TAG) == 0 && json_is_null(value)) ||
		(strcmp(tag, YAML_BOOL_TAG) == 0 && json_is_boolean(value)) ||
		(strcmp(tag, YAML_INT_TAG) == 0 && json_is_integer(value)) ||
		(strcmp(tag, YAML_FLOAT_TAG) == 0 && json_is_number(value)))
		return TAKE(value);
	return NULL;
}

static int on_scalar(struct reader *r, const yaml_event_t *e, struct doc_mark at, struct error *err)
{
	const char *tag = (const char *)e->data.scalar.tag;
	size_t len = e->data.scalar.length;
	json_t *value;

	if (len > YAML_MAX_SCALAR)
		return too_much(r, at, "the text is longer than 1 MiB", err);
	if (memchr(e->data.scalar.value, '\0', len))
		return fail(r, at, "text with a NUL character", err);
	if (is_merge_key(r, e))
		return on_merge_key(r, at, err);
	value = tag ? tagged(tag, e) : untagged(e);
	if (!value && tag) {
		err_set(err, ERR_INPUT, "%s:%u:%u: the value does not fit the tag '%s'", r->name, at.line,
				at.column, tag);
		return err_hint(err, "remove the tag; text goes in quotes");
	}
	if (!value) {
		fail(r, at, "infinity and not-a-number cannot be written in JSON", err);
		return err_hint(err, "if text was meant, put it in quotes");
	}
	if (set_anchor(r, e->data.scalar.anchor, value, at, err) < 0) {
		json_decref(value);
		return -1;
	}
	return place(r, value, at, err);
}

/* ---- objects and arrays */

static int open_node(struct reader *r, json_t *node, const yaml_char_t *anchor, struct doc_mark at,
					 struct error *err)
{
	if (r->depth == YAML_MAX_DEPTH) {
		AUTO_FREE char *problem = xasprintf("nested deeper than %d levels", YAML_MAX_DEPTH);

		json_decref(node);
		return too_much(r, at, problem, err);
	}
	if (set_anchor(r, anchor, node, at, err) < 0) {
		json_decref(node);
		return -1;
	}
	if (place(r, node, at, err) < 0)
		return -1;
	r->frames[r->depth++] = (struct frame){.node = node};
	return 0;
}

static int check_tag(const struct reader *r, const yaml_char_t *tag, const char *wanted,
					 struct doc_mark at, struct error *err)
{
	if (!tag || strcmp((const char *)tag, wanted) == 0 || strcmp((const char *)tag, "!") == 0)
		return 0;
	return err_set(err, ERR_INPUT, "%s:%u:%u: the tag '%s' is not supported", r->name, at.line,
				   at.column, (const char *)tag);
}

static int close_node(struct reader *r, struct error *err)
{
	struct frame *f = &r->frames[r->depth - 1];
	bool merged = !f->merge || yaml_merge(r->copier.marks, f->node, f->merge);

	free(f->key);
	json_decref(f->merge);
	r->depth--;
	return merged ? 0 : fail(r, f->merge_mark, "<< needs an object or a list of objects", err);
}

/* ---- documents */

static int end_document(struct reader *r, struct doc_mark at, struct error *err)
{
	drop_anchors(r);
	if (++r->document_count > YAML_MAX_DOCUMENTS)
		return too_much(r, at, "too many documents", err);
	if (json_is_null(r->root)) {
		json_decref(TAKE(r->root));
		return 0;
	}
	marks_add(r->copier.marks, NULL, NULL, r->root_mark);
	list_push(&r->documents, TAKE(r->root));
	return 0;
}

static int on_event(struct reader *r, const yaml_event_t *e, struct error *err)
{
	struct doc_mark at = {(unsigned)e->start_mark.line + 1, (unsigned)e->start_mark.column + 1};

	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return on_alias(r, e, at, err);
	case YAML_SCALAR_EVENT:
		return on_scalar(r, e, at, err);
	case YAML_SEQUENCE_START_EVENT:
		if (check_tag(r, e->data.sequence_start.tag, YAML_SEQ_TAG, at, err) < 0)
			return -1;
		return open_node(r, json_array(), e->data.sequence_start.anchor, at, err);
	case YAML_MAPPING_START_EVENT:
		if (check_tag(r, e->data.mapping_start.tag, YAML_MAP_TAG, at, err) < 0)
			return -1;
		return open_node(r, json_object(), e->data.mapping_start.anchor, at, err);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_node(r, err);
	case YAML_DOCUMENT_END_EVENT:
		return end_document(r, at, err);
	default:
		return 0;
	}
}

/* ---- the stream */

static int syntax_error(const struct reader *r, struct span text, struct error *err)
{
	const yaml_parser_t *p = &r->parser;
	struct doc_mark at = {(unsigned)p->problem_mark.line + 1, (unsigned)p->problem_mark.column + 1};
	size_t offset = p->error == YAML_READER_ERROR ? p->problem_offset : p->problem_mark.index;

	if (p->error == YAML_READER_ERROR) {
		at = (struct doc_mark){1, 1};
		for (size_t i = 0; i < offset && i < text.len; i++) {
			at.line += text.data[i] == '\n';
			at.column = text.data[i] == '\n' ? 1 : at.column + 1;
		}
	}
	fail(r, at, p->problem ? p->problem : "not valid YAML", err);
	if (p->error == YAML_SCANNER_ERROR && (text_starts(p->problem, "found character that cannot") ||
										   text_starts(p->problem, "found a tab")))
		err_hint(err, "indent with spaces, not tabs; put text that starts with @ or ` in quotes");
	return -1;
}

static int read_events(struct reader *r, struct span text, struct error *err)
{
	for (;;) {
		yaml_event_t e;
		bool last;
		int rc;

		if (!yaml_parser_parse(&r->parser, &e))
			return syntax_error(r, text, err);
		last = e.type == YAML_STREAM_END_EVENT;
		rc = on_event(r, &e, err);
		yaml_event_delete(&e);
		if (rc < 0 || last)
			return rc;
	}
}

static int check_encoding(struct span text, const char *name, struct error *err)
{
	unsigned line = 1;
	size_t i = 0;

	if (text.len > YAML_MAX_BYTES) {
		err_set(err, ERR_INPUT, "%s: larger than %u MiB", name, YAML_MAX_BYTES >> 20);
		return err_hint(err, "check that this is the file you mean");
	}
	while (i < text.len) {
		size_t n = utf8_sequence(text.data + i, text.len - i);

		if (n == 0) {
			err_set(err, ERR_INPUT, "%s:%u: not valid UTF-8", name, line);
			return err_hint(err, "save the file as UTF-8");
		}
		line += text.data[i] == '\n';
		i += n;
	}
	return 0;
}

int yaml_parse(struct span text, const char *name, struct yaml_file *out, struct error *err)
{
	AUTO_FREE struct reader *r = NULL;
	int rc;

	if (check_encoding(text, name, err) < 0)
		return -1;
	if (span_starts(text, "\xef\xbb\xbf"))
		text = (struct span){text.data + 3, text.len - 3};
	r = xcalloc(1, sizeof(*r));
	if (!yaml_parser_initialize(&r->parser))
		abort();
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser, (const unsigned char *)(text.len ? text.data : ""),
								 text.len);
	r->name = name;
	r->copier.marks = marks_new();
	rc = read_events(r, text, err);
	if (rc < 0 && !err->hint[0])
		err_hint(err, "correct the file at this line and column");
	if (rc == 0) {
		*out = (struct yaml_file){r->documents.items, r->documents.count, TAKE(r->copier.marks)};
		r->documents.items = NULL;
		r->documents.count = 0;
	}
	reader_release(r);
	return rc;
}

void yaml_file_release(struct yaml_file *f)
{
	for (size_t i = 0; i < f->count; i++)
		json_decref(f->documents[i]);
	free(f->documents);
	marks_free(f->marks);
	*f = (struct yaml_file){0};
}
