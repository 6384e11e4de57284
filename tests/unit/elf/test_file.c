#include "base/auto.h"
#include "base/fs.h"
#include "base/text.h"
#include "elf/closure.h"
#include "make.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static int read_bytes(const void *data, size_t len, struct elf_file *out, struct error *err)
{
	AUTO_CLOSE int fd = memfd_create("test", MFD_CLOEXEC);
	struct error ignored = {0};

	cr_assert_geq(fd, 0);
	cr_assert_eq(fs_write_fd(fd, "test", data, len, &ignored), 0);
	return elf_file_read_fd(fd, "file", out, err);
}

Test(elf_file, reads_what_was_written)
{
	AUTO(buf) struct buf b = {0};
	AUTO(elf_file) struct elf_file f = {0};
	struct error err = {0};

	make_elf(&(struct made){.interpreter = "/lib64/ld.so",
							.needed = {"liba.so.1", "libb.so"},
							.soname = "self.so",
							.runpath = "$ORIGIN/../lib:/opt",
							.rpath = "/gone",
							.flags_1 = DF_1_NOW | DF_1_PIE | DF_1_NODEFLIB},
			 &b, NULL);
	cr_assert_eq(read_bytes(b.data, b.len, &f, &err), 0, "%s", err.msg);
	cr_expect(f.is_64 && !f.is_big_endian && f.is_dynamic);
	cr_expect_eq(f.type, ELF_SHARED);
	cr_expect_str_eq(f.interpreter, "/lib64/ld.so");
	cr_assert_eq(f.needed.count, 2);
	cr_expect_str_eq(f.needed.items[0], "liba.so.1");
	cr_expect_str_eq(f.needed.items[1], "libb.so");
	cr_expect_str_eq(f.soname, "self.so");
	cr_expect_str_eq(f.runpath, "$ORIGIN/../lib:/opt");
	cr_expect_null(f.rpath, "a runpath puts the rpath out of force");
	cr_expect(f.is_pie && f.binds_now && f.no_default_lib);
	cr_expect_str_eq(elf_arch(&f), "amd64");
}

#define NOTE                                                                      \
	"[{\"soname\": [\"liblzma.so.5\", \"liblzma.so.4\"], \"feature\": \"lzma\", " \
	"\"description\": \"reads .xz\", \"priority\": \"suggested\"}, {\"soname\": [\"libb.so\"]}]"

/* Everything that a file may have beside its needed libraries. */
static const struct made rich = {
	.interpreter = "/l",
	.needed = {"libc.so.6", "libx.so"},
	.soname = "self.so",
	.needs = {{"libc.so.6", "GLIBC_2.34", false},
			  {"libc.so.6", "GLIBC_2.2.5", true},
			  {"libx.so", "X_1", false}},
	.versions = {"SELF_1", "SELF_2"},
	.imports = {"puts", "getaddrinfo", "?pthread_exit", "iconv_open"},
	.dlopens = {NOTE, "[{\"soname\":[\"libc.so\"],\"priority\":\"required\",\"new\":{}}]"},
};

static void expect_rich(const struct elf_file *f, const char *what)
{
	cr_assert_eq(f->need_count, 3, "%s", what);
	cr_expect_str_eq(f->needs[0].file, "libc.so.6");
	cr_expect_str_eq(f->needs[0].version, "GLIBC_2.34");
	cr_expect(!f->needs[0].is_weak && f->needs[1].is_weak && !f->needs[2].is_weak, "%s", what);
	cr_expect_str_eq(f->needs[2].file, "libx.so");
	cr_expect_str_eq(f->needs[2].version, "X_1");
	cr_assert_eq(f->versions.count, 2, "%s: its own name is no version", what);
	cr_expect_str_eq(f->versions.items[1], "SELF_2");
	cr_expect_eq(f->uses, ELF_USES_HOSTS | ELF_USES_ICONV, "%s: %x, weak ones do not count", what,
				 f->uses);
	cr_assert_eq(f->dlopen_count, 3, "%s", what);
	cr_expect(!f->has_bad_note, "%s", what);
	cr_expect_eq(f->dlopens[0].sonames.count, 2);
	cr_expect_str_eq(f->dlopens[0].sonames.items[0], "liblzma.so.5");
	cr_expect_str_eq(f->dlopens[0].feature, "lzma");
	cr_expect_str_eq(f->dlopens[0].description, "reads .xz");
	cr_expect_eq(f->dlopens[0].priority, ELF_SUGGESTED);
	cr_expect_null(f->dlopens[1].feature);
	cr_expect_eq(f->dlopens[1].priority, ELF_RECOMMENDED, "what the specification says of none");
	cr_expect_eq(f->dlopens[2].priority, ELF_REQUIRED);
}

