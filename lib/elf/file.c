#include "elf/file.h"

#include "base/auto.h"
#include "base/buf.h"
#include "base/mem.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is known while a file is read. */
struct reader {
	int fd;
	const char *name;
	uint64_t size;
	struct elf_file *f;
	uint64_t ph_offset;
	unsigned ph_count;
	unsigned char *headers; /* ph_count program headers as they lie in the file */
};

struct segment {
	uint32_t type, flags;
	uint64_t offset, address, file_size, memory_size;
};

void elf_file_release(struct elf_file *f)
{
	free(f->interpreter);
	free(f->soname);
	free(f->rpath);
	free(f->runpath);
	strv_release(&f->needed);
	*f = (struct elf_file){0};
}

static uint64_t get(const struct reader *r, const unsigned char *p, unsigned width)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < width; i++)
		v = v << 8 | p[r->f->is_big_endian ? i : width - 1 - i];
	return v;
}

/* The field at its offset in the 32-bit or the 64-bit form; words grow from 4 to 8 bytes. */
static uint64_t get_word(const struct reader *r, const unsigned char *p, unsigned at_32,
						 unsigned at_64)
{
	return r->f->is_64 ? get(r, p + at_64, 8) : get(r, p + at_32, 4);
}

static bool is_within(const struct reader *r, uint64_t offset, uint64_t len)
{
	return offset <= r->size && len <= r->size - offset;
}

static int read_at(const struct reader *r, uint64_t offset, void *out, size_t len,
				   struct error *err)
{
	unsigned char *p = out;

	while (len > 0) {
		ssize_t n = pread(r->fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "cannot read %s", r->name);
		if (n == 0)
			return err_set(err, ERR_INPUT, "%s changed while it was read", r->name);
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int check_ident(struct reader *r, const unsigned char *ident, struct error *err)
{
	unsigned char class = ident[EI_CLASS], data = ident[EI_DATA];

	if (memcmp(ident, ELFMAG, SELFMAG) != 0)
		return err_set(err, ERR_INPUT, "%s is no ELF file", r->name);
	if ((class != ELFCLASS32 && class != ELFCLASS64) ||
		(data != ELFDATA2LSB && data != ELFDATA2MSB) || ident[EI_VERSION] != EV_CURRENT)
		return err_set(err, ERR_INPUT, "%s is an ELF file of an unknown kind", r->name);
	r->f->is_64 = class == ELFCLASS64;
	r->f->is_big_endian = data == ELFDATA2MSB;
	return 0;
}

static int check_section_table(const struct reader *r, const unsigned char *h, struct error *err)
{
	uint64_t offset = get_word(r, h, 32, 40);
	uint64_t entry = get(r, h + (r->f->is_64 ? 58 : 46), 2);
	uint64_t count = get(r, h + (r->f->is_64 ? 60 : 48), 2);

	if (offset == 0)
		return 0;
	if (entry != (r->f->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)))
		return err_set(err, ERR_INPUT, "%s has section headers of %u bytes each", r->name,
					   (unsigned)entry);
	if (!is_within(r, offset, count * entry))
		return err_set(err, ERR_INPUT, "%s is truncated: its section headers end behind the file",
					   r->name);
	return 0;
}

static int read_header(struct reader *r, struct error *err)
{
	unsigned char h[sizeof(Elf64_Ehdr)] = {0};
	size_t len = sizeof(Elf32_Ehdr);
	unsigned entry, want;

	if (r->size < EI_NIDENT)
		return err_set(err, ERR_INPUT, "%s is no ELF file", r->name);
	if (read_at(r, 0, h, EI_NIDENT, err) < 0 || check_ident(r, h, err) < 0)
		return -1;
	if (r->f->is_64)
		len = sizeof(Elf64_Ehdr);
	if (r->size < len)
		return err_set(err, ERR_INPUT, "%s is truncated: it ends within the ELF header", r->name);
	if (read_at(r, 0, h, len, err) < 0)
		return -1;
	r->f->type = (enum elf_type)get(r, h + 16, 2);
	r->f->machine = (uint16_t)get(r, h + 18, 2);
	r->ph_offset = get_word(r, h, 28, 32);
	entry = (unsigned)get(r, h + (r->f->is_64 ? 54 : 42), 2);
	r->ph_count = (unsigned)get(r, h + (r->f->is_64 ? 56 : 44), 2);
	want = r->f->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	if (r->ph_count > ELF_MAX_PROGRAM_HEADERS)
		return err_set(err, ERR_INPUT, "%s has more than %d program headers", r->name,
					   ELF_MAX_PROGRAM_HEADERS);
	if (r->ph_count && entry != want)
		return err_set(err, ERR_INPUT, "%s has program headers of %u bytes each", r->name, entry);
	if (!is_within(r, r->ph_offset, (uint64_t)r->ph_count * want))
		return err_set(err, ERR_INPUT, "%s is truncated: its program headers end behind the file",
					   r->name);
	if (check_section_table(r, h, err) < 0)
		return -1;
	r->headers = xmalloc((size_t)r->ph_count * want);
	return read_at(r, r->ph_offset, r->headers, (size_t)r->ph_count * want, err);
}

static struct segment segment_at(const struct reader *r, unsigned i)
{
	bool is_64 = r->f->is_64;
	const unsigned char *p =
		r->headers + (size_t)i * (is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));

