#include "make.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <string.h>

/* A file while it is made; parts are laid one behind the other. */
struct maker {
	const struct made *m;
	struct buf strings, dynamic, note, needs, versions, hash, symbols;
	uint64_t need_count, version_count;
};

static void maker_release(struct maker *k)
{
	struct buf *parts[] = {&k->strings,  &k->dynamic, &k->note,   &k->needs,
						   &k->versions, &k->hash,    &k->symbols};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_release(parts[i]);
}

static void put(const struct maker *k, struct buf *b, uint64_t value, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		buf_addc(b, (char)(value >> 8 * (k->m->is_big_endian ? width - 1 - i : i)));
}

static void put_word(const struct maker *k, struct buf *b, uint64_t value)
{
	put(k, b, value, k->m->is_32 ? 4 : 8);
}

static uint64_t add_text(struct maker *k, const char *text)
{
	uint64_t at = k->strings.len;

	buf_add(&k->strings, text, strlen(text) + 1);
	return at;
}

static void add_entry(struct maker *k, uint64_t tag, uint64_t value)
{
	put_word(k, &k->dynamic, tag);
	put_word(k, &k->dynamic, value);
}

static void add_texts(struct maker *k)
{
	const struct made *m = k->m;

	buf_addc(&k->strings, '\0');
	for (size_t i = 0; i < ARRAY_LEN(m->needed) && m->needed[i]; i++)
		add_entry(k, DT_NEEDED, add_text(k, m->needed[i]));
	if (m->soname)
		add_entry(k, DT_SONAME, add_text(k, m->soname));
	if (m->rpath)
		add_entry(k, DT_RPATH, add_text(k, m->rpath));
	if (m->runpath)
		add_entry(k, DT_RUNPATH, add_text(k, m->runpath));
	if (m->flags_1)
		add_entry(k, DT_FLAGS_1, m->flags_1);
}

static void add_needs(struct maker *k)
{
	const struct made_need *n = k->m->needs;
	size_t count = 0;

	while (count < ARRAY_LEN(k->m->needs) && n[count].file)
		count++;
	for (size_t i = 0, same; i < count; i += same) {
		for (same = 1; i + same < count && strcmp(n[i].file, n[i + same].file) == 0;)
			same++;
		put(k, &k->needs, VER_NEED_CURRENT, 2);
		put(k, &k->needs, same, 2);
		put(k, &k->needs, add_text(k, n[i].file), 4);
		put(k, &k->needs, 16, 4);
		put(k, &k->needs, i + same < count ? 16 * (same + 1) : 0, 4);
		for (size_t v = i; v < i + same; v++) {
			put(k, &k->needs, 0, 4);
			put(k, &k->needs, n[v].is_weak ? VER_FLG_WEAK : 0, 2);
			put(k, &k->needs, v + 2, 2);
			put(k, &k->needs, add_text(k, n[v].version), 4);
			put(k, &k->needs, v + 1 < i + same ? 16 : 0, 4);
		}
		k->need_count++;
	}
}

static void add_version(struct maker *k, const char *name, unsigned flags, bool is_last)
{
	put(k, &k->versions, VER_DEF_CURRENT, 2);
	put(k, &k->versions, flags, 2);
	put(k, &k->versions, ++k->version_count, 2);
	put(k, &k->versions, 1, 2);
	put(k, &k->versions, 0, 4);
	put(k, &k->versions, 20, 4);
	put(k, &k->versions, is_last ? 0 : 28, 4);
	put(k, &k->versions, add_text(k, name), 4);
	put(k, &k->versions, 0, 4);
}

static void add_versions(struct maker *k)
{
	const char *const *v = k->m->versions;

	if (!v[0])
		return;
	add_version(k, k->m->soname ? k->m->soname : "itself", VER_FLG_BASE, false);
	for (size_t i = 0; i < ARRAY_LEN(k->m->versions) && v[i]; i++)
		add_version(k, v[i], 0, i + 1 == ARRAY_LEN(k->m->versions) || !v[i + 1]);
}

static void add_symbol(struct maker *k, uint64_t name, unsigned bind)
{
	put(k, &k->symbols, name, 4);
	if (k->m->is_32)
		put(k, &k->symbols, 0, 8);
	put(k, &k->symbols, ELF64_ST_INFO(bind, STT_FUNC), 1);
	put(k, &k->symbols, 0, 1);
	put(k, &k->symbols, SHN_UNDEF, 2);
	if (k->m->is_32)
		return;
	put(k, &k->symbols, 0, 8);
	put(k, &k->symbols, 0, 8);
}

static void add_imports(struct maker *k)
{
	const char *const *names = k->m->imports;
	uint64_t count = 1;

	if (!names[0])
		return;
	add_symbol(k, 0, STB_LOCAL);
	for (size_t i = 0; i < ARRAY_LEN(k->m->imports) && names[i]; i++, count++) {
		bool is_weak = names[i][0] == '?';

		add_symbol(k, add_text(k, names[i] + is_weak), is_weak ? STB_WEAK : STB_GLOBAL);
	}
	put(k, &k->hash, 1, 4);
	put(k, &k->hash, k->m->hash == MADE_EMPTY_GNU_HASH ? 1 : count, 4);
	put(k, &k->hash, 1, 4);
	put(k, &k->hash, 0, 4);
}