Test(elf_file, versions_imports_and_notes_of_all_classes_and_byte_orders)
{
	for (unsigned i = 0; i < 12; i++) {
		AUTO(buf) struct buf b = {0};
		AUTO(elf_file) struct elf_file f = {0};
		struct made m = rich;
		char what[64];
		struct error err = {0};

		m.is_32 = i & 1;
		m.is_big_endian = i & 2;
		m.hash = i >> 2;
		snprintf(what, sizeof(what), "%d bits, %s end first, hash %u", m.is_32 ? 32 : 64,
				 m.is_big_endian ? "big" : "little", i >> 2);
		make_elf(&m, &b, NULL);
		cr_assert_eq(read_bytes(b.data, b.len, &f, &err), 0, "%s: %s", what, err.msg);
		cr_expect(f.is_64 == !m.is_32 && f.is_big_endian == m.is_big_endian, "%s", what);
		cr_expect_eq(f.needed.count, 2);
		expect_rich(&f, what);
	}
}

Test(elf_file, notes_that_do_not_parse_are_left_out_and_told)
{
	static const char *const bad[] = {
		"",
		"{",
		"{}",
		"[1]",
		"[{}]",
		"[{\"soname\": \"liba.so\"}]",
		"[{\"soname\": []}]",
		"[{\"soname\": [1]}]",
		"[{\"soname\": [\"\"]}]",
		"[{\"soname\": [\"liba.so\"], \"priority\": \"urgent\"}]",
		"[{\"soname\": [\"liba.so\"], \"soname\": [\"libb.so\"]}]",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(buf) struct buf b = {0};
		AUTO(elf_file) struct elf_file f = {0};
		struct error err = {0};

		make_elf(&(struct made){.dlopens = {bad[i], "[{\"soname\": [\"libz.so\"]}]"}}, &b, NULL);
		cr_assert_eq(read_bytes(b.data, b.len, &f, &err), 0, "%s", err.msg);
		cr_expect(f.has_bad_note, "%s", bad[i]);
		cr_assert_eq(f.dlopen_count, 1, "%s", bad[i]);
		cr_expect_str_eq(f.dlopens[0].sonames.items[0], "libz.so");
	}
}

