/* file.h - what the dynamic loader would read of an ELF file: header, program headers, dynamic
 * section, versions, notes; and which functions of the C library it calls that look for more
 * files when the program runs. Both classes, both byte orders.
 *
 * Read with pread only, so a file that shrinks meanwhile is an error and no signal. Nothing is
 * believed: every offset is checked against the file's size before it is used, every loop has a
 * bound from this header. Section headers are not read; only that their table ends within the
 * file is checked, which is how a truncated file is told from a whole one. (System V gABI,
 * chapters 4 and 5; ELF-64 object file format; LSB Core, "Symbol Versioning"; UAPI.10 "dlopen()
 * Metadata for ELF Files".) */
#pragma once

#include "base/error.h"
#include "base/strv.h"

#include <stdbool.h>
#include <stdint.h>

#define ELF_MAX_PROGRAM_HEADERS 4096
#define ELF_MAX_NEEDED 4096
#define ELF_MAX_DYNAMIC_BYTES (1u << 20)
#define ELF_MAX_NOTE_BYTES (1u << 20) /* of all segments; what lies behind is passed over */
#define ELF_MAX_VERSIONS 4096         /* needed, and defined */
#define ELF_MAX_DLOPENS 256
#define ELF_MAX_SONAMES 64         /* alternatives in one of them */
#define ELF_MAX_IMPORTS (1u << 20) /* symbols that are looked at */
#define ELF_MAX_TEXT 65536         /* one name or run path */
#define ELF_MAX_BUILD_ID 64

enum elf_type {
	ELF_RELOCATABLE = 1,
	ELF_EXECUTABLE = 2, /* fixed address */
	ELF_SHARED = 3,     /* a library, or a position independent executable */
	ELF_CORE = 4,
};

/* A version that the file asks another one for: it does not start when that one lacks it. */
struct elf_version_need {
	char *file;    /* soname: "libc.so.6" */
	char *version; /* "GLIBC_2.34" */
	bool is_weak;  /* then the loader lets it pass */
};

enum elf_priority {
	ELF_REQUIRED,
	ELF_RECOMMENDED, /* also when the note does not say */
	ELF_SUGGESTED,
};

/* A library that the file opens by itself when it runs, as its .note.dlopen tells. */
struct elf_dlopen {
	struct strv sonames; /* one of these will do; the first is liked most. Never empty */
	char *feature;       /* NULL, as the next */
	char *description;
	enum elf_priority priority;
};

/* Functions that look for files of which no header tells. Only strong references count. */
enum elf_uses {
	ELF_USES_HOSTS = 1 << 0,  /* getaddrinfo: libnss_*, for names of hosts */
	ELF_USES_USERS = 1 << 1,  /* getpwnam: libnss_*, for names of users and groups */
	ELF_USES_ICONV = 1 << 2,  /* iconv_open: gconv modules */
	ELF_USES_LOCALE = 1 << 3, /* setlocale: locale archive */
	ELF_USES_UNWIND = 1 << 4, /* pthread_cancel, pthread_exit, backtrace: libgcc_s.so.1 */
	ELF_USES_DLOPEN = 1 << 5,
};

struct elf_file {
	bool is_64;
	bool is_big_endian;
	enum elf_type type;
	uint16_t machine;  /* EM_* of the gABI */
	char *interpreter; /* PT_INTERP as written, or NULL */
	bool is_dynamic;   /* has a dynamic section */
	struct strv needed;
	char *soname; /* NULL when there is none; so for the next two */
	char *rpath;  /* NULL too when there is a runpath: the loader then ignores it */
	char *runpath;
	bool no_default_lib; /* DF_1_NODEFLIB */
	struct elf_version_need *needs;
	size_t need_count;
	struct strv versions; /* that it defines, without the one that is its own name */
	bool has_versions;    /* its symbols have versions, be it those of others (DT_VERSYM) */
	struct elf_dlopen *dlopens;
	size_t dlopen_count;
	bool has_bad_note; /* a .note.dlopen that does not parse: it is left out */
	unsigned uses;     /* of enum elf_uses */
	/* hardening */
	bool is_pie;
	bool is_static_pie; /* is_pie, and no loader */
	bool has_relro;
	bool binds_now;
	bool has_nx_stack;
	uint8_t build_id[ELF_MAX_BUILD_ID];
	size_t build_id_len; /* 0: none */
};

void elf_dlopen_release(struct elf_dlopen *d);
void elf_file_release(struct elf_file *f);

/* Does a regular file start with the ELF magic? Anything unreadable or shorter is none. */
bool elf_is_elf(const char *path);

/* Read a file. name is what messages call it. ERR_INPUT: no ELF file, truncated, malformed,
 * beyond a limit; ERR_MISSING, ERR_DENIED, ERR_SYS from the system. */
int elf_file_read_fd(int fd, const char *name, struct elf_file *out, struct error *err);
int elf_file_read(const char *path, struct elf_file *out, struct error *err);

/* Is it a program, and no library that can be started by the way (libc.so.6)? */
bool elf_is_program(const struct elf_file *f);

/* The machine as OCI images name architectures ("amd64", "arm64"), or NULL for one that has no
 * name there. */
const char *elf_arch(const struct elf_file *f);
/* How Debian calls the machine's folder: "aarch64-linux-gnu", or NULL. */
const char *elf_triplet(const struct elf_file *f);
const char *elf_arch_triplet(const char *arch);
/* What $PLATFORM stands for in run paths ("x86_64"), or NULL. */
const char *elf_platform(const struct elf_file *f);
/* May b be loaded into a process of a: same class, byte order and machine? */
bool elf_is_compatible(const struct elf_file *a, const struct elf_file *b);
