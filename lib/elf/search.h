/* search.h - where a loader looks for one library; closure.h asks it name by name. */
#pragma once

#include "elf/cache.h"
#include "elf/closure.h"

/* What the view's root says about libraries; read once for all programs. */
struct elf_tables {
	bool has_cache;
	struct elf_cache cache;
	struct strv conf_dirs; /* read only where there is no cache */
};

void elf_tables_release(struct elf_tables *t);
int elf_tables_read(const struct elf_view *view, struct elf_tables *out, struct error *err);

/* The search for one program's libraries. view and tables are set by the caller. */
struct elf_search {
	const struct elf_view *view;
	const struct elf_tables *tables;
	const struct elf_object *program;
	struct strv default_dirs;
	bool is_musl;
	char *foreign;            /* the first file passed over as it is for another machine, or NULL */
	const char *foreign_arch; /* NULL: without a name */
};

int elf_search_start(struct elf_search *s, const struct elf_object *program, struct error *err);
void elf_search_end(struct elf_search *s);

/* Is the name part of the loader itself (musl)? */
bool elf_search_is_builtin(const struct elf_search *s, const char *name);

/* Open one path as the loader does: in the first root where a file of the program's machine is.
 * 1: opened, place, elf and how of *out are filled; 0: there is none; -1: a broken file. */
int elf_search_open(struct elf_search *s, const char *path, enum elf_found_by how,
					struct elf_object *out, struct error *err);
/* Find what chain[0] calls `name`; chain goes on with who loaded it, up to the program, and ends
 * with NULL. Answers like elf_search_open; `foreign` is of this search only. */
int elf_search_find(struct elf_search *s, const struct elf_object *const *chain, const char *name,
					struct elf_object *out, struct error *err);
