/* map.h - a hash map from text to pointer. Keys are copied; values are the caller's.
 * The hash is seeded, so keys from outside cannot be chosen to collide. A zeroed struct is an
 * empty map. Iteration follows insertion order:
 *
 *	for (size_t i = 0; i < map.count; i++) use(map.entries[i].key, map.entries[i].value); */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_entry {
	char *key;
	void *value;
	uint64_t hash;
};

struct map {
	struct map_entry *entries; /* in order of insertion */
	size_t count;
	size_t cap;
	uint32_t *slots; /* index into entries plus one; 0 is empty */
	size_t slot_count;
	uint64_t seed;
};

void map_release(struct map *m);
/* Set or replace. Returns true if the key is new. */
bool map_put(struct map *m, const char *key, void *value);
/* The value, or NULL when absent (see map_has for NULL values). */
void *map_get(const struct map *m, const char *key);
bool map_has(const struct map *m, const char *key);
