#include "elf/file.h"

#include <elf.h>
#include <stddef.h>

const char *elf_arch(const struct elf_file *f)
{
	static const struct {
		uint16_t machine;
		bool is_64, is_big_endian;
		const char *name;
	} names[] = {
		{EM_X86_64, true, false, "amd64"},  {EM_AARCH64, true, false, "arm64"},
		{EM_386, false, false, "386"},      {EM_ARM, false, false, "arm"},
		{EM_RISCV, true, false, "riscv64"}, {EM_PPC64, true, false, "ppc64le"},
		{EM_PPC64, true, true, "ppc64"},    {EM_S390, true, true, "s390x"},
		{EM_MIPS, true, false, "mips64le"}, {EM_LOONGARCH, true, false, "loong64"},
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].machine == f->machine && names[i].is_64 == f->is_64 &&
			names[i].is_big_endian == f->is_big_endian)
			return names[i].name;
	return NULL;
}

bool elf_is_compatible(const struct elf_file *a, const struct elf_file *b)
{
	return a->is_64 == b->is_64 && a->is_big_endian == b->is_big_endian && a->machine == b->machine;
}
