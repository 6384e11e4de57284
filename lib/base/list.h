/* list.h - a typed growing array.
 *
 *	LIST(char *) names = {0};
 *	list_push(&names, xstrdup("a"));
 *	for (size_t i = 0; i < names.count; i++) ...
 *	list_release(&names);          frees the array, not what its items point to */
#pragma once

#include "base/mem.h"

#include <stdlib.h>

#define LIST(type)    \
	struct {          \
		type *items;  \
		size_t count; \
		size_t cap;   \
	}

#define list_push(l, item)                                                      \
	do {                                                                        \
		if ((l)->count == (l)->cap) {                                           \
			(l)->cap = (l)->cap ? (l)->cap * 2 : 8;                             \
			(l)->items = xrealloc((l)->items, (l)->cap, sizeof((l)->items[0])); \
		}                                                                       \
		(l)->items[(l)->count++] = (item);                                      \
	} while (0)

#define list_release(l)            \
	do {                           \
		free((l)->items);          \
		(l)->items = NULL;         \
		(l)->count = (l)->cap = 0; \
	} while (0)