	return (struct segment){
		.type = (uint32_t)get(r, p, 4),
		.flags = (uint32_t)get(r, p + (is_64 ? 4 : 24), 4),
		.offset = get_word(r, p, 4, 8),
		.address = get_word(r, p, 8, 16),
		.file_size = get_word(r, p, 16, 32),
		.memory_size = get_word(r, p, 20, 40),
	};
}

/* Loadable segments lie in ascending order and apart; the loader relies on it. */
static int check_segments(const struct reader *r, struct error *err)
{
	uint64_t end = 0;

	for (unsigned i = 0; i < r->ph_count; i++) {
		struct segment s = segment_at(r, i);

		if (s.type == PT_NULL || s.type >= PT_LOOS)
			continue;
		if (!is_within(r, s.offset, s.file_size))
			return err_set(err, ERR_INPUT, "%s is truncated: segment %u ends behind the file",
						   r->name, i);
		if (s.type != PT_LOAD)
			continue;
		if (s.file_size > s.memory_size || s.memory_size > UINT64_MAX - s.address)
			return err_set(err, ERR_INPUT, "%s: segment %u has an impossible size", r->name, i);
		if (s.address < end)
			return err_set(err, ERR_INPUT, "%s: segment %u overlaps the one before", r->name, i);
		end = s.address + s.memory_size;
	}
	return 0;
}

/* Where in the file `address` lies, and how many bytes of the segment follow there. */
static bool to_offset(const struct reader *r, uint64_t address, uint64_t *offset, uint64_t *left)
{
	for (unsigned i = 0; i < r->ph_count; i++) {
		struct segment s = segment_at(r, i);

		if (s.type != PT_LOAD || address < s.address || address - s.address >= s.file_size)
			continue;
		*offset = s.offset + (address - s.address);
		*left = s.file_size - (address - s.address);
		return true;
	}
	return false;
}

/* NUL-terminated text in [offset, offset + left). */
static int read_text(const struct reader *r, uint64_t offset, uint64_t left, const char *what,
					 char **out, struct error *err)
{
	AUTO(buf) struct buf b = {0};

	while (left > 0 && b.len < ELF_MAX_TEXT) {
		size_t n = left < 256 ? (size_t)left : 256;
		char *p = buf_grow(&b, n);
		char *end;

		if (read_at(r, offset, p, n, err) < 0)
			return -1;
		end = memchr(p, '\0', n);
		if (end) {
			b.len += (size_t)(end - p);
			*out = buf_take(&b);
			return 0;
		}
		b.len += n;
		offset += n;
		left -= n;
	}
	return err_set(err, ERR_INPUT, "%s: %s has no end", r->name, what);
}

static int read_interpreter(const struct reader *r, const struct segment *s, struct error *err)
{
	char *text = NULL;

	if (r->f->interpreter)
		return err_set(err, ERR_INPUT, "%s names two interpreters", r->name);
	if (read_text(r, s->offset, s->file_size, "the name of its interpreter", &text, err) < 0)
		return -1;
	r->f->interpreter = text;
	if (text[0] != '/')
		return err_set(err, ERR_INPUT, "%s: its interpreter '%s' is no absolute path", r->name,
					   text);
	return 0;
}

/* The dynamic section, first for the string table and then for what lies in it. */
struct dynamic {
	unsigned char *data;
	size_t count;
	unsigned entry;
	uint64_t strings, strings_size;
};

static uint64_t dynamic_tag(const struct reader *r, const struct dynamic *d, size_t i)
{
	return get(r, d->data + i * d->entry, d->entry / 2);
}

static uint64_t dynamic_value(const struct reader *r, const struct dynamic *d, size_t i)
{
	return get(r, d->data + i * d->entry + d->entry / 2, d->entry / 2);
}

static int find_strings(const struct reader *r, struct dynamic *d, struct error *err)
{
	uint64_t address = 0, size = 0, left = 0;
	bool have_address = false;
	size_t n = 0;

	for (; n < d->count && dynamic_tag(r, d, n) != DT_NULL; n++) {
		uint64_t value = dynamic_value(r, d, n);

		if (dynamic_tag(r, d, n) == DT_STRTAB) {
			address = value;
			have_address = true;
		} else if (dynamic_tag(r, d, n) == DT_STRSZ) {
			size = value;
		}
	}
	if (n == d->count)
		return err_set(err, ERR_INPUT, "%s: its dynamic section has no end", r->name);
	d->count = n;
	if (!have_address)
		return 0;
	if (!to_offset(r, address, &d->strings, &left) || size > left)
		return err_set(err, ERR_INPUT, "%s: its string table lies outside of the file", r->name);
	d->strings_size = size;
	return 0;
}

