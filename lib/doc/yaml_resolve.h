/* yaml_resolve.h - what a plain scalar means: null, truth, number or text, as go-yaml v2 decides
 * (which is what kubectl and helm read with). Private to lib/doc. */
#pragma once

#include "doc/json.h"

/* The value of a plain scalar; NULL when it is a number that JSON cannot hold (.inf, .nan). Never
 * fails otherwise. Numbers beyond int64_t become reals, whole reals within it integers, as in
 * kubectl's JSON. text is NUL-terminated. */
json_t *yaml_resolve(const char *text);
