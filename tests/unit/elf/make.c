#include "make.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <string.h>

static uint64_t add_text(struct buf *strings, const char *text)
{
	uint64_t at = strings->len;

	buf_add(strings, text, strlen(text) + 1);
	return at;
}

static void add_entry(struct buf *dynamic, int64_t tag, uint64_t value)
{
	Elf64_Dyn d = {.d_tag = tag, .d_un = {.d_val = value}};

	buf_add(dynamic, &d, sizeof(d));
}

static void add_texts(const struct made *m, struct buf *strings, struct buf *dynamic)
{
	buf_addc(strings, '\0');
	for (size_t i = 0; i < ARRAY_LEN(m->needed) && m->needed[i]; i++)
		add_entry(dynamic, DT_NEEDED, add_text(strings, m->needed[i]));
	if (m->soname)
		add_entry(dynamic, DT_SONAME, add_text(strings, m->soname));
	if (m->rpath)
		add_entry(dynamic, DT_RPATH, add_text(strings, m->rpath));
	if (m->runpath)
		add_entry(dynamic, DT_RUNPATH, add_text(strings, m->runpath));
	if (m->flags_1)
		add_entry(dynamic, DT_FLAGS_1, m->flags_1);
}

void make_elf(const struct made *m, struct buf *out, struct made_at *at)
{
	AUTO(buf) struct buf strings = {0};
	AUTO(buf) struct buf dynamic = {0};
	Elf64_Phdr p[3] = {0};
	size_t interpreter_len = m->interpreter ? strlen(m->interpreter) + 1 : 0;
	struct made_at where = {.program_headers = sizeof(Elf64_Ehdr)};
	Elf64_Ehdr h = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_DYN,
		.e_machine = m->machine ? m->machine : EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = m->interpreter ? 3 : 2,
	};
	size_t start = sizeof(h) + sizeof(p);

	add_texts(m, &strings, &dynamic);
	where.dynamic = start + interpreter_len;
	where.strings = where.dynamic + dynamic.len + 3 * sizeof(Elf64_Dyn);
	add_entry(&dynamic, DT_STRTAB, where.strings);
	add_entry(&dynamic, DT_STRSZ, strings.len);
	add_entry(&dynamic, DT_NULL, 0);
	p[0] = (Elf64_Phdr){.p_type = PT_LOAD,
						.p_filesz = where.strings + strings.len,
						.p_memsz = where.strings + strings.len};
	p[1] = (Elf64_Phdr){.p_type = PT_DYNAMIC,
						.p_offset = where.dynamic,
						.p_vaddr = where.dynamic,
						.p_filesz = dynamic.len,
						.p_memsz = dynamic.len};
	p[2] = (Elf64_Phdr){.p_type = PT_INTERP,
						.p_offset = start,
						.p_vaddr = start,
						.p_filesz = interpreter_len,
						.p_memsz = interpreter_len};
	buf_add(out, &h, sizeof(h));
	buf_add(out, p, sizeof(p));
	buf_add(out, m->interpreter ? m->interpreter : "", interpreter_len);
	buf_add(out, dynamic.data, dynamic.len);
	buf_add(out, strings.data, strings.len);
	if (at)
		*at = where;
}

void put_file(const char *dir, const char *path, const void *data, size_t len)
{
	AUTO_FREE char *full = fs_join(dir, path);
	AUTO_FREE char *parent = fs_dirname(full);
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(parent, 0755, &err), 0, "%s", err.msg);
	cr_assert_eq(fs_write_atomic(full, data, len, 0755, &err), 0, "%s", err.msg);
}

void put_elf(const char *dir, const char *path, const struct made *m)
{
	AUTO(buf) struct buf b = {0};

	make_elf(m, &b, NULL);
	put_file(dir, path, b.data, b.len);
}
