/* The GNU symbol versions that a file needs and defines (LSB Core, "Symbol Versioning"). Both
 * tables are chains of records by relative offsets, the same in 32 and in 64 bits. */
#include "elf/reader.h"

#include "base/auto.h"
#include "base/mem.h"

#include <elf.h>
#include <stdlib.h>

#define WHAT "the name of a symbol version"

/* A chain: where in the file it is, how many bytes are there, and the next record. */
struct table {
	uint64_t offset, left;
	uint64_t at;
	uint64_t count; /* records still to come */
};

static int find_table(const struct elf_reader *r, uint64_t address, struct table *t,
					  struct error *err)
{
	if (address == 0)
		t->count = 0;
	if (t->count > ELF_MAX_VERSIONS)
		return err_set(err, ERR_INPUT, "%s has more than %d symbol versions", r->name,
					   ELF_MAX_VERSIONS);
	if (t->count && !elf_to_offset(r, address, &t->offset, &t->left))
		return err_set(err, ERR_INPUT, "%s: its symbol versions lie outside of the file", r->name);
	return 0;
}

static int read_record(const struct elf_reader *r, const struct table *t, uint64_t at, void *out,
					   size_t len, struct error *err)
{
	if (len > t->left || at > t->left - len)
		return err_set(err, ERR_INPUT, "%s: its symbol versions lie outside of the file", r->name);
	return elf_read_at(r, t->offset + at, out, len, err);
}

/* To the record `by` bytes further; 0 marks the last one. */
static void advance(struct table *t, uint64_t by)
{
	t->at += by;
	t->count = by ? t->count - 1 : 0;
}

static int add_need(const struct elf_reader *r, const struct elf_dynamic *d,
					const unsigned char *aux, const char *file, struct error *err)
{
	struct elf_file *f = r->f;
	char *version = NULL;

	if (f->need_count >= ELF_MAX_VERSIONS)
		return err_set(err, ERR_INPUT, "%s has more than %d symbol versions", r->name,
					   ELF_MAX_VERSIONS);
	if (elf_read_string(r, d, elf_get(r, aux + 8, 4), WHAT, &version, err) < 0)
		return -1;
	f->needs = xrealloc(f->needs, f->need_count + 1, sizeof(*f->needs));
	f->needs[f->need_count++] = (struct elf_version_need){
		.file = xstrdup(file),
		.version = version,
		.is_weak = (elf_get(r, aux + 4, 2) & VER_FLG_WEAK) != 0,
	};
	return 0;
}

/* The versions needed of one file. */
static int read_need(const struct elf_reader *r, const struct elf_dynamic *d, struct table *t,
					 struct error *err)
{
	unsigned char need[sizeof(Elf64_Verneed)], aux[sizeof(Elf64_Vernaux)];
	AUTO_FREE char *file = NULL;
	struct table chain = *t;

	if (read_record(r, t, t->at, need, sizeof(need), err) < 0 ||
		elf_read_string(r, d, elf_get(r, need + 4, 4), "the file of a symbol version", &file, err) <
			0)
		return -1;
	chain.at += elf_get(r, need + 8, 4);
	chain.count = elf_get(r, need + 2, 2);
	while (chain.count > 0) {
		if (read_record(r, t, chain.at, aux, sizeof(aux), err) < 0 ||
			add_need(r, d, aux, file, err) < 0)
			return -1;
		advance(&chain, elf_get(r, aux + 12, 4));
	}
	advance(t, elf_get(r, need + 12, 4));
	return 0;
}

/* The first name of a definition is its own; those behind it are of its parents. */
static int read_def(const struct elf_reader *r, const struct elf_dynamic *d, struct table *t,
					struct error *err)
{
	unsigned char def[sizeof(Elf64_Verdef)], aux[sizeof(Elf64_Verdaux)];
	char *version = NULL;

	if (read_record(r, t, t->at, def, sizeof(def), err) < 0)
		return -1;
	if (!(elf_get(r, def + 2, 2) & VER_FLG_BASE) && elf_get(r, def + 6, 2) > 0) {
		if (read_record(r, t, t->at + elf_get(r, def + 12, 4), aux, sizeof(aux), err) < 0 ||
			elf_read_string(r, d, elf_get(r, aux, 4), WHAT, &version, err) < 0)
			return -1;
		strv_take(&r->f->versions, version);
	}
	advance(t, elf_get(r, def + 16, 4));
	return 0;
}

int elf_read_versions(const struct elf_reader *r, const struct elf_dynamic *d, struct error *err)
{
	struct table needs = {.count = d->need_count}, defs = {.count = d->def_count};

	if (find_table(r, d->needs, &needs, err) < 0 || find_table(r, d->defs, &defs, err) < 0)
		return -1;
	while (needs.count > 0)
		if (read_need(r, d, &needs, err) < 0)
			return -1;
	while (defs.count > 0)
		if (read_def(r, d, &defs, err) < 0)
			return -1;
	return 0;
}
