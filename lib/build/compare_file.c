#include "build/compare_file.h"

#include "base/auto.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "elf/file.h"
#include "elf/section.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (128u * 1024)
#define AROUND 48 /* bytes shown on either side */

/* What stands around a byte. */
struct place {
	char bytes[2 * AROUND];
	size_t len, at; /* how many there are, and which is the byte */
};

static ssize_t read_whole(int fd, void *data, size_t len, uint64_t offset)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, (char *)data + got, len - got, (off_t)(offset + got));

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

struct pair {
	int a, b;
	struct elf_sections x, y; /* empty when they are no ELF files */
};

static void pair_release(struct pair *p)
{
	if (p->a >= 0)
		close(p->a);
	if (p->b >= 0)
		close(p->b);
	elf_sections_release(&p->x);
	elf_sections_release(&p->y);
}

/* Bytes of both that are compared: len of a's from x on with as many of b's from y on. */
struct range {
	uint64_t x, y, len;
};

/* How far into the range they differ first; 1: nowhere. */
static int find_difference(const struct pair *p, const struct range *r, uint64_t *at,
						   struct error *err)
{
	AUTO_FREE char *one = xmalloc(CHUNK);
	AUTO_FREE char *other = xmalloc(CHUNK);

	for (uint64_t done = 0; done < r->len; done += CHUNK) {
		size_t want = r->len - done < CHUNK ? (size_t)(r->len - done) : CHUNK;
		ssize_t n = read_whole(p->a, one, want, r->x + done);
		ssize_t m = read_whole(p->b, other, want, r->y + done);
		ssize_t least = n < m ? n : m;
		ssize_t i = 0;

		if (n < 0 || m < 0)
			return err_errno(err, "cannot compare files");
		while (i < least && one[i] == other[i])
			i++;
		if (i < least || n != m) {
			*at = done + (uint64_t)i;
			return 0;
		}
		if (n == 0)
			break;
	}
	return 1;
}

static void look(int fd, uint64_t offset, struct place *p)
{
	uint64_t start = offset > AROUND ? offset - AROUND : 0;
	ssize_t n = read_whole(fd, p->bytes, sizeof(p->bytes), start);

	p->len = n > 0 ? (size_t)n : 0;
	p->at = (size_t)(offset - start);
	if (p->at > p->len)
		p->at = p->len;
}

static bool is_text(char c)
{
	return isprint((unsigned char)c);
}

/* The printable run that the byte is in, or its bytes in hexadecimal. Caller frees. */
static char *describe_place(const struct place *p)
{
	size_t start = p->at;
	size_t end;
	AUTO(buf) struct buf hex = {0};

	while (start > 0 && is_text(p->bytes[start - 1]))
		start--;
	for (end = p->at; end < p->len && is_text(p->bytes[end]);)
		end++;
	if (end - start >= 4)
		return xasprintf("'%.*s'", (int)(end - start), p->bytes + start);
	for (size_t i = p->at; i < p->len && i < p->at + 8; i++)
		buf_addf(&hex, "%s%02x", i > p->at ? " " : "", (unsigned char)p->bytes[i]);
	return p->at == p->len ? xstrdup("the end of the file") : buf_take(&hex);
}

static bool has_path(const char *text, const char *folder)
{
	/* the name of a folder is enough: its beginning may be out of sight */
	return strstr(text, folder) || strstr(text, fs_basename(folder));
}

static bool has_time(const char *text)
{
	static const char *const months[] = {"Jan ", "Feb ", "Mar ", "Apr ", "May ", "Jun ",
										 "Jul ", "Aug ", "Sep ", "Oct ", "Nov ", "Dec "};

	for (size_t i = 0; i < ARRAY_LEN(months); i++)
		if (strstr(text, months[i]))
			return true;
	for (const char *p = text; *p; p++)
		if (isdigit((unsigned char)p[0]) && p[1] == ':' && isdigit((unsigned char)p[2]) &&
			isdigit((unsigned char)p[3]))
			return true;
	return strstr(text, "20") && strchr(text, '-') && strpbrk(text, "0123456789");
}

static bool is_debug(const char *section)
{
	return text_starts(section, ".debug") || strcmp(section, ".gnu_debuglink") == 0;
}

