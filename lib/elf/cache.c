#include "elf/cache.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "elf/view.h"

#include <endian.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEW_MAGIC "glibc-ld.so.cache1.1"
#define NEW_HEADER 48
#define NEW_ENTRY 24
#define OLD_MAGIC "ld.so-1.7.0"
#define OLD_HEADER 16
#define OLD_ENTRY 12

void elf_cache_release(struct elf_cache *c)
{
	buf_release(&c->bytes);
	*c = (struct elf_cache){0};
}

static uint64_t get(const struct elf_cache *c, size_t at, unsigned width)
{
	const unsigned char *p = (const unsigned char *)c->bytes.data + at;
	uint64_t v = 0;

	for (unsigned i = 0; i < width; i++)
		v = v << 8 | p[c->is_big_endian ? i : width - 1 - i];
	return v;
}

/* The old format may stand in front of the new one; its count is in this machine's byte order. */
static size_t skip_old(const struct elf_cache *c)
{
	uint32_t count;
	uint64_t end;

	if (c->bytes.len < OLD_HEADER || memcmp(c->bytes.data, OLD_MAGIC, sizeof(OLD_MAGIC)) != 0)
		return 0;
	memcpy(&count, c->bytes.data + 12, sizeof(count));
	end = OLD_HEADER + (uint64_t)count * OLD_ENTRY;
	end = (end + 7) & ~(uint64_t)7;
	return end < c->bytes.len ? (size_t)end : c->bytes.len;
}

static bool is_text_at(const struct elf_cache *c, uint64_t offset)
{
	uint64_t room = c->bytes.len - c->start;

	return offset < room &&
		   memchr(c->bytes.data + c->start + offset, '\0', (size_t)(room - offset));
}

static int check(struct elf_cache *c, const char *name, struct error *err)
{
	unsigned char order;
	size_t room;

	c->start = skip_old(c);
	room = c->bytes.len - c->start;
	if (room < NEW_HEADER ||
		memcmp(c->bytes.data + c->start, NEW_MAGIC, sizeof(NEW_MAGIC) - 1) != 0)
		return err_set(err, ERR_INPUT, "%s is no cache of glibc's loader", name);
	/* 0 is a cache from before glibc 2.33, which did not say */
	order = (unsigned char)c->bytes.data[c->start + 28] & 3;
	c->is_big_endian = order == 3 || (order == 0 && __BYTE_ORDER == __BIG_ENDIAN);
	c->count = (size_t)get(c, c->start + 20, 4);
	if (c->count > (room - NEW_HEADER) / NEW_ENTRY)
		return err_set(err, ERR_INPUT, "%s is truncated", name);
	for (size_t i = 0; i < c->count; i++) {
		size_t at = c->start + NEW_HEADER + i * NEW_ENTRY;

		if (!is_text_at(c, get(c, at + 4, 4)) || !is_text_at(c, get(c, at + 8, 4)))
			return err_set(err, ERR_INPUT, "%s: entry %zu points out of the file", name, i);
	}
	return 0;
}

int elf_cache_parse(struct buf *bytes, const char *name, struct elf_cache *out, struct error *err)
{
	AUTO(elf_cache) struct elf_cache c = {.bytes = MOVE(*bytes)};

	if (check(&c, name, err) < 0)
		return -1;
	*out = MOVE(c);
	return 0;
}

int elf_cache_read(const char *path, struct elf_cache *out, struct error *err)
{
	AUTO(buf) struct buf bytes = {0};

	if (fs_read(path, ELF_CACHE_MAX_BYTES, &bytes, err) < 0)
		return -1;
	return elf_cache_parse(&bytes, path, out, err);
}

void elf_cache_entry(const struct elf_cache *c, size_t index, struct elf_cache_entry *out)
{
	size_t at = c->start + NEW_HEADER + index * NEW_ENTRY;
	const char *base = c->bytes.data + c->start;

	out->soname = base + get(c, at + 4, 4);
	out->path = base + get(c, at + 8, 4);
	out->hwcap = get(c, at + 16, 8);
}

/* ---- ld.so.conf */

struct conf {
	const char *root;
	struct strv *dirs;
	size_t files;
};

static int read_conf(struct conf *c, const char *path, int depth, struct error *err);

/* The root's own name is no pattern. */
static void add_plain(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (strchr("*?[\\", *text))
			buf_addc(b, '\\');
		buf_addc(b, *text);
	}
}

static int include(struct conf *c, const char *from, const char *pattern, int depth,
				   struct error *err)
{
	AUTO_FREE char *dir = fs_dirname(from);
	AUTO_FREE char *within = fs_join(dir, pattern);
	AUTO(buf) struct buf full = {0};
	glob_t found = {0};
	int rc = 0;

	add_plain(&full, c->root);
	buf_adds(&full, within);
	if (glob(buf_str(&full), 0, NULL, &found) == 0)
		for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++)
			rc = read_conf(c, found.gl_pathv[i] + strlen(c->root), depth + 1, err);
	globfree(&found);
	return rc;
}

static int take_line(struct conf *c, const char *path, char *line, int depth, struct error *err)
{
	char *end;

	line += strspn(line, " \t\r");
	line[strcspn(line, "#")] = '\0';
	if (text_starts(line, "include") && (line[7] == ' ' || line[7] == '\t')) {
		char *next = line + 7;

		while (*(next += strspn(next, " \t\r"))) {
			AUTO_FREE char *pattern = xstrndup(next, strcspn(next, " \t\r"));

			next += strlen(pattern);
			if (include(c, path, pattern, depth, err) < 0)
				return -1;
		}
		return 0;
	}
	/* "hwcap" lines and "DIR=TYPE" are of long ago */
	line[strcspn(line, "=")] = '\0';
	for (end = line + strlen(line); end > line && strchr(" \t\r", end[-1]); end--)
		end[-1] = '\0';
	if (line[0] == '/' && !strv_has(c->dirs, line))
		strv_add(c->dirs, line);
	return 0;
}

static int read_conf(struct conf *c, const char *path, int depth, struct error *err)
{
	const struct elf_view view = {.root = c->root};
	AUTO(elf_place) struct elf_place place = {0};
	AUTO(buf) struct buf text = {0};
	int found;

	if (depth > ELF_CONF_MAX_DEPTH)
		return err_set(err, ERR_INPUT, "%s is included more than %d deep", path,
					   ELF_CONF_MAX_DEPTH);
	if (++c->files > ELF_CONF_MAX_FILES)
		return err_set(err, ERR_INPUT, "/etc/ld.so.conf includes more than %d files",
					   ELF_CONF_MAX_FILES);
	/* by links of its root, not of this machine */
	found = elf_view_find(&view, path, &place, err);
	if (found <= 0)
		return found;
	if (fs_read(place.file, ELF_CONF_MAX_BYTES, &text, err) < 0)
		return -1;
	for (char *line = text.data, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (take_line(c, path, line, depth, err) < 0)
			return -1;
	}
	return 0;
}

int elf_conf_read(const char *root, struct strv *out, struct error *err)
{
	AUTO(strv) struct strv dirs = {0};
	struct conf c = {.root = root, .dirs = &dirs};

	if (read_conf(&c, "/etc/ld.so.conf", 0, err) < 0)
		return -1;
	strv_release(out);
	*out = MOVE(dirs);
	return 0;
}
