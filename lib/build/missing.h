/* missing.h - where to get a library that was not found: from what this machine's packages tell,
 * never by guess alone. */
#pragma once

#include "build/private.h"

/* Give err, which says that `name` is missing, its hint. Yields -1. */
int build_hint_missing(const struct build *b, const char *name, struct error *err);
/* The name that Debian's policy (8.1) gives to the package of a soname: "libpq5" for "libpq.so.5",
 * "libfoo1-2" for "libfoo1.so.2"; NULL for other kinds of names. Caller frees. */
char *build_policy_name(const char *soname);
