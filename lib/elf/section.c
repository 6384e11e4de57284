#include "elf/section.h"

#include "base/auto.h"
#include "base/mem.h"
#include "elf/reader.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* The table of section headers. */
struct table {
	uint64_t offset;
	unsigned entry, count, names;
};

static int read_table(const struct elf_reader *r, struct table *out, struct error *err)
{
	unsigned char header[sizeof(Elf64_Ehdr)] = {0};
	bool wide = r->f->is_64;
	size_t len = wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	struct table t;

	if (elf_read_at(r, 0, header, len, err) < 0)
		return -1;
	t.offset =
		elf_get_word(r, header, offsetof(Elf32_Ehdr, e_shoff), offsetof(Elf64_Ehdr, e_shoff));
	t.entry = (unsigned)elf_get(
		r, header + (wide ? offsetof(Elf64_Ehdr, e_shentsize) : offsetof(Elf32_Ehdr, e_shentsize)),
		2);
	t.count = (unsigned)elf_get(
		r, header + (wide ? offsetof(Elf64_Ehdr, e_shnum) : offsetof(Elf32_Ehdr, e_shnum)), 2);
	t.names = (unsigned)elf_get(
		r, header + (wide ? offsetof(Elf64_Ehdr, e_shstrndx) : offsetof(Elf32_Ehdr, e_shstrndx)),
		2);
	if (t.count > 0 &&
		(t.entry != (wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)) || t.names >= t.count ||
		 !elf_is_within(r, t.offset, (uint64_t)t.entry * t.count)))
		return err_set(err, ERR_INPUT, "%s: its section headers are malformed", r->name);
	*out = t;
	return 0;
}

struct header {
	uint32_t name, type;
	uint64_t offset, size;
};

static int read_header(const struct elf_reader *r, const struct table *t, unsigned i,
					   struct header *out, struct error *err)
{
	unsigned char raw[sizeof(Elf64_Shdr)] = {0};

	if (elf_read_at(r, t->offset + (uint64_t)i * t->entry, raw, t->entry, err) < 0)
		return -1;
	out->name = (uint32_t)elf_get(r, raw, 4);
	out->type = (uint32_t)elf_get(r, raw + 4, 4);
	out->offset =
		elf_get_word(r, raw, offsetof(Elf32_Shdr, sh_offset), offsetof(Elf64_Shdr, sh_offset));
	out->size = elf_get_word(r, raw, offsetof(Elf32_Shdr, sh_size), offsetof(Elf64_Shdr, sh_size));
	return 0;
}

static int read_name(const struct elf_reader *r, const struct table *t, uint32_t at,
					 char out[ELF_SECTION_NAME], struct error *err)
{
	struct header names;
	uint64_t left;

	if (read_header(r, t, t->names, &names, err) < 0)
		return -1;
	if (!elf_is_within(r, names.offset, names.size) || at >= names.size)
		return err_set(err, ERR_INPUT, "%s: a section's name lies outside of the file", r->name);
	left = names.size - at;
	if (left > ELF_SECTION_NAME - 1)
		left = ELF_SECTION_NAME - 1;
	memset(out, 0, ELF_SECTION_NAME);
	return elf_read_at(r, names.offset + at, out, (size_t)left, err);
}

void elf_sections_release(struct elf_sections *s)
{
	free(s->items);
	*s = (struct elf_sections){0};
}

static int read_sections(const struct elf_reader *r, struct elf_sections *out, struct error *err)
{
	struct table t;
	struct header h;

	if (read_table(r, &t, err) < 0)
		return -1;
	out->items = xcalloc(t.count + 1, sizeof(out->items[0]));
	for (unsigned i = 0; i < t.count; i++) {
		struct elf_section *s = &out->items[out->count];

		if (read_header(r, &t, i, &h, err) < 0)
			return -1;
		if (h.type == SHT_NULL || h.type == SHT_NOBITS)
			continue;
		s->offset = h.offset;
		s->size = h.size;
		if (read_name(r, &t, h.name, s->name, err) < 0)
			return -1;
		out->count++;
	}
	return 0;
}

int elf_sections_read(const char *path, struct elf_sections *out, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	AUTO(elf_file) struct elf_file f = {0};
	AUTO(elf_sections) struct elf_sections found = {0};
	struct elf_reader r = {.fd = fd, .name = path, .f = &f};
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, "cannot open %s", path);
	r.size = (uint64_t)st.st_size;
	if (elf_file_read_fd(fd, path, &f, err) < 0 || read_sections(&r, &found, err) < 0)
		return -1;
	*out = MOVE(found);
	return 0;
}

const struct elf_section *elf_section_at(const struct elf_sections *s, uint64_t offset)
{
	for (size_t i = 0; i < s->count; i++)
		if (offset >= s->items[i].offset && offset - s->items[i].offset < s->items[i].size)
			return &s->items[i];
	return NULL;
}

const struct elf_section *elf_section_find(const struct elf_sections *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->items[i].name, name) == 0)
			return &s->items[i];
	return NULL;
}
