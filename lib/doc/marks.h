/* marks.h - how the YAML reader fills `struct doc_marks`: for each object and array, where its
 * members stand. Private to lib/doc; readers use doc_mark_of (doc/yaml.h).
 *
 * Members of objects are known by a hash of their key, so that nothing dangles when a tree is
 * changed afterwards. A message may then lack its line; it never crashes. */
#pragma once

#include "doc/yaml.h"

struct doc_marks *marks_new(void);
void marks_free(struct doc_marks *m);

/* Note that the member `key` of parent, or its next element (key NULL), stands at mark. */
void marks_add(struct doc_marks *m, const json_t *parent, const char *key, struct doc_mark mark);
