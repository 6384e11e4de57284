/* sources.h - a copy of a project's sources, for build systems that write among them.
 *
 * A file is copied again only when it changed, so the compiler's products beside the copies stay
 * good; one that the project no longer has is taken away. What git ignores stays out, and without
 * git what a compiler made. Sockets, devices and pipes are no sources. */
#pragma once

#include "base/cancel.h"
#include "base/error.h"
#include "base/map.h"

#include <stdbool.h>

#define SOURCES_MAX_FILES 200000

/* Bring `to` (made when absent) into line with `from`. list: the file that remembers what was
 * copied. ERR_INPUT: too many files; ERR_DENIED, ERR_SYS from the system, ERR_INTERRUPTED. */
int sources_copy(const char *from, const char *to, const char *list, const struct cancel *cancel,
				 struct error *err);
/* Was path (below `to`) copied, rather than made there? list: as above. A list that cannot be read
 * names nothing. known: path -> NULL. */
void sources_load(const char *list, struct map *known);
