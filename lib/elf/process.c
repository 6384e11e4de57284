#include "elf/process.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void elf_object_release(struct elf_object *o)
{
	free(o->opened);
	elf_place_release(&o->place);
	elf_file_release(&o->elf);
	free(o->name);
	free(o->needed_by);
	*o = (struct elf_object){0};
}

void elf_absent_release(struct elf_absent *a)
{
	free(a->by);
	free(a->name);
	free(a->feature);
	*a = (struct elf_absent){0};
}

void elf_process_release(struct elf_process *p)
{
	for (size_t i = 0; i < p->map.count; i++) {
		elf_object_release(p->map.items[i].object);
		free(p->map.items[i].object);
	}
	list_release(&p->map);
	list_release(&p->edges);
	map_release(&p->names);
	for (size_t i = 0; i < p->absent_count; i++)
		elf_absent_release(&p->absent[i]);
	free(p->absent);
	elf_search_end(&p->search);
}

/* The index of what is known by a name; -1: nothing. */
static ssize_t find_loaded(const struct elf_process *p, const char *name)
{
	return (ssize_t)(uintptr_t)map_get(&p->names, name) - 1;
}

static void know(struct elf_process *p, const char *name, size_t index)
{
	if (name && !map_has(&p->names, name))
		map_put(&p->names, name, (void *)(uintptr_t)(index + 1));
}

/* The loader knows an object by the name it was asked for, and by its soname. Takes *o. */
static struct elf_object *add_object(struct elf_process *p, struct elf_object *o, size_t loader)
{
	struct elf_loaded l = {xcalloc(1, sizeof(*l.object)), loader};

	*l.object = MOVE(*o);
	know(p, l.object->name, p->map.count);
	know(p, l.object->elf.soname, p->map.count);
	list_push(&p->map, l);
	return l.object;
}

/* How messages call an object: what the user built, by its file. */
static const char *title(const struct elf_object *o)
{
	return o->how == ELF_FOUND_GIVEN ? o->place.file : o->opened;
}

/* by needs `what` name: say so, and what was passed over on the way. */
static int missing(const struct elf_process *p, const struct elf_object *by, const char *what,
				   const char *name, struct error *err)
{
	const struct elf_search *s = &p->search;

	if (p->missing)
		snprintf(p->missing, ELF_NAME_MAX, "%s", name);
	if (!s->foreign)
		return err_set(err, ERR_MISSING, "%s needs %s%s, which is not here", title(by), what, name);
	return err_set(err, ERR_MISSING, "%s needs %s%s, which is not here; %s is for %s", title(by),
				   what, name, s->foreign, s->foreign_arch ? s->foreign_arch : "another machine");
}

static int add_program(struct elf_process *p, const char *path, struct error *err)
{
	AUTO(elf_object) struct elf_object o = {0};
	int found = elf_view_find(p->search.view, path, &o.place, err);

	if (found < 0)
		return -1;
	if (found == 0)
		return err_set(err, ERR_MISSING, "there is no %s", path);
	if (elf_file_read(o.place.file, &o.elf, err) < 0)
		return -1;
	if (o.elf.type != ELF_EXECUTABLE && o.elf.type != ELF_SHARED)
		return err_set(err, ERR_INPUT, "%s is neither a program nor a library", o.place.file);
	o.opened = elf_clean_path(path);
	return elf_search_start(&p->search, add_object(p, &o, 0), err);
}

/* Is it where the programs will run? Fills what is known of it. */
static bool find_elsewhere(const struct elf_process *p, const char *name, struct elf_object *out)
{
	const struct elf_closure_request *r = p->request;
	char *path = r->elsewhere ? r->elsewhere(r->user, name) : NULL;

	if (!path)
		return false;
	out->opened = path;
	out->place.path = xstrdup(path);
	out->how = ELF_FOUND_IMAGE;
	return true;
}

