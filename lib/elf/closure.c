#include "elf/closure.h"

#include "base/auto.h"
#include "base/mem.h"
#include "elf/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void elf_closure_release(struct elf_closure *c)
{
	for (size_t i = 0; i < c->count; i++)
		elf_object_release(&c->items[i]);
	free(c->items);
	free(c->edges);
	for (size_t i = 0; i < c->absent_count; i++)
		elf_absent_release(&c->absent[i]);
	free(c->absent);
	*c = (struct elf_closure){0};
}

const char *elf_found_by_name(enum elf_found_by how)
{
	static const char *const names[] = {
		[ELF_FOUND_GIVEN] = "given",     [ELF_FOUND_INTERPRETER] = "interpreter",
		[ELF_FOUND_PATH] = "path",       [ELF_FOUND_RPATH] = "rpath",
		[ELF_FOUND_RUNPATH] = "runpath", [ELF_FOUND_CACHE] = "cache",
		[ELF_FOUND_DEFAULT] = "default", [ELF_FOUND_IMAGE] = "image",
	};

	return names[how];
}

const char *elf_asked_by_name(enum elf_asked_by asked)
{
	static const char *const names[] = {
		[ELF_ASKED_START] = "needed",
		[ELF_ASKED_NOTE] = "dlopen note",
		[ELF_ASKED_LIBC] = "glibc",
	};

	return names[asked];
}

bool elf_answers_to(const struct elf_object *o, const char *name)
{
	return (o->name && strcmp(o->name, name) == 0) ||
		   (o->elf.soname && strcmp(o->elf.soname, name) == 0);
}

bool elf_closure_has(const struct elf_closure *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++)
		if (elf_answers_to(&c->items[i], name))
			return true;
	return false;
}

/* A closure while it is put together. */
struct merger {
	struct elf_closure closure;
	struct map paths;  /* opened -> index into items, plus 1 */
	struct map edges;  /* "USER PROVIDER" */
	struct map absent; /* "BY NAME" */
	size_t edge_room, item_room;
};

static void merger_release(struct merger *m)
{
	elf_closure_release(&m->closure);
	map_release(&m->paths);
	map_release(&m->edges);
	map_release(&m->absent);
}

/* The index of an object, which is moved out of its process when it is new. */
static size_t take_object(struct merger *m, struct elf_object *o)
{
	struct elf_closure *c = &m->closure;
	uintptr_t known = (uintptr_t)map_get(&m->paths, o->opened);

	if (known)
		return known - 1;
	if (c->count == m->item_room) {
		m->item_room = m->item_room ? m->item_room * 2 : 16;
		c->items = xrealloc(c->items, m->item_room, sizeof(*c->items));
	}
	c->items[c->count++] = MOVE(*o);
	map_put(&m->paths, c->items[c->count - 1].opened, (void *)(uintptr_t)c->count);
	return c->count - 1;
}

static int add_edge(struct merger *m, size_t user, size_t provider, struct error *err)
{
	struct elf_closure *c = &m->closure;
	char key[48];

	snprintf(key, sizeof(key), "%zu %zu", user, provider);
	if (map_has(&m->edges, key))
		return 0;
	if (c->edge_count == ELF_MAX_EDGES)
		return err_set(err, ERR_INPUT, "the programs' libraries need each other more than %u times",
					   ELF_MAX_EDGES);
	map_put(&m->edges, key, NULL);
	if (c->edge_count == m->edge_room) {
		m->edge_room = m->edge_room ? m->edge_room * 2 : 64;
		c->edges = xrealloc(c->edges, m->edge_room, sizeof(*c->edges));
	}
	c->edges[c->edge_count++] = (struct elf_edge){user, provider};
	return 0;
}

static void add_absent(struct merger *m, struct elf_absent *a)
{
	struct elf_closure *c = &m->closure;
	AUTO_FREE char *key = xasprintf("%s %s", a->by, a->name);

	if (!map_put(&m->absent, key, NULL))
		return;
	c->absent = xrealloc(c->absent, c->absent_count + 1, sizeof(*c->absent));
	c->absent[c->absent_count++] = MOVE(*a);
}

/* Move what is new out of the process. Its remains are freed with it. */
static int merge(struct merger *m, struct elf_process *p, struct error *err)
{
	AUTO_FREE size_t *index = xcalloc(p->map.count, sizeof(*index));

	for (size_t i = 0; i < p->map.count; i++)
		index[i] = take_object(m, p->map.items[i].object);
	for (size_t i = 0; i < p->edges.count; i++)
		if (add_edge(m, index[p->edges.items[i].user], index[p->edges.items[i].provider], err) < 0)
			return -1;
	for (size_t i = 0; i < p->absent_count; i++)
		add_absent(m, &p->absent[i]);
	return 0;
}

/* What another file of the closure brought in the end is not missing. */
static void drop_found(struct elf_closure *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->absent_count; i++) {
		if (elf_closure_has(c, c->absent[i].name))
			elf_absent_release(&c->absent[i]);
		else
			c->absent[kept++] = c->absent[i];
	}
	c->absent_count = kept;
}

/* Is it a library that one of the programs loads? */
static bool is_loaded(const struct merger *m, const char *path)
{
	AUTO_FREE char *clean = elf_clean_path(path);

	return map_has(&m->paths, clean);
}

static bool is_program(const struct elf_view *view, const char *path)
{
	AUTO(elf_place) struct elf_place place = {0};
	AUTO(elf_file) struct elf_file f = {0};
	struct error ignored = {0};

	/* what cannot be read fails where it is loaded */
	return elf_view_find(view, path, &place, &ignored) <= 0 ||
		   elf_file_read(place.file, &f, &ignored) < 0 || elf_is_program(&f);
}

int elf_closure_find(const struct elf_closure_request *request, char missing[ELF_NAME_MAX],
					 struct elf_closure *out, struct error *err)
{
	AUTO(merger) struct merger m = {0};
	AUTO(elf_tables) struct elf_tables tables = {0};
	AUTO(strv) struct strv order = {0};
	AUTO(strv) struct strv libraries = {0};
	size_t programs;

	if (elf_tables_read(request->view, &tables, err) < 0)
		return -1;
	for (size_t i = 0; i < request->programs->count; i++) {
		const char *path = request->programs->items[i];

		strv_add(is_program(request->view, path) ? &order : &libraries, path);
	}
	programs = order.count;
	for (size_t i = 0; i < libraries.count; i++)
		strv_add(&order, libraries.items[i]);
	for (size_t i = 0; i < order.count; i++) {
		AUTO(elf_process)
		struct elf_process p = {.search = {.view = request->view, .tables = &tables},
								.request = request,
								.missing = missing};

		if (i >= programs && is_loaded(&m, order.items[i]))
			continue;
		if (elf_process_load(&p, order.items[i], err) < 0 || merge(&m, &p, err) < 0)
			return -1;
	}
	drop_found(&m.closure);
	*out = MOVE(m.closure);
	return 0;
}
