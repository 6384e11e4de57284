#include "elf/reader.h"

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

void elf_file_release(struct elf_file *f)
{
	free(f->interpreter);
	free(f->soname);
	free(f->rpath);
	free(f->runpath);
	strv_release(&f->needed);
	for (size_t i = 0; i < f->need_count; i++) {
		free(f->needs[i].file);
		free(f->needs[i].version);
	}
	free(f->needs);
	strv_release(&f->versions);
	for (size_t i = 0; i < f->dlopen_count; i++)
		elf_dlopen_release(&f->dlopens[i]);
	free(f->dlopens);
	*f = (struct elf_file){0};
}

uint64_t elf_get(const struct elf_reader *r, const unsigned char *p, unsigned width)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < width; i++)
		v = v << 8 | p[r->f->is_big_endian ? i : width - 1 - i];
	return v;
}

uint64_t elf_get_word(const struct elf_reader *r, const unsigned char *p, unsigned at_32,
					  unsigned at_64)
{
	return r->f->is_64 ? elf_get(r, p + at_64, 8) : elf_get(r, p + at_32, 4);
}

bool elf_is_within(const struct elf_reader *r, uint64_t offset, uint64_t len)
{
	return offset <= r->size && len <= r->size - offset;
}

int elf_read_at(const struct elf_reader *r, uint64_t offset, void *out, size_t len,
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

static int check_ident(struct elf_reader *r, const unsigned char *ident, struct error *err)
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

static int check_section_table(const struct elf_reader *r, const unsigned char *h,
							   struct error *err)
{
	uint64_t offset = elf_get_word(r, h, 32, 40);
	uint64_t entry = elf_get(r, h + (r->f->is_64 ? 58 : 46), 2);
	uint64_t count = elf_get(r, h + (r->f->is_64 ? 60 : 48), 2);

	if (offset == 0)
		return 0;
	if (entry != (r->f->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)))
		return err_set(err, ERR_INPUT, "%s has section headers of %u bytes each", r->name,
					   (unsigned)entry);
	if (!elf_is_within(r, offset, count * entry))
		return err_set(err, ERR_INPUT, "%s is truncated: its section headers end behind the file",
					   r->name);
	return 0;
}

static int read_header(struct elf_reader *r, struct error *err)
{
	unsigned char h[sizeof(Elf64_Ehdr)] = {0};
	size_t len = sizeof(Elf32_Ehdr);
	unsigned entry, want;

	if (r->size < EI_NIDENT)
		return err_set(err, ERR_INPUT, "%s is no ELF file", r->name);
	if (elf_read_at(r, 0, h, EI_NIDENT, err) < 0 || check_ident(r, h, err) < 0)
		return -1;
	if (r->f->is_64)
		len = sizeof(Elf64_Ehdr);
	if (r->size < len)
		return err_set(err, ERR_INPUT, "%s is truncated: it ends within the ELF header", r->name);
	if (elf_read_at(r, 0, h, len, err) < 0)
		return -1;
	r->f->type = (enum elf_type)elf_get(r, h + 16, 2);
	r->f->machine = (uint16_t)elf_get(r, h + 18, 2);
	r->ph_offset = elf_get_word(r, h, 28, 32);
	entry = (unsigned)elf_get(r, h + (r->f->is_64 ? 54 : 42), 2);
	r->ph_count = (unsigned)elf_get(r, h + (r->f->is_64 ? 56 : 44), 2);
	want = r->f->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	if (r->ph_count > ELF_MAX_PROGRAM_HEADERS)
		return err_set(err, ERR_INPUT, "%s has more than %d program headers", r->name,
					   ELF_MAX_PROGRAM_HEADERS);
	if (r->ph_count && entry != want)
		return err_set(err, ERR_INPUT, "%s has program headers of %u bytes each", r->name, entry);
	if (!elf_is_within(r, r->ph_offset, (uint64_t)r->ph_count * want))
		return err_set(err, ERR_INPUT, "%s is truncated: its program headers end behind the file",
					   r->name);
	if (check_section_table(r, h, err) < 0)
		return -1;
	r->headers = xmalloc((size_t)r->ph_count * want);
	return elf_read_at(r, r->ph_offset, r->headers, (size_t)r->ph_count * want, err);
}