static int add_interpreter(struct elf_process *p, struct error *err)
{
	const struct elf_object *program = p->map.items[0].object;
	const char *path = program->elf.interpreter;
	AUTO(elf_object) struct elf_object o = {0};
	int found;

	if (!path)
		return 0;
	found = elf_search_open(&p->search, path, ELF_FOUND_INTERPRETER, &o, err);
	if (found < 0)
		return err_wrap(err, "the interpreter of %s", title(program));
	if (found == 0 && !find_elsewhere(p, path, &o)) {
		missing(p, program, "the interpreter ", path, err);
		if (p->missing)
			snprintf(p->missing, ELF_NAME_MAX, "%s", fs_basename(path));
		return -1;
	}
	o.name = xstrdup(path);
	o.needed_by = xstrdup(program->opened);
	add_object(p, &o, 0);
	return 0;
}

/* Look for what the object at index `by` asks for. 1: it is loaded now, or was before; 0: it is
 * nowhere. */
static int load_name(struct elf_process *p, size_t by, const char *name, enum elf_asked_by asked,
					 struct error *err)
{
	AUTO_FREE const struct elf_object **chain = NULL;
	AUTO(elf_object) struct elf_object o = {0};
	size_t depth = 2;
	int rc;

	if (find_loaded(p, name) >= 0 || elf_search_is_builtin(&p->search, name))
		return 1;
	if (p->map.count > ELF_MAX_NEEDED)
		return err_set(err, ERR_INPUT, "%s needs more than %d libraries",
					   title(p->map.items[0].object), ELF_MAX_NEEDED);
	/* who loaded whom, up to the program: DT_RPATH is inherited along it */
	for (size_t i = by; i != 0; i = p->map.items[i].loader)
		depth++;
	chain = xcalloc(depth, sizeof(const struct elf_object *));
	for (size_t i = by, n = 0; n + 1 < depth; i = p->map.items[i].loader)
		chain[n++] = p->map.items[i].object;
	rc = elf_search_find(&p->search, chain, name, &o, err);
	if (rc < 0)
		return err_wrap(err, "%s needs %s", title(chain[0]), name);
	if (rc == 0 && !find_elsewhere(p, name, &o))
		return 0;
	o.name = xstrdup(name);
	o.needed_by = xstrdup(chain[0]->opened);
	o.asked = asked;
	add_object(p, &o, by);
	return 1;
}

static int load_needed(struct elf_process *p, size_t by, struct error *err)
{
	for (size_t k = 0; k < p->map.items[by].object->elf.needed.count; k++) {
		const struct elf_object *o = p->map.items[by].object;
		const char *name = o->elf.needed.items[k];
		int rc = load_name(p, by, name, ELF_ASKED_START, err);

		if (rc <= 0)
			return rc < 0 ? -1 : missing(p, o, "", name, err);
	}
	return 0;
}

static void add_absent(struct elf_process *p, const struct elf_object *by, const char *name,
					   const char *feature, enum elf_priority priority)
{
	p->absent = xrealloc(p->absent, p->absent_count + 1, sizeof(*p->absent));
	p->absent[p->absent_count++] = (struct elf_absent){
		.by = xstrdup(title(by)),
		.name = xstrdup(name),
		.feature = xstrdup_opt(feature),
		.priority = priority,
	};
}

/* One of the sonames, the earlier the better. */
static int load_dlopen(struct elf_process *p, size_t by, const struct elf_dlopen *d,
					   struct error *err)
{
	const struct elf_object *o = p->map.items[by].object;
	const char *first = d->sonames.items[0];
	int rc = 0;

