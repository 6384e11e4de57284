/* yaml_alias.h - what aliases and merge keys put into a tree. Private to lib/doc. */
#pragma once

#include "doc/yaml.h"

struct yaml_copier {
	struct doc_marks *marks;
	size_t node_count;   /* of all values read and copied: YAML_MAX_NODES */
	size_t alias_bytes;  /* of text copied: YAML_MAX_ALIAS_BYTES */
	const char *problem; /* why a copy failed */
};

/* A copy of its own, so that changing one place never changes another, with the marks of the
 * original. depth is where it will hang. NULL with problem set when a limit is reached. */
json_t *yaml_copy(struct yaml_copier *c, const json_t *from, size_t depth);

/* Add the members of from (an object, or an array of objects) that `to` lacks; earlier objects win
 * (yaml.org/type/merge.html). False when from is something else. */
bool yaml_merge(struct doc_marks *marks, json_t *to, const json_t *from);