static struct elf_segment segment_at(const struct elf_reader *r, unsigned i)
{
	bool is_64 = r->f->is_64;
	const unsigned char *p =
		r->headers + (size_t)i * (is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));

	return (struct elf_segment){
		.type = (uint32_t)elf_get(r, p, 4),
		.flags = (uint32_t)elf_get(r, p + (is_64 ? 4 : 24), 4),
		.offset = elf_get_word(r, p, 4, 8),
		.address = elf_get_word(r, p, 8, 16),
		.file_size = elf_get_word(r, p, 16, 32),
		.memory_size = elf_get_word(r, p, 20, 40),
		.align = elf_get_word(r, p, 28, 48),
	};
}

/* Loadable segments lie in ascending order and apart; the loader relies on it. */
static int check_segments(const struct elf_reader *r, struct error *err)
{
	uint64_t end = 0;

	for (unsigned i = 0; i < r->ph_count; i++) {
		struct elf_segment s = segment_at(r, i);

		if (s.type == PT_NULL || s.type >= PT_LOOS)
			continue;
		if (!elf_is_within(r, s.offset, s.file_size))
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

bool elf_to_offset(const struct elf_reader *r, uint64_t address, uint64_t *offset, uint64_t *left)
{
	for (unsigned i = 0; i < r->ph_count; i++) {
		struct elf_segment s = segment_at(r, i);

		if (s.type != PT_LOAD || address < s.address || address - s.address >= s.file_size)
			continue;
		*offset = s.offset + (address - s.address);
		*left = s.file_size - (address - s.address);
		return true;
	}
	return false;
}

int elf_read_text(const struct elf_reader *r, uint64_t offset, uint64_t left, const char *what,
				  char **out, struct error *err)
{
	AUTO(buf) struct buf b = {0};

	while (left > 0 && b.len < ELF_MAX_TEXT) {
		size_t n = left < 256 ? (size_t)left : 256;
		char *p = buf_grow(&b, n);
		char *end;

		if (elf_read_at(r, offset, p, n, err) < 0)
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

static int read_interpreter(const struct elf_reader *r, const struct elf_segment *s,
							struct error *err)
{
	char *text = NULL;

	if (r->f->interpreter)
		return err_set(err, ERR_INPUT, "%s names two interpreters", r->name);
	if (elf_read_text(r, s->offset, s->file_size, "the name of its interpreter", &text, err) < 0)
		return -1;
	r->f->interpreter = text;
	if (text[0] != '/')
		return err_set(err, ERR_INPUT, "%s: its interpreter '%s' is no absolute path", r->name,
					   text);
	return 0;
}

static int read_segments(const struct elf_reader *r, struct error *err)
{
	uint64_t notes = 0;

	for (unsigned i = 0; i < r->ph_count; i++) {
		struct elf_segment s = segment_at(r, i);
		int rc = 0;

		/* a file of debug information alone has the headers of what was taken out of it */
		if (s.file_size == 0 && (s.type == PT_INTERP || s.type == PT_DYNAMIC))
			continue;
		if (s.type == PT_NOTE)
			notes += s.file_size;
		if (s.type == PT_INTERP)
			rc = read_interpreter(r, &s, err);
		else if (s.type == PT_DYNAMIC)
			rc = elf_read_dynamic(r, &s, err);
		else if (s.type == PT_NOTE && notes <= ELF_MAX_NOTE_BYTES)
			rc = elf_read_notes(r, &s, err);
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
	struct elf_reader r = {.fd = fd, .name = name, .f = &f};
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
	/* linkers of before DF_1_PIE */
	if (f.interpreter && f.type == ELF_SHARED && !f.soname)
		f.is_pie = true;
	f.is_static_pie = f.is_pie && !f.interpreter;
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

bool elf_is_program(const struct elf_file *f)
{
	return f->type == ELF_EXECUTABLE || (f->type == ELF_SHARED && f->is_pie);
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