static int dynamic_text(const struct reader *r, const struct dynamic *d, size_t i, const char *what,
						char **out, struct error *err)
{
	uint64_t at = dynamic_value(r, d, i);

	if (at >= d->strings_size)
		return err_set(err, ERR_INPUT, "%s: %s lies outside of the string table", r->name, what);
	return read_text(r, d->strings + at, d->strings_size - at, what, out, err);
}

static int replace_text(const struct reader *r, const struct dynamic *d, size_t i, const char *what,
						char **slot, struct error *err)
{
	char *text = NULL;

	if (dynamic_text(r, d, i, what, &text, err) < 0)
		return -1;
	free(*slot);
	*slot = text;
	return 0;
}

static int add_needed(const struct reader *r, const struct dynamic *d, size_t i, struct error *err)
{
	char *text = NULL;

	if (r->f->needed.count >= ELF_MAX_NEEDED)
		return err_set(err, ERR_INPUT, "%s needs more than %d libraries", r->name, ELF_MAX_NEEDED);
	if (dynamic_text(r, d, i, "the name of a needed library", &text, err) < 0)
		return -1;
	strv_take(&r->f->needed, text);
	if (text[0] == '\0')
		return err_set(err, ERR_INPUT, "%s needs a library without a name", r->name);
	return 0;
}

static int take_dynamic(const struct reader *r, const struct dynamic *d, size_t i,
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

static int read_dynamic(const struct reader *r, const struct segment *s, struct error *err)
{
	struct dynamic d = {.entry = r->f->is_64 ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn)};
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
	if (read_at(r, s->offset, data, (size_t)s->file_size, err) < 0 || find_strings(r, &d, err) < 0)
		return -1;
	for (size_t i = 0; i < d.count; i++)
		if (take_dynamic(r, &d, i, err) < 0)
			return -1;
	return 0;
}

/* Notes are for people: what cannot be read of them is left out. */
static int read_notes(const struct reader *r, const struct segment *s, struct error *err)
{
	AUTO_FREE unsigned char *data = NULL;
	size_t size = (size_t)s->file_size, at = 0;

	if (s->file_size > ELF_MAX_NOTE_BYTES)
		return 0;
	data = xmalloc(size);
	if (read_at(r, s->offset, data, size, err) < 0)
		return -1;
	while (size - at >= 12) {
		size_t name = (size_t)get(r, data + at, 4), len = (size_t)get(r, data + at + 4, 4);
		uint64_t type = get(r, data + at + 8, 4);
		size_t room = size - at - 12, name_room = (name + 3) & ~(size_t)3;

		if (name > room || name_room > room || len > room - name_room)
			return 0;
		if (type == NT_GNU_BUILD_ID && name == 4 && len <= ELF_MAX_BUILD_ID &&
			memcmp(data + at + 12, "GNU", 4) == 0) {
			memcpy(r->f->build_id, data + at + 12 + name_room, len);
			r->f->build_id_len = len;
		}
		len = (len + 3) & ~(size_t)3;
		at += 12 + name_room + (len > room - name_room ? room - name_room : len);
	}
	return 0;
}

static int read_segments(const struct reader *r, struct error *err)
{
	for (unsigned i = 0; i < r->ph_count; i++) {
		struct segment s = segment_at(r, i);
		int rc = 0;

		if (s.type == PT_INTERP)
			rc = read_interpreter(r, &s, err);
		else if (s.type == PT_DYNAMIC)
			rc = read_dynamic(r, &s, err);
		else if (s.type == PT_NOTE)
			rc = read_notes(r, &s, err);
		else if (s.type == PT_GNU_RELRO)
			r->f->has_relro = true;
		else if (s.type == PT_GNU_STACK)
			r->f->has_nx_stack = !(s.flags & PF_X);
		if (rc < 0)
			return -1;
	}
	return 0;
}

int elf_file_read_fd(int fd, const char *name, struct elf_file *out, struct error *err)
{
	AUTO(elf_file) struct elf_file f = {0};
	AUTO_FREE unsigned char *headers = NULL;
	struct reader r = {.fd = fd, .name = name, .f = &f};
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return err_errno(err, "cannot stat %s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, "%s is no regular file", name);
	r.size = (uint64_t)st.st_size;
	rc = read_header(&r, err);
	headers = r.headers;
	if (rc < 0 || check_segments(&r, err) < 0 || read_segments(&r, err) < 0)
		return -1;
	if (f.interpreter && f.type == ELF_SHARED)
		f.is_pie = true;
	if (f.runpath) {
		free(f.rpath);
		f.rpath = NULL;
	}
	*out = MOVE(f);
	return 0;
}

int elf_file_read(const char *path, struct elf_file *out, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_errno(err, "cannot open %s", path);
	return elf_file_read_fd(fd, path, out, err);
}

bool elf_is_elf(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char magic[SELFMAG];
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		   pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
		   memcmp(magic, ELFMAG, SELFMAG) == 0;
}