static int hint(const struct compare_files *f, const char *a, const char *b, const char *section,
				struct error *err)
{
	if (has_path(a, f->a_sources) || has_path(b, f->b_sources))
		return err_hint(err, "it looks like the path of the sources: compile with "
							 "-ffile-prefix-map=$PWD=., and let scripts print no $PWD");
	if (has_time(a) && has_time(b))
		return err_hint(err, "it looks like a time: use none, or that of $SOURCE_DATE_EPOCH, which "
							 "the steps are given (__DATE__ and __TIME__ obey it)");
	if (is_debug(section))
		return err_hint(err, "it is debug information: compile with -ffile-prefix-map=$PWD=., or "
							 "strip the program");
	return err_hint(err,
					"look for what changes from run to run: the order of files in a folder "
					"or of threads, random numbers, process ids, what the user's settings say");
}

/* What is found. */
struct finding {
	uint64_t first;      /* byte of a */
	uint64_t at, b_at;   /* the byte that is shown, of a and of b */
	const char *section; /* it is in, or "" */
};

static bool is_telling(const struct pair *p, const struct finding *f)
{
	struct place x, y;
	AUTO_FREE char *one = NULL;
	AUTO_FREE char *other = NULL;

	look(p->a, f->at, &x);
	look(p->b, f->b_at, &y);
	one = describe_place(&x);
	other = describe_place(&y);
	return one[0] == '\'' && other[0] == '\'';
}

/* One text that got longer moves all that follows and changes headers, addresses and the build id
 * in front of it: the text itself is what helps. */
static int find_text(const struct pair *p, struct finding *f, struct error *err)
{
	static const char *const names[] = {".rodata",    ".rodata.str1.1", ".rodata.str1.8",
										".data",      ".comment",       ".debug_line_str",
										".debug_str", ".debug_line"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct elf_section *x = elf_section_find(&p->x, names[i]);
		const struct elf_section *y = elf_section_find(&p->y, names[i]);
		struct range r;
		struct finding text = *f;
		uint64_t at = 0;
		int rc;

		if (!x || !y)
			continue;
		r = (struct range){x->offset, y->offset, x->size < y->size ? x->size : y->size};
		rc = find_difference(p, &r, &at, err);
		if (rc < 0)
			return -1;
		text.at = x->offset + at;
		text.b_at = y->offset + at;
		text.section = x->name;
		if (rc == 0 && is_telling(p, &text)) {
			*f = text;
			return 0;
		}
	}
	return 0;
}

/* A build id differs because something else does: what follows it is asked for. */
static int pass_build_id(const struct pair *p, struct finding *f, struct error *err)
{
	const struct elf_section *s = elf_section_at(&p->x, f->at);
	struct range r;
	uint64_t at = 0;
	int rc;

	f->section = s ? s->name : "";
	if (strcmp(f->section, ".note.gnu.build-id") != 0)
		return 0;
	r = (struct range){s->offset + s->size, s->offset + s->size, UINT64_MAX};
	rc = find_difference(p, &r, &at, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	f->at = f->b_at = r.x + at;
	s = elf_section_at(&p->x, f->at);
	f->section = s ? s->name : "";
	return 0;
}

static int report(const struct compare_files *files, const struct pair *p, const struct finding *f,
				  struct error *err)
{
	AUTO_FREE char *one = NULL;
	AUTO_FREE char *other = NULL;
	AUTO(buf) struct buf where = {0};
	struct place x, y;

	look(p->a, f->at, &x);
	look(p->b, f->b_at, &y);
	one = describe_place(&x);
	other = describe_place(&y);
	buf_addf(&where, "byte %llu", (unsigned long long)f->first);
	if (f->at != f->first)
		buf_addf(&where, " is the first that differs; byte %llu", (unsigned long long)f->at);
	if (f->section[0])
		buf_addf(&where, " (%s)", f->section);
	err_set(err, ERR_DIFFERENT, "%s: %s: %s, the second time %s", files->what, buf_str(&where), one,
			other);
	return hint(files, one, other, f->section, err);
}

int compare_files(const struct compare_files *files, struct error *err)
{
	AUTO(pair)
	struct pair p = {.a = open(files->a, O_RDONLY | O_CLOEXEC),
					 .b = open(files->b, O_RDONLY | O_CLOEXEC)};
	const struct range all = {0, 0, UINT64_MAX};
	struct finding f = {.section = ""};
	struct error ignored;
	int rc;

	if (p.a < 0 || p.b < 0)
		return err_errno(err, "cannot open %s", p.a < 0 ? files->a : files->b);
	rc = find_difference(&p, &all, &f.first, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	f.at = f.b_at = f.first;
	if (elf_is_elf(files->a) && elf_sections_read(files->a, &p.x, &ignored) == 0 &&
		elf_sections_read(files->b, &p.y, &ignored) == 0 &&
		(pass_build_id(&p, &f, err) < 0 || find_text(&p, &f, err) < 0))
		return -1;
	return report(files, &p, &f, err);
}
