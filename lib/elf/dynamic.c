#include "elf/reader.h"

#include "base/auto.h"
#include "base/mem.h"

#include <elf.h>
#include <stdlib.h>

static uint64_t dynamic_tag(const struct elf_reader *r, const struct elf_dynamic *d, size_t i)
{
	return elf_get(r, d->data + i * d->entry, d->entry / 2);
}

static uint64_t dynamic_value(const struct elf_reader *r, const struct elf_dynamic *d, size_t i)
{
	return elf_get(r, d->data + i * d->entry + d->entry / 2, d->entry / 2);
}

/* Where the tables are; the section's end comes first, since nothing behind it counts. */
static int find_end(const struct elf_reader *r, struct elf_dynamic *d, struct error *err)
{
	size_t n = 0;

	while (n < d->count && dynamic_tag(r, d, n) != DT_NULL)
		n++;
	if (n == d->count)
		return err_set(err, ERR_INPUT, "%s: its dynamic section has no end", r->name);
	d->count = n;
	return 0;
}

static void find_tables(const struct elf_reader *r, struct elf_dynamic *d)
{
	const struct {
		uint64_t tag, *slot;
	} slots[] = {
		{DT_STRTAB, &d->strings_address},
		{DT_STRSZ, &d->strings_size},
		{DT_VERNEED, &d->needs},
		{DT_VERNEEDNUM, &d->need_count},
		{DT_VERDEF, &d->defs},
		{DT_VERDEFNUM, &d->def_count},
		{DT_SYMTAB, &d->symbols},
		{DT_HASH, &d->hash},
		{DT_GNU_HASH, &d->gnu_hash},
	};

	for (size_t i = 0; i < d->count; i++)
		for (size_t k = 0; k < ARRAY_LEN(slots); k++)
			if (dynamic_tag(r, d, i) == slots[k].tag)
				*slots[k].slot = dynamic_value(r, d, i);
}

static int find_strings(const struct elf_reader *r, struct elf_dynamic *d, struct error *err)
{
	uint64_t left = 0;

	if (d->strings_address == 0) {
		d->strings_size = 0;
		return 0;
	}
	if (!elf_to_offset(r, d->strings_address, &d->strings, &left) || d->strings_size > left)
		return err_set(err, ERR_INPUT, "%s: its string table lies outside of the file", r->name);
	return 0;
}

int elf_read_string(const struct elf_reader *r, const struct elf_dynamic *d, uint64_t at,
					const char *what, char **out, struct error *err)
{
	if (at >= d->strings_size)
		return err_set(err, ERR_INPUT, "%s: %s lies outside of the string table", r->name, what);
	return elf_read_text(r, d->strings + at, d->strings_size - at, what, out, err);
}

static int replace_text(const struct elf_reader *r, const struct elf_dynamic *d, size_t i,
						const char *what, char **slot, struct error *err)
{
	char *text = NULL;

	if (elf_read_string(r, d, dynamic_value(r, d, i), what, &text, err) < 0)
		return -1;
	free(*slot);
	*slot = text;
	return 0;
}

static int add_needed(const struct elf_reader *r, const struct elf_dynamic *d, size_t i,
					  struct error *err)
{
	char *text = NULL;

	if (r->f->needed.count >= ELF_MAX_NEEDED)
		return err_set(err, ERR_INPUT, "%s needs more than %d libraries", r->name, ELF_MAX_NEEDED);
	if (elf_read_string(r, d, dynamic_value(r, d, i), "the name of a needed library", &text, err) <
		0)
		return -1;
	strv_take(&r->f->needed, text);
	if (text[0] == '\0')
		return err_set(err, ERR_INPUT, "%s needs a library without a name", r->name);
	return 0;
}

static int take_dynamic(const struct elf_reader *r, const struct elf_dynamic *d, size_t i,
						struct error *err)
{
	struct elf_file *f = r->f;
	uint64_t value = dynamic_value(r, d, i);

	switch (dynamic_tag(r, d, i)) {
	case DT_NEEDED:
		return add_needed(r, d, i, err);
	case DT_SONAME:
		return replace_text(r, d, i, "its soname", &f->soname, err);
	case DT_RPATH:
		return replace_text(r, d, i, "its rpath", &f->rpath, err);
	case DT_RUNPATH:
		return replace_text(r, d, i, "its runpath", &f->runpath, err);
	case DT_VERSYM:
		f->has_versions = true;
		return 0;
	case DT_BIND_NOW:
		f->binds_now = true;
		return 0;
	case DT_FLAGS:
		f->binds_now |= (value & DF_BIND_NOW) != 0;
		return 0;
	case DT_FLAGS_1:
		f->binds_now |= (value & DF_1_NOW) != 0;
		f->is_pie |= (value & DF_1_PIE) != 0;
		f->no_default_lib |= (value & DF_1_NODEFLIB) != 0;
		return 0;
	default:
		return 0;
	}
}

int elf_read_dynamic(const struct elf_reader *r, const struct elf_segment *s, struct error *err)
{
	struct elf_dynamic d = {.entry = r->f->is_64 ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn)};
	AUTO_FREE unsigned char *data = NULL;

	if (r->f->is_dynamic)
		return err_set(err, ERR_INPUT, "%s has two dynamic sections", r->name);
	if (s->file_size > ELF_MAX_DYNAMIC_BYTES)
		return err_set(err, ERR_INPUT, "%s: its dynamic section is larger than %u bytes", r->name,
					   ELF_MAX_DYNAMIC_BYTES);
	r->f->is_dynamic = true;
	data = xmalloc((size_t)s->file_size);
	d.data = data;
	d.count = (size_t)s->file_size / d.entry;
	if (elf_read_at(r, s->offset, data, (size_t)s->file_size, err) < 0 || find_end(r, &d, err) < 0)
		return -1;
	find_tables(r, &d);
	if (find_strings(r, &d, err) < 0)
		return -1;
	for (size_t i = 0; i < d.count; i++)
		if (take_dynamic(r, &d, i, err) < 0)
			return -1;
	if (elf_read_versions(r, &d, err) < 0)
		return -1;
	return elf_read_imports(r, &d, err);
}
