/* cache.h - /etc/ld.so.cache (format "glibc-ld.so.cache1.1", alone or behind the old one) and
 * /etc/ld.so.conf with what it includes. */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "base/strv.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_CACHE_MAX_BYTES (16u << 20)
#define ELF_CONF_MAX_BYTES (1u << 20)
#define ELF_CONF_MAX_DEPTH 16
#define ELF_CONF_MAX_FILES 1024

/* A zeroed struct is an empty cache. */
struct elf_cache {
	struct buf bytes;
	size_t start; /* of the header; offsets of the entries count from here */
	size_t count;
	bool is_big_endian;
};

struct elf_cache_entry {
	const char *soname; /* borrowed from the cache */
	const char *path;
	uint64_t hwcap; /* 0: for every processor of the machine */
};

void elf_cache_release(struct elf_cache *c);
/* Parse bytes, which are taken over. ERR_INPUT when any entry points outside; name is for
 * messages. */
int elf_cache_parse(struct buf *bytes, const char *name, struct elf_cache *out, struct error *err);
/* ERR_MISSING when there is no such file. */
int elf_cache_read(const char *path, struct elf_cache *out, struct error *err);
/* The entry of an index below count. */
void elf_cache_entry(const struct elf_cache *c, size_t index, struct elf_cache_entry *out);

/* The folders that root's /etc/ld.so.conf names, in order, as paths within root. An absent file
 * adds none. ERR_INPUT beyond the limits. */
int elf_conf_read(const char *root, struct strv *out, struct error *err);