static void add_notes(struct maker *k)
{
	for (size_t i = 0; i < ARRAY_LEN(k->m->dlopens) && k->m->dlopens[i]; i++) {
		size_t len = strlen(k->m->dlopens[i]) + 1;

		put(k, &k->note, 4, 4);
		put(k, &k->note, len, 4);
		put(k, &k->note, 0x407c0c0a, 4);
		buf_add(&k->note, "FDO", 4);
		buf_add(&k->note, k->m->dlopens[i], len);
		while (k->note.len % 4)
			buf_addc(&k->note, '\0');
	}
}

static void put_segment(const struct maker *k, struct buf *b, uint32_t type, uint64_t offset,
						uint64_t len)
{
	put(k, b, type, 4);
	if (!k->m->is_32)
		put(k, b, PF_R, 4);
	put_word(k, b, offset);
	put_word(k, b, offset);
	put_word(k, b, 0);
	put_word(k, b, len);
	put_word(k, b, len);
	if (k->m->is_32)
		put(k, b, PF_R, 4);
	put_word(k, b, 4);
}

static void put_header(const struct maker *k, struct buf *b, unsigned segments)
{
	const struct made *m = k->m;
	const unsigned char ident[EI_NIDENT] = {0x7f,
											'E',
											'L',
											'F',
											m->is_32 ? ELFCLASS32 : ELFCLASS64,
											m->is_big_endian ? ELFDATA2MSB : ELFDATA2LSB,
											EV_CURRENT};
	unsigned size = m->is_32 ? sizeof(Elf32_Ehdr) : sizeof(Elf64_Ehdr);

	buf_add(b, ident, sizeof(ident));
	put(k, b, ET_DYN, 2);
	put(k, b, m->machine ? m->machine : EM_X86_64, 2);
	put(k, b, EV_CURRENT, 4);
	put_word(k, b, 0);
	put_word(k, b, size);
	put_word(k, b, 0);
	put(k, b, 0, 4);
	put(k, b, size, 2);
	put(k, b, m->is_32 ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr), 2);
	put(k, b, segments, 2);
	put(k, b, 0, 6);
}

/* The tables' entries of the dynamic section; its length is known before the addresses are. */
static void add_tables(struct maker *k, const struct made_at *at, uint64_t hash, uint64_t symbols)
{
	if (k->need_count) {
		add_entry(k, DT_VERNEED, at->needs);
		add_entry(k, DT_VERNEEDNUM, k->need_count);
	}
	if (k->version_count) {
		add_entry(k, DT_VERDEF, at->versions);
		add_entry(k, DT_VERDEFNUM, k->version_count);
	}
	if (k->symbols.len) {
		add_entry(k, k->m->hash == MADE_OLD_HASH ? DT_HASH : DT_GNU_HASH, hash);
		add_entry(k, DT_SYMTAB, symbols);
	}
	add_entry(k, DT_STRTAB, at->strings);
	add_entry(k, DT_STRSZ, k->strings.len);
	add_entry(k, DT_NULL, 0);
}

void make_elf(const struct made *m, struct buf *out, struct made_at *at)
{
	AUTO(maker) struct maker k = {.m = m};
	struct made_at where = {.program_headers = m->is_32 ? sizeof(Elf32_Ehdr) : sizeof(Elf64_Ehdr)};
	size_t entry = m->is_32 ? sizeof(Elf32_Dyn) : sizeof(Elf64_Dyn);
	size_t interpreter_len = m->interpreter ? strlen(m->interpreter) + 1 : 0;
	size_t interpreter, note, hash, symbols, end;

	add_texts(&k);
	add_needs(&k);
	add_versions(&k);
	add_imports(&k);
	add_notes(&k);
	interpreter = where.program_headers + 4 * (m->is_32 ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr));
	note = interpreter + interpreter_len;
	where.needs = note + k.note.len;
	where.versions = where.needs + k.needs.len;
	hash = where.versions + k.versions.len;
	where.dynamic = hash + k.hash.len;
	symbols = where.dynamic + k.dynamic.len +
			  entry * (3 + 2 * !!k.need_count + 2 * !!k.version_count + 2 * !!k.symbols.len);
	where.strings = symbols + k.symbols.len;
	end = where.strings + k.strings.len;
	add_tables(&k, &where, hash, symbols);
	put_header(&k, out, 2 + !!m->interpreter + !!k.note.len);
	put_segment(&k, out, PT_LOAD, 0, end);
	put_segment(&k, out, PT_DYNAMIC, where.dynamic, k.dynamic.len);
	if (m->interpreter)
		put_segment(&k, out, PT_INTERP, interpreter, interpreter_len);
	if (k.note.len)
		put_segment(&k, out, PT_NOTE, note, k.note.len);
	while (out->len < interpreter)
		buf_addc(out, '\0');
	buf_add(out, m->interpreter ? m->interpreter : "", interpreter_len);
	buf_add(out, buf_str(&k.note), k.note.len);
	buf_add(out, buf_str(&k.needs), k.needs.len);
	buf_add(out, buf_str(&k.versions), k.versions.len);
	buf_add(out, buf_str(&k.hash), k.hash.len);
	buf_add(out, k.dynamic.data, k.dynamic.len);
	buf_add(out, buf_str(&k.symbols), k.symbols.len);
	buf_add(out, k.strings.data, k.strings.len);
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
