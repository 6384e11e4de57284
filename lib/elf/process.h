/* process.h - one program and what is loaded for it, as the loader's link map has it; closure.h
 * puts several together. */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "elf/search.h"

struct elf_loaded {
	struct elf_object *object;
	size_t loader; /* who asked first; of the program: itself */
};

/* A zeroed struct with request, view and tables set is ready for elf_process_load. */
struct elf_process {
	struct elf_search search;
	const struct elf_closure_request *request;
	char *missing; /* ELF_NAME_MAX bytes, or NULL */
	LIST(struct elf_loaded) map;
	struct map names;            /* name asked for, or soname -> index into map, plus 1 */
	LIST(struct elf_edge) edges; /* indexes into map; one may stand there twice */
	struct elf_absent *absent;
	size_t absent_count;
};

void elf_process_release(struct elf_process *p);
int elf_process_load(struct elf_process *p, const char *program, struct error *err);
void elf_object_release(struct elf_object *o);
void elf_absent_release(struct elf_absent *a);
