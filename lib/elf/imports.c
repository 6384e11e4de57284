/* Which functions a file imports that look for more files at run time.
 *
 * The dynamic section does not say how many symbols there are. The old hash table does; in the
 * GNU one, the symbols that it does not hold come first, and imports are among these, unless it
 * is empty: then the table is taken to end where the string table begins, as linkers lay them. */
#include "elf/reader.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 32 /* longer than any name below */
#define WINDOW 4096

static const struct {
	const char *name;
	enum elf_uses uses;
} functions[] = {
	{"getaddrinfo", ELF_USES_HOSTS},     {"getnameinfo", ELF_USES_HOSTS},
	{"gethostbyname", ELF_USES_HOSTS},   {"gethostbyname2", ELF_USES_HOSTS},
	{"gethostbyname_r", ELF_USES_HOSTS}, {"gethostbyname2_r", ELF_USES_HOSTS},
	{"gethostbyaddr", ELF_USES_HOSTS},   {"gethostbyaddr_r", ELF_USES_HOSTS},
	{"getpwnam", ELF_USES_USERS},        {"getpwnam_r", ELF_USES_USERS},
	{"getpwuid", ELF_USES_USERS},        {"getpwuid_r", ELF_USES_USERS},
	{"getgrnam", ELF_USES_USERS},        {"getgrnam_r", ELF_USES_USERS},
	{"getgrgid", ELF_USES_USERS},        {"getgrgid_r", ELF_USES_USERS},
	{"getgrouplist", ELF_USES_USERS},    {"initgroups", ELF_USES_USERS},
	{"iconv_open", ELF_USES_ICONV},      {"setlocale", ELF_USES_LOCALE},
	{"newlocale", ELF_USES_LOCALE},      {"pthread_cancel", ELF_USES_UNWIND},
	{"pthread_exit", ELF_USES_UNWIND},   {"backtrace", ELF_USES_UNWIND},
	{"dlopen", ELF_USES_DLOPEN},         {"dlmopen", ELF_USES_DLOPEN},
};

/* A piece of the string table: names lie there nearly in the order of the symbols. */
struct window {
	uint64_t start;
	size_t len;
	char data[WINDOW];
};

/* The piece that holds the text at `at` as far as it matters here. */
static int move_window(const struct elf_reader *r, const struct elf_dynamic *d, uint64_t at,
					   struct window *w, struct error *err)
{
	uint64_t room = d->strings_size - at;
	size_t want = room < NAME_MAX_LEN ? (size_t)room : NAME_MAX_LEN;

	if (at >= w->start && at - w->start <= w->len && want <= w->len - (at - w->start))
		return 0;
	w->start = at;
	w->len = room < WINDOW ? (size_t)room : WINDOW;
	return elf_read_at(r, d->strings + at, w->data, w->len, err);
}

static unsigned uses_of(const char *text, size_t room)
{
	size_t len = strnlen(text, room < NAME_MAX_LEN ? room : NAME_MAX_LEN);

	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		if (functions[i].name[0] == text[0] && strlen(functions[i].name) == len &&
			memcmp(functions[i].name, text, len) == 0)
			return functions[i].uses;
	return 0;
}

static int take_symbol(const struct elf_reader *r, const struct elf_dynamic *d,
					   const unsigned char *symbol, struct window *w, struct error *err)
{
	bool is_64 = r->f->is_64;
	uint64_t name = elf_get(r, symbol, 4);

	if (ELF64_ST_BIND(symbol[is_64 ? 4 : 12]) != STB_GLOBAL ||
		elf_get(r, symbol + (is_64 ? 6 : 14), 2) != SHN_UNDEF || name >= d->strings_size)
		return 0;
	if (move_window(r, d, name, w, err) < 0)
		return -1;
	r->f->uses |= uses_of(w->data + (name - w->start), w->len - (size_t)(name - w->start));
	return 0;
}

/* A 32-bit number of a table at an address; 0 when it is not there. */
static uint64_t number_at(const struct elf_reader *r, uint64_t address, unsigned index)
{
	uint64_t offset, left;
	unsigned char bytes[4];
	struct error ignored = {0};

	if (address == 0 || !elf_to_offset(r, address, &offset, &left) || left < 4 * (index + 1u) ||
		elf_read_at(r, offset + 4 * (uint64_t)index, bytes, sizeof(bytes), &ignored) < 0)
		return 0;
	return elf_get(r, bytes, 4);
}

static uint64_t count_symbols(const struct elf_reader *r, const struct elf_dynamic *d, size_t entry)
{
	uint64_t first = number_at(r, d->gnu_hash, 1);

	if (d->hash)
		return number_at(r, d->hash, 1);
	if (first > 1)
		return first;
	return d->strings_address > d->symbols ? (d->strings_address - d->symbols) / entry : 0;
}

int elf_read_imports(const struct elf_reader *r, const struct elf_dynamic *d, struct error *err)
{
	size_t entry = r->f->is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	struct window names = {0};
	unsigned char symbols[WINDOW];
	uint64_t offset, left, count;

	if (d->symbols == 0 || !elf_to_offset(r, d->symbols, &offset, &left))
		return 0;
	count = count_symbols(r, d, entry);
	if (count > left / entry)
		count = left / entry;
	if (count > ELF_MAX_IMPORTS)
		count = ELF_MAX_IMPORTS;
	while (count > 0) {
		size_t n = count < WINDOW / entry ? (size_t)count : WINDOW / entry;

		if (elf_read_at(r, offset, symbols, n * entry, err) < 0)
			return -1;
		for (size_t i = 0; i < n; i++)
			if (take_symbol(r, d, symbols + i * entry, &names, err) < 0)
				return -1;
		offset += n * entry;
		count -= n;
	}
	return 0;
}