Test(elf_file, kinds_of_programs)
{
	static const struct {
		struct made made;
		bool is_program, is_pie, is_static_pie;
	} table[] = {
		{{.interpreter = "/l", .flags_1 = DF_1_PIE}, true, true, false},
		{{.interpreter = "/l"}, true, true, false},
		{{.interpreter = "/l", .soname = "libc.so.6"}, false, false, false},
		{{.flags_1 = DF_1_PIE}, true, true, true},
		{{.soname = "liba.so"}, false, false, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		AUTO(buf) struct buf b = {0};
		AUTO(elf_file) struct elf_file f = {0};
		struct error err = {0};

		make_elf(&table[i].made, &b, NULL);
		cr_assert_eq(read_bytes(b.data, b.len, &f, &err), 0, "%s", err.msg);
		cr_expect_eq(elf_is_program(&f), table[i].is_program, "row %zu", i);
		cr_expect_eq(f.is_pie, table[i].is_pie, "row %zu", i);
		cr_expect_eq(f.is_static_pie, table[i].is_static_pie, "row %zu", i);
	}
}

Test(elf_file, reads_the_c_library)
{
	AUTO(elf_closure) struct elf_closure c = {0};
	AUTO(strv) struct strv programs = {0};
	struct elf_view view = {.root = ""};
	struct error err = {0};
	size_t i = 0;

	strv_add(&programs, "/proc/self/exe");
	cr_assert_eq(
		elf_closure_find(
			&(struct elf_closure_request){.view = &view, .programs = &programs, .start_only = true},
			NULL, &c, &err),
		0, "%s", err.msg);
	while (i < c.count && !elf_answers_to(&c.items[i], "libc.so.6"))
		i++;
	cr_assert_lt(i, c.count);
	cr_expect(strv_has(&c.items[i].elf.versions, "GLIBC_2.34"));
	cr_expect_not(strv_has(&c.items[i].elf.versions, "libc.so.6"));
	cr_expect_not(elf_is_program(&c.items[i].elf));
	cr_expect_geq(c.items[0].elf.need_count, 2);
}

Test(elf_file, debug_information_alone_is_no_damage)
{
	AUTO(buf) struct buf b = {0};
	AUTO(elf_file) struct elf_file f = {0};
	struct error err = {0};
	struct made_at at;

	make_elf(&rich, &b, &at);
	/* p_filesz of PT_DYNAMIC and PT_INTERP, as objcopy --only-keep-debug leaves them */
	memset(b.data + at.program_headers + sizeof(Elf64_Phdr) + 32, 0, 8);
	memset(b.data + at.program_headers + 2 * sizeof(Elf64_Phdr) + 32, 0, 8);
	cr_assert_eq(read_bytes(b.data, b.len, &f, &err), 0, "%s", err.msg);
	cr_expect(!f.is_dynamic && !f.interpreter && f.needed.count == 0);
	cr_expect_not(elf_is_program(&f));
}

Test(elf_file, reads_itself)
{
	AUTO(elf_file) struct elf_file f = {0};
	struct error err = {0};

	cr_assert_eq(elf_file_read("/proc/self/exe", &f, &err), 0, "%s", err.msg);
	cr_expect(f.is_pie && f.has_relro && f.binds_now && f.has_nx_stack);
	cr_expect_eq(f.build_id_len, 20, "sha1 is the linker's default");
	cr_expect(strv_has(&f.needed, "libc.so.6"));
	cr_expect(elf_is_elf("/proc/self/exe"));
	cr_expect_not(elf_is_elf("/etc/passwd"));
	cr_expect_not(elf_is_elf("/dev/null"));
	cr_expect_not(elf_is_elf("/does/not/exist"));
}

Test(elf_file, every_shorter_file_is_refused)
{
	AUTO(buf) struct buf b = {0};

	make_elf(&(struct made){.interpreter = "/lib64/ld.so", .needed = {"liba.so.1"}}, &b, NULL);
	for (size_t len = 0; len < b.len; len++) {
		struct elf_file f = {0};
		struct error err = {0};

		cr_assert_eq(read_bytes(b.data, len, &f, &err), -1, "%zu bytes", len);
		cr_expect_eq(err.code, ERR_INPUT);
		cr_expect(strncmp(err.msg, "file", 4) == 0, "%s", err.msg);
		cr_expect_null(f.interpreter, "outputs stay untouched");
	}
}

Test(elf_file, every_flipped_byte_is_survived)
{
	AUTO(buf) struct buf b = {0};
	static const unsigned char masks[] = {0x01, 0x80, 0xff};

	make_elf(&rich, &b, NULL);
	for (size_t i = 0; i < b.len; i++)
		for (size_t k = 0; k < ARRAY_LEN(masks); k++) {
			AUTO(elf_file) struct elf_file f = {0};
			struct error err = {0};
			int rc;

			b.data[i] ^= (char)masks[k];
			rc = read_bytes(b.data, b.len, &f, &err);
			cr_expect(rc == 0 || err.code == ERR_INPUT, "%s", err.msg);
			b.data[i] ^= (char)masks[k];
		}
}

/* One field of the file set to a value, and what the message has to say. */
struct damage {
	char part; /* h header, p program header, d dynamic section, n versions needed, v defined */
	size_t offset;
	unsigned width;
	uint64_t value;
	const char *says;
};

Test(elf_file, damage_is_named)
{
	static const struct damage table[] = {
		{'h', 0, 4, 0, "no ELF file"},
		{'h', EI_CLASS, 1, 7, "unknown kind"},
		{'h', EI_DATA, 1, 3, "unknown kind"},
		{'h', EI_VERSION, 1, 0, "unknown kind"},
		{'h', 54, 2, 0, "program headers of 0 bytes"},
		{'h', 54, 2, 63, "program headers of 63 bytes"},
		{'h', 54, 2, 65535, "program headers of 65535 bytes"},
		{'h', 56, 2, 65535, "more than 4096 program headers"},
		{'h', 56, 2, 4096, "program headers end behind"},
		{'h', 32, 8, UINT64_MAX, "program headers end behind"},
		{'h', 40, 8, 64, "section headers of 0 bytes"},
		{'p', 32, 8, UINT64_MAX, "segment 0 ends behind"},
		{'p', 8, 8, UINT64_MAX, "segment 0 ends behind"},
		{'p', 40, 8, 1, "impossible size"},
		{'p', 16, 8, UINT64_MAX, "impossible size"},
		{'p', 56 + 32, 8, 8, "no end"},
		{'p', 56 + 0, 4, PT_INTERP, "interpreter"},
		{'p', 112 + 0, 4, PT_DYNAMIC, "two dynamic sections"},
		{'p', 112 + 0, 4, PT_LOAD, "overlaps"},
		{'d', 8, 8, UINT64_MAX, "outside of the string table"},
		{'d', 16 + 8, 8, UINT64_MAX, "string table lies outside"},
		{'d', 32 + 8, 8, UINT64_MAX, "string table lies outside"},
		{'d', 32 + 8, 8, 5, "has no end"},
		{'d', 8, 8, 0, "library without a name"},
		{'d', 48, 8, DT_NEEDED, "no end"},
		{'n', 4, 4, UINT32_MAX, "the file of a symbol version lies outside"},
		{'n', 8, 4, UINT32_MAX, "versions lie outside"},
		{'n', 12, 4, UINT32_MAX, "versions lie outside"},
		{'n', 16 + 8, 4, UINT32_MAX, "the name of a symbol version lies outside"},
		{'n', 16 + 12, 4, UINT32_MAX, "versions lie outside"},
		{'v', 16, 4, UINT32_MAX, "versions lie outside"},
		{'v', 28 + 12, 4, UINT32_MAX, "versions lie outside"},
		{'v', 28 + 20, 4, UINT32_MAX, "the name of a symbol version lies outside"},
	};

	static const struct made plain = {.interpreter = "/l", .needed = {"liba.so.1"}};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		AUTO(buf) struct buf b = {0};
		struct elf_file f = {0};
		struct error err = {0};
		struct made_at at;
		size_t where = table[i].offset;

		make_elf(strchr("nv", table[i].part) ? &rich : &plain, &b, &at);
		where += table[i].part == 'p'   ? at.program_headers
				 : table[i].part == 'd' ? at.dynamic
				 : table[i].part == 'n' ? at.needs
				 : table[i].part == 'v' ? at.versions
										: 0;
		memcpy(b.data + where, &table[i].value, table[i].width);
		cr_expect_eq(read_bytes(b.data, b.len, &f, &err), -1, "row %zu", i);
		cr_expect_eq(err.code, ERR_INPUT, "row %zu", i);
		cr_expect(strstr(err.msg, table[i].says), "row %zu: %s", i, err.msg);
		elf_file_release(&f);
	}
}

Test(elf_file, other_classes_and_byte_orders)
{
	/* 32-bit big-endian, no program headers: enough for the header's fields */
	unsigned char h[52] = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2MSB, EV_CURRENT};
	AUTO(elf_file) struct elf_file f = {0};
	struct error err = {0};

	h[17] = ET_EXEC;
	h[19] = EM_MIPS;
	cr_assert_eq(read_bytes(h, sizeof(h), &f, &err), 0, "%s", err.msg);
	cr_expect(!f.is_64 && f.is_big_endian && !f.is_dynamic);
	cr_expect_eq(f.type, ELF_EXECUTABLE);
	cr_expect_eq(f.machine, EM_MIPS);
	cr_expect_null(elf_arch(&f));
}

Test(elf_file, a_folder_or_device_is_no_file)
{
	struct elf_file f = {0};
	struct error err = {0};

	cr_expect_eq(elf_file_read("/usr", &f, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect_eq(elf_file_read("/dev/null", &f, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect_eq(elf_file_read("/does/not/exist", &f, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
}
