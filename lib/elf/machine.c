#include "elf/file.h"

#include <elf.h>
#include <string.h>

/* What names there are for one machine. A machine of two byte orders has two rows. */
struct machine {
	uint16_t machine;
	bool is_64, is_big_endian;
	const char *arch, *triplet, *platform; /* the last may be NULL */
};

static const struct machine machines[] = {
	{EM_X86_64, true, false, "amd64", "x86_64-linux-gnu", "x86_64"},
	{EM_AARCH64, true, false, "arm64", "aarch64-linux-gnu", "aarch64"},
	{EM_386, false, false, "386", "i386-linux-gnu", "i686"},
	{EM_ARM, false, false, "arm", "arm-linux-gnueabihf", "v7l"},
	{EM_RISCV, true, false, "riscv64", "riscv64-linux-gnu", "riscv64"},
	{EM_PPC64, true, false, "ppc64le", "powerpc64le-linux-gnu", "power8"},
	{EM_PPC64, true, true, "ppc64", "powerpc64-linux-gnu", NULL},
	{EM_S390, true, true, "s390x", "s390x-linux-gnu", "z900"},
	{EM_MIPS, true, false, "mips64le", "mips64el-linux-gnuabi64", NULL},
	{EM_LOONGARCH, true, false, "loong64", "loongarch64-linux-gnu", NULL},
};

static const struct machine *find_machine(const struct elf_file *f)
{
	for (size_t i = 0; i < ARRAY_LEN(machines); i++)
		if (machines[i].machine == f->machine && machines[i].is_64 == f->is_64 &&
			machines[i].is_big_endian == f->is_big_endian)
			return &machines[i];
	return NULL;
}

const char *elf_arch(const struct elf_file *f)
{
	const struct machine *m = find_machine(f);

	return m ? m->arch : NULL;
}

const char *elf_triplet(const struct elf_file *f)
{
	const struct machine *m = find_machine(f);

	return m ? m->triplet : NULL;
}

const char *elf_arch_triplet(const char *arch)
{
	for (size_t i = 0; i < ARRAY_LEN(machines); i++)
		if (strcmp(machines[i].arch, arch) == 0)
			return machines[i].triplet;
	return NULL;
}

const char *elf_platform(const struct elf_file *f)
{
	const struct machine *m = find_machine(f);

	return m ? m->platform : NULL;
}

bool elf_is_compatible(const struct elf_file *a, const struct elf_file *b)
{
	return a->is_64 == b->is_64 && a->is_big_endian == b->is_big_endian && a->machine == b->machine;
}