	for (size_t i = 0; i < d->sonames.count; i++)
		if (find_loaded(p, d->sonames.items[i]) >= 0)
			return 0;
	for (size_t i = 0; rc == 0 && d->priority != ELF_SUGGESTED && i < d->sonames.count; i++)
		rc = load_name(p, by, d->sonames.items[i], ELF_ASKED_NOTE, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (d->priority == ELF_REQUIRED)
		return missing(p, o, "", first, err);
	add_absent(p, o, first, d->feature ? d->feature : d->description, d->priority);
	return 0;
}

static int load_dlopens(struct elf_process *p, size_t by, struct error *err)
{
	for (size_t k = 0; k < p->map.items[by].object->elf.dlopen_count; k++)
		if (load_dlopen(p, by, &p->map.items[by].object->elf.dlopens[k], err) < 0)
			return -1;
	return 0;
}

/* The first that calls one of these functions, libraries of glibc aside; NULL: nobody. */
static const struct elf_object *first_user(const struct elf_process *p, unsigned uses)
{
	for (size_t i = 0; i < p->map.count; i++)
		if (p->map.items[i].object->elf.uses & uses)
			return p->map.items[i].object;
	return NULL;
}

/* What glibc opens by itself (nptl/ and nss/ of its sources). */
static int load_for_libc(struct elf_process *p, struct error *err)
{
	static const struct {
		unsigned uses;
		bool only_old; /* part of libc.so.6 since glibc 2.34 */
		const char *name, *feature;
	} table[] = {
		{ELF_USES_UNWIND, false, "libgcc_s.so.1", "pthread_exit, pthread_cancel, backtrace"},
		{ELF_USES_HOSTS | ELF_USES_USERS, true, "libnss_files.so.2", "/etc/passwd, /etc/hosts"},
		{ELF_USES_HOSTS, true, "libnss_dns.so.2", "names of hosts"},
	};
	ssize_t libc = find_loaded(p, "libc.so.6");

	for (size_t i = 0; libc >= 0 && i < ARRAY_LEN(table); i++) {
		const struct elf_object *user = first_user(p, table[i].uses);
		const struct strv *versions = &p->map.items[libc].object->elf.versions;
		size_t before = p->map.count;
		int rc;

		if (!user || (table[i].only_old && (!versions->count || strv_has(versions, "GLIBC_2.34"))))
			continue;
		rc = load_name(p, (size_t)libc, table[i].name, ELF_ASKED_LIBC, err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			add_absent(p, user, table[i].name, table[i].feature, ELF_RECOMMENDED);
		if (p->map.count > before) {
			struct elf_object *o = p->map.items[before].object;

			free(o->needed_by);
			o->needed_by = xstrdup(user->opened);
		}
	}
	return 0;
}

static int add_edge(struct elf_process *p, size_t user, const char *name, struct error *err)
{
	ssize_t provider = find_loaded(p, name);

	if (provider < 0)
		return 0;
	if (p->edges.count == ELF_MAX_EDGES)
		return err_set(err, ERR_INPUT, "%s: its libraries need each other more than %u times",
					   title(p->map.items[0].object), ELF_MAX_EDGES);
	list_push(&p->edges, ((struct elf_edge){user, (size_t)provider}));
	return 0;
}

static int add_edges(struct elf_process *p, size_t user, struct error *err)
{
	const struct elf_file *f = &p->map.items[user].object->elf;

	for (size_t i = 0; i < f->needed.count; i++)
		if (add_edge(p, user, f->needed.items[i], err) < 0)
			return -1;
	/* nearly always among these, and one file after the other */
	for (size_t i = 0; i < f->need_count; i++)
		if ((i == 0 || strcmp(f->needs[i].file, f->needs[i - 1].file) != 0) &&
			add_edge(p, user, f->needs[i].file, err) < 0)
			return -1;
	for (size_t i = 0; i < f->dlopen_count; i++)
		for (size_t k = 0; k < f->dlopens[i].sonames.count; k++)
			if (add_edge(p, user, f->dlopens[i].sonames.items[k], err) < 0)
				return -1;
	return 0;
}

/* In the order of a running program: what it starts with, what it opens, and for each of these
 * again what they need. */
static int load_all(struct elf_process *p, struct error *err)
{
	size_t needed = 0, dlopens = 0;
	bool libc_done = p->request->start_only;

	for (;;) {
		int rc;

		if (needed < p->map.count) {
			rc = load_needed(p, needed++, err);
		} else if (!p->request->start_only && dlopens < p->map.count) {
			rc = load_dlopens(p, dlopens++, err);
		} else if (!libc_done) {
			libc_done = true;
			rc = load_for_libc(p, err);
		} else {
			return 0;
		}
		if (rc < 0)
			return -1;
	}
}

int elf_process_load(struct elf_process *p, const char *program, struct error *err)
{
	if (add_program(p, program, err) < 0 || add_interpreter(p, err) < 0 || load_all(p, err) < 0)
		return -1;
	for (size_t i = 0; i < p->map.count; i++)
		if (add_edges(p, i, err) < 0)
			return -1;
	return 0;
}
