#include "base/auto.h"
#include "base/fs.h"
#include "elf/section.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "/proc/self/exe"

/* This program, changed, as a file. */
static char *write_changed(void (*change)(Elf64_Ehdr *h, struct buf *b))
{
	AUTO(buf) struct buf b = {0};
	char *path = strdup("/tmp/msctl-unit-XXXXXX");
	struct error err = {0};
	int fd = mkstemp(path);

	cr_assert_eq(fs_read(PROGRAM, 64u << 20, &b, &err), 0, "%s", err.msg);
	change((Elf64_Ehdr *)(void *)b.data, &b);
	cr_assert_eq(fs_write_fd(fd, path, b.data, b.len, &err), 0);
	close(fd);
	return path;
}

Test(elf_section, names_the_sections_of_this_program)
{
	AUTO(elf_sections) struct elf_sections s = {0};
	AUTO(buf) struct buf b = {0};
	struct error err = {0};
	const struct elf_section *interp;

	cr_assert_eq(elf_sections_read(PROGRAM, &s, &err), 0, "%s", err.msg);
	cr_assert_eq(fs_read(PROGRAM, 64u << 20, &b, &err), 0);
	interp = elf_section_find(&s, ".interp");
	cr_assert(interp && interp->offset + interp->size <= b.len);
	cr_expect_eq(b.data[interp->offset], '/');
	cr_expect_eq(b.data[interp->offset + interp->size - 1], '\0');
	cr_expect_eq(elf_section_at(&s, interp->offset), interp);
	cr_expect_eq(elf_section_at(&s, interp->offset + interp->size - 1), interp);
	cr_expect_neq(elf_section_at(&s, interp->offset + interp->size), interp);
	cr_expect(elf_section_find(&s, ".text") && elf_section_find(&s, ".rodata"));
	cr_expect(!elf_section_find(&s, ".bss"), "it has no bytes in the file");
	cr_expect(!elf_section_find(&s, "none"));
	cr_expect(!elf_section_at(&s, 0), "the header is in no section");
	cr_expect(!elf_section_at(&s, UINT64_MAX));
}

static void no_table(Elf64_Ehdr *h, struct buf *b)
{
	(void)b;
	h->e_shoff = 0;
	h->e_shnum = 0;
	h->e_shstrndx = 0;
}

static void far_table(Elf64_Ehdr *h, struct buf *b)
{
	h->e_shoff = b->len - 8;
}

static void wrong_entry(Elf64_Ehdr *h, struct buf *b)
{
	(void)b;
	h->e_shentsize = 1;
}

static void wrong_names(Elf64_Ehdr *h, struct buf *b)
{
	(void)b;
	h->e_shstrndx = h->e_shnum;
}

static void far_name(Elf64_Ehdr *h, struct buf *b)
{
	Elf64_Shdr *s = (Elf64_Shdr *)(void *)(b->data + h->e_shoff);

	s[1].sh_name = UINT32_MAX;
}

static void far_strings(Elf64_Ehdr *h, struct buf *b)
{
	Elf64_Shdr *s = (Elf64_Shdr *)(void *)(b->data + h->e_shoff);

	s[h->e_shstrndx].sh_offset = UINT64_MAX - 4;
}

Test(elf_section, believes_nothing)
{
	static void (*const changes[])(Elf64_Ehdr * h, struct buf * b) = {
		far_table, wrong_entry, wrong_names, far_name, far_strings};
	AUTO(elf_sections) struct elf_sections s = {0};
	struct error err = {0};

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		AUTO_FREE char *path = write_changed(changes[i]);

		cr_expect_eq(elf_sections_read(path, &s, &err), -1, "change %zu", i);
		cr_expect_eq(err.code, ERR_INPUT, "change %zu: %s", i, err.msg);
		cr_expect_null(s.items);
		unlink(path);
	}
}

Test(elf_section, none_is_fine)
{
	AUTO(elf_sections) struct elf_sections s = {0};
	AUTO_FREE char *path = write_changed(no_table);
	struct error err = {0};

	cr_expect_eq(elf_sections_read(path, &s, &err), 0, "%s", err.msg);
	cr_expect_eq(s.count, 0);
	unlink(path);
	cr_expect_eq(elf_sections_read("/etc/passwd", &s, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
}
