#include "elf/closure.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/text.h"
#include "elf/cache.h"
#include "elf/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void object_release(struct elf_object *o)
{
	free(o->opened);
	elf_place_release(&o->place);
	elf_file_release(&o->elf);
	free(o->name);
	free(o->needed_by);
	*o = (struct elf_object){0};
}

void elf_closure_release(struct elf_closure *c)
{
	for (size_t i = 0; i < c->count; i++)
		object_release(&c->items[i]);
	free(c->items);
	*c = (struct elf_closure){0};
}

const char *elf_found_by_name(enum elf_found_by how)
{
	static const char *const names[] = {
		[ELF_FOUND_GIVEN] = "given",     [ELF_FOUND_INTERPRETER] = "interpreter",
		[ELF_FOUND_PATH] = "path",       [ELF_FOUND_RPATH] = "rpath",
		[ELF_FOUND_RUNPATH] = "runpath", [ELF_FOUND_CACHE] = "cache",
		[ELF_FOUND_DEFAULT] = "default",
	};

	return names[how];
}

/* An object of one process, as the loader's link map has it. */
struct loaded {
	struct elf_object *object;
	size_t loader; /* who asked first; of the program: itself */
};

/* One program and what is loaded for it. */
struct process {
	struct elf_search search;
	LIST(struct loaded) map;
	char *missing; /* ELF_NAME_MAX bytes, or NULL */
};

static void process_release(struct process *p)
{
	for (size_t i = 0; i < p->map.count; i++) {
		object_release(p->map.items[i].object);
		free(p->map.items[i].object);
	}
	list_release(&p->map);
}

static struct elf_object *add_object(struct process *p, size_t loader)
{
	struct loaded l = {xcalloc(1, sizeof(*l.object)), loader};

	list_push(&p->map, l);
	return l.object;
}

/* The loader knows an object by the name it was asked for, and by its soname. */
static bool is_loaded(const struct process *p, const char *name)
{
	for (size_t i = 0; i < p->map.count; i++) {
		const struct elf_object *o = p->map.items[i].object;

		if ((o->name && strcmp(o->name, name) == 0) ||
			(o->elf.soname && strcmp(o->elf.soname, name) == 0))
			return true;
	}
	return false;
}

static int add_program(struct process *p, const char *path, struct error *err)
{
	struct elf_object *o = add_object(p, 0);
	int found = elf_view_find(p->search.view, path, &o->place, err);

	if (found < 0)
		return -1;
	if (found == 0)
		return err_set(err, ERR_MISSING, "there is no %s", path);
	if (elf_file_read(o->place.file, &o->elf, err) < 0)
		return -1;
	o->opened = elf_clean_path(path);
	if (o->elf.type != ELF_EXECUTABLE && o->elf.type != ELF_SHARED)
		return err_set(err, ERR_INPUT, "%s is neither a program nor a library", o->place.file);
	return 0;
}

static int add_interpreter(struct process *p, struct error *err)
{
	const struct elf_object *program = p->map.items[0].object;
	const char *path = program->elf.interpreter;
	struct elf_object *o;
	int found;

	if (!path)
		return 0;
	o = add_object(p, 0);
	found = elf_view_find(p->search.view, path, &o->place, err);
	if (found < 0)
		return err_wrap(err, "the interpreter of %s", program->place.file);
	if (found == 0) {
		if (p->missing)
			snprintf(p->missing, ELF_NAME_MAX, "%s", fs_basename(path));
		return err_set(err, ERR_MISSING, "%s needs the interpreter %s, which is not here",
					   program->place.file, path);
	}
	if (elf_file_read(o->place.file, &o->elf, err) < 0)
		return -1;
	if (!elf_is_compatible(&program->elf, &o->elf))
		return err_set(err, ERR_INPUT, "%s is of another machine than its interpreter %s",
					   program->place.file, path);
	o->opened = elf_clean_path(path);
	o->name = xstrdup(path);
	o->needed_by = xstrdup(program->opened);
	o->how = ELF_FOUND_INTERPRETER;
	return 0;
}

static int not_found(const struct process *p, const struct elf_object *by, const char *name,
					 struct error *err)
{
	if (p->missing)
		snprintf(p->missing, ELF_NAME_MAX, "%s", name);
	return err_set(err, ERR_MISSING, "%s needs %s, which is not here",
				   by->how == ELF_FOUND_GIVEN ? by->place.file : by->opened, name);
}

/* The chain of who loaded whom, from `from` up to the program, ended by NULL: DT_RPATH is
 * inherited along it. */
static void ancestors(const struct process *p, size_t from,
					  const struct elf_object *chain[ELF_MAX_NEEDED + 2])
{
	size_t n = 0;

	for (size_t i = from;; i = p->map.items[i].loader) {
		chain[n++] = p->map.items[i].object;
		if (i == 0 || n == ELF_MAX_NEEDED)
			break;
	}
	chain[n] = NULL;
}

static int load_needed(struct process *p, size_t by, const char *name, struct error *err)
{
	AUTO_FREE const struct elf_object **chain =
		xcalloc(ELF_MAX_NEEDED + 2, sizeof(const struct elf_object *));
	struct elf_object *found = NULL;
	int rc;

	if (is_loaded(p, name) || elf_search_is_builtin(&p->search, name))
		return 0;
	if (p->map.count > ELF_MAX_NEEDED)
		return err_set(err, ERR_INPUT, "%s needs more than %d libraries",
					   p->map.items[0].object->opened, ELF_MAX_NEEDED);
	ancestors(p, by, chain);
	found = add_object(p, by);
	rc = elf_search_find(&p->search, chain, name, found, err);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return not_found(p, chain[0], name, err);
	found->name = xstrdup(name);
	found->needed_by = xstrdup(chain[0]->opened);
	return 0;
}

static int load(struct process *p, const char *program, struct error *err)
{
	if (add_program(p, program, err) < 0 || add_interpreter(p, err) < 0)
		return -1;
	if (elf_search_start(&p->search, p->map.items[0].object, err) < 0)
		return -1;
	for (size_t i = 0; i < p->map.count; i++)
		for (size_t k = 0; k < p->map.items[i].object->elf.needed.count; k++)
			if (load_needed(p, i, p->map.items[i].object->elf.needed.items[k], err) < 0)
				return -1;
	return 0;
}

static bool has_object(const struct elf_closure *c, const struct elf_object *o)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->items[i].opened, o->opened) == 0)
			return true;
	return false;
}

/* Move what is new out of the process. Its remains are freed with it. */
static void merge(struct process *p, struct elf_closure *c)
{
	for (size_t i = 0; i < p->map.count; i++) {
		struct elf_object *o = p->map.items[i].object;

		if (has_object(c, o))
			continue;
		c->items = xrealloc(c->items, c->count + 1, sizeof(*c->items));
		c->items[c->count++] = MOVE(*o);
	}
}

int elf_closure_find(const struct elf_view *view, const struct strv *programs,
					 char missing[ELF_NAME_MAX], struct elf_closure *out, struct error *err)
{
	AUTO(elf_closure) struct elf_closure c = {0};
	AUTO(elf_tables) struct elf_tables tables = {0};

	if (elf_tables_read(view, &tables, err) < 0)
		return -1;
	for (size_t i = 0; i < programs->count; i++) {
		AUTO(process)
		struct process p = {.search = {.view = view, .tables = &tables}, .missing = missing};

		if (load(&p, programs->items[i], err) < 0) {
			elf_search_end(&p.search);
			return -1;
		}
		elf_search_end(&p.search);
		merge(&p, &c);
	}
	*out = MOVE(c);
	return 0;
}
