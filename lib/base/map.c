#include "base/map.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void map_release(struct map *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->entries[i].key);
	free(m->entries);
	free(m->slots);
	*m = (struct map){0};
}

/* FNV-1a over a secret start value, finished by a strong mixer. */
static uint64_t hash_key(uint64_t seed, const char *key)
{
	uint64_t h = seed ^ 0xcbf29ce484222325u;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 0x100000001b3u;
	h = (h ^ seed ^ (h >> 33)) * 0xff51afd7ed558ccdu;
	h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
	return h ^ (h >> 33);
}

static size_t find_slot(const struct map *m, const char *key, uint64_t hash)
{
	size_t i = hash & (m->slot_count - 1);

	while (m->slots[i]) {
		const struct map_entry *e = &m->entries[m->slots[i] - 1];

		if (e->hash == hash && strcmp(e->key, key) == 0)
			break;
		i = (i + 1) & (m->slot_count - 1);
	}
	return i;
}

static void rehash(struct map *m, size_t slot_count)
{
	free(m->slots);
	m->slots = xcalloc(slot_count, sizeof(m->slots[0]));
	m->slot_count = slot_count;
	for (size_t i = 0; i < m->count; i++)
		m->slots[find_slot(m, m->entries[i].key, m->entries[i].hash)] = (uint32_t)(i + 1);
}

bool map_put(struct map *m, const char *key, void *value)
{
	uint64_t hash;
	size_t slot;

	if (m->slot_count == 0) {
		if (getrandom(&m->seed, sizeof(m->seed), 0) != sizeof(m->seed))
			m->seed = (uint64_t)(uintptr_t)m;
		rehash(m, 16);
	}
	hash = hash_key(m->seed, key);
	slot = find_slot(m, key, hash);
	if (m->slots[slot]) {
		m->entries[m->slots[slot] - 1].value = value;
		return false;
	}
	if (m->count == m->cap) {
		m->cap = m->cap ? m->cap * 2 : 8;
		m->entries = xrealloc(m->entries, m->cap, sizeof(m->entries[0]));
	}
	m->entries[m->count++] = (struct map_entry){xstrdup(key), value, hash};
	m->slots[slot] = (uint32_t)m->count;
	if (m->count * 4 > m->slot_count * 3)
		rehash(m, m->slot_count * 2);
	return true;
}

static const struct map_entry *find(const struct map *m, const char *key)
{
	size_t slot;

	if (m->slot_count == 0)
		return NULL;
	slot = find_slot(m, key, hash_key(m->seed, key));
	return m->slots[slot] ? &m->entries[m->slots[slot] - 1] : NULL;
}

void *map_get(const struct map *m, const char *key)
{
	const struct map_entry *e = find(m, key);

	return e ? e->value : NULL;
}

bool map_has(const struct map *m, const char *key)
{
	return find(m, key) != NULL;
}
