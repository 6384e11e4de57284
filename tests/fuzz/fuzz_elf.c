/* fuzz_elf - whatever the bytes, the reader ends, within the file, with an answer or ERR_INPUT.
 * The first byte tells which of the two formats of lib/elf the rest is. */
#include "base/auto.h"
#include "base/fs.h"
#include "elf/cache.h"
#include "elf/file.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_file(const uint8_t *data, size_t size)
{
	AUTO_CLOSE int fd = memfd_create("fuzz", MFD_CLOEXEC);
	AUTO(elf_file) struct elf_file f = {0};
	struct error err = {0};

	if (fd < 0 || fs_write_fd(fd, "fuzz", data, size, &err) < 0)
		return;
	if (elf_file_read_fd(fd, "fuzz", &f, &err) < 0 && err.code != ERR_INPUT)
		abort();
	if (f.needed.count > ELF_MAX_NEEDED || f.build_id_len > ELF_MAX_BUILD_ID ||
		f.need_count > ELF_MAX_VERSIONS || f.versions.count > ELF_MAX_VERSIONS ||
		f.dlopen_count > ELF_MAX_DLOPENS)
		abort();
	for (size_t i = 0; i < f.need_count; i++)
		if (!f.needs[i].file || !f.needs[i].version)
			abort();
	for (size_t i = 0; i < f.dlopen_count; i++)
		if (f.dlopens[i].sonames.count == 0 || f.dlopens[i].sonames.count > ELF_MAX_SONAMES)
			abort();
}

static void read_cache(const uint8_t *data, size_t size)
{
	AUTO(buf) struct buf b = {0};
	AUTO(elf_cache) struct elf_cache c = {0};
	struct error err = {0};

	buf_add(&b, data, size);
	if (elf_cache_parse(&b, "fuzz", &c, &err) < 0 && err.code != ERR_INPUT)
		abort();
	for (size_t i = 0; i < c.count; i++) {
		struct elf_cache_entry e;

		elf_cache_entry(&c, i, &e);
		if (strlen(e.soname) + strlen(e.path) > 2 * size)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'c')
		read_cache(data + 1, size - 1);
	else
		read_file(data + 1, size - 1);
	return 0;
}
