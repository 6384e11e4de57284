#include "doc/marks.h"

#include "base/list.h"
#include "base/mem.h"

struct child {
	uint64_t key_hash; /* 0 for elements of arrays */
	struct doc_mark mark;
};

struct container {
	const json_t *parent; /* NULL: the documents themselves */
	LIST(struct child) children;
};

struct doc_marks {
	LIST(struct container) containers;
	uint32_t *slots; /* by address of parent: index into containers plus one */
	size_t slot_count;
};

struct doc_marks *marks_new(void)
{
	return xcalloc(1, sizeof(struct doc_marks));
}

void marks_free(struct doc_marks *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->containers.count; i++)
		list_release(&m->containers.items[i].children);
	list_release(&m->containers);
	free(m->slots);
	free(m);
}

static uint64_t hash_key(const char *key)
{
	uint64_t h = 0xcbf29ce484222325u;

	if (!key)
		return 0;
	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 0x100000001b3u;
	return h ? h : 1;
}

static size_t find_slot(const struct doc_marks *m, const json_t *parent)
{
	uint64_t h = ((uint64_t)(uintptr_t)parent >> 4) * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(h >> 32) & (m->slot_count - 1);

	while (m->slots[i] && m->containers.items[m->slots[i] - 1].parent != parent)
		i = (i + 1) & (m->slot_count - 1);
	return i;
}

static void grow_slots(struct doc_marks *m)
{
	free(m->slots);
	m->slot_count = m->slot_count ? m->slot_count * 2 : 64;
	m->slots = xcalloc(m->slot_count, sizeof(*m->slots));
	for (size_t i = 0; i < m->containers.count; i++)
		m->slots[find_slot(m, m->containers.items[i].parent)] = (uint32_t)i + 1;
}

void marks_add(struct doc_marks *m, const json_t *parent, const char *key, struct doc_mark mark)
{
	struct container *c;
	size_t slot;

	if ((m->containers.count + 1) * 2 > m->slot_count)
		grow_slots(m);
	slot = find_slot(m, parent);
	if (!m->slots[slot]) {
		list_push(&m->containers, ((struct container){.parent = parent}));
		m->slots[slot] = (uint32_t)m->containers.count;
	}
	c = &m->containers.items[m->slots[slot] - 1];
	list_push(&c->children, ((struct child){hash_key(key), mark}));
}

bool doc_mark_of(const struct doc_marks *marks, const json_t *parent, const char *key, size_t index,
				 struct doc_mark *out)
{
	const struct container *c;
	size_t slot;

	if (!marks || !marks->slot_count)
		return false;
	slot = find_slot(marks, parent);
	if (!marks->slots[slot])
		return false;
	c = &marks->containers.items[marks->slots[slot] - 1];
	if (key) {
		uint64_t hash = hash_key(key);

		for (index = 0; index < c->children.count; index++)
			if (c->children.items[index].key_hash == hash)
				break;
	}
	if (index >= c->children.count)
		return false;
	*out = c->children.items[index].mark;
	return true;
}

char *doc_where(const struct doc_marks *marks, const char *name, const json_t *parent,
				const char *key, size_t index)
{
	struct doc_mark mark;

	if (!doc_mark_of(marks, parent, key, index, &mark))
		return xstrdup(name);
	return xasprintf("%s:%u:%u", name, mark.line, mark.column);
}
