#include "supply/dpkg.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "supply/deb822.h"
#include "supply/license.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_PATH_LEN 4096
#define MAX_MEMORY_BYTES (64u << 10)

/* The search: names that are looked for, and whose list has them. */
struct search {
	const char *root;
	struct map wanted;          /* alias -> number of its file, plus one */
	bool lengths[MAX_PATH_LEN]; /* that aliases have: most lines need no look into the map */
	struct strv lists;          /* "libc6:amd64", of those that own something */
	LIST(size_t) file_of;       /* one a path: number of its file */
	LIST(size_t) list_of;       /* one a file: number in lists plus one, 0: none yet */
	struct map read;            /* names of lists */
	size_t missing;             /* files without a list yet */
	bool hit;                   /* the list being read owns something */
};

static void search_release(struct search *s)
{
	map_release(&s->wanted);
	map_release(&s->read);
	strv_release(&s->lists);
	list_release(&s->file_of);
	list_release(&s->list_of);
}

void dpkg_package_release(struct dpkg_package *p)
{
	free(p->name);
	free(p->arch);
	free(p->version);
	free(p->source);
	free(p->maintainer);
	free(p->license);
	free(p->license_names);
	free(p->license_refers);
	*p = (struct dpkg_package){0};
}

void dpkg_owners_release(struct dpkg_owners *o)
{
	for (size_t i = 0; i < o->package_count; i++)
		dpkg_package_release(&o->packages[i]);
	free(o->packages);
	free(o->owners);
	*o = (struct dpkg_owners){0};
}

void dpkg_aliases(const char *path, struct strv *out)
{
	static const char *const merged[] = {"/bin/",   "/sbin/",   "/lib/",   "/lib32/",
										 "/lib64/", "/libx32/", "/libo32/"};
	const char *bare = text_starts(path, "/usr/") ? path + 4 : path;

	strv_add(out, path);
	for (size_t i = 0; i < sizeof(merged) / sizeof(merged[0]); i++) {
		if (!text_starts(bare, merged[i]))
			continue;
		strv_addf(out, "%s%s", bare == path ? "/usr" : "", bare);
		return;
	}
}

void dpkg_each_path(struct span list, void (*visit)(void *user, struct span path), void *user)
{
	while (list.len > 0) {
		const char *end = memchr(list.data, '\n', list.len);
		size_t len = end ? (size_t)(end - list.data) : list.len;

		if (list.data[0] == '/')
			visit(user, (struct span){list.data, len});
		list.data += len + (end != NULL);
		list.len -= len + (end != NULL);
	}
}

/* Where a path leads within root; NULL: nowhere. Caller frees. */
static char *resolved(const char *root, const char *path)
{
	AUTO_FREE char *full = xasprintf("%s%s", root, path);
	AUTO_FREE char *real = realpath(full, NULL);
	AUTO_FREE char *top = *root ? realpath(root, NULL) : NULL;

	if (!real || !*root)
		return TAKE(real);
	return top && text_starts(real, top) ? xstrdup(real + strlen(top)) : NULL;
}

/* Look for a path under all its names. One that shares a name with an earlier one is the same file.
 */
static void want(struct search *s, const char *path)
{
	AUTO_FREE char *real = resolved(s->root, path);
	AUTO(strv) struct strv names = {0};
	uintptr_t file = 0;

	dpkg_aliases(path, &names);
	if (real)
		dpkg_aliases(real, &names);
	for (size_t i = 0; i < names.count && file == 0; i++)
		file = (uintptr_t)map_get(&s->wanted, names.items[i]);
	if (file == 0) {
		list_push(&s->list_of, 0);
		s->missing++;
		file = s->list_of.count;
	}
	list_push(&s->file_of, file - 1);
	for (size_t i = 0; i < names.count; i++) {
		size_t len = strlen(names.items[i]);

		if (len >= MAX_PATH_LEN)
			continue;
		map_put(&s->wanted, names.items[i], (void *)file);
		s->lengths[len] = true;
	}
}

static void on_path(void *user, struct span path)
{
	struct search *s = user;
	char text[MAX_PATH_LEN];
	size_t number;

	if (path.len >= sizeof(text) || !s->lengths[path.len])
		return;
	memcpy(text, path.data, path.len);
	text[path.len] = '\0';
	number = (uintptr_t)map_get(&s->wanted, text);
	if (number == 0 || s->list_of.items[number - 1])
		return;
	s->list_of.items[number - 1] = s->lists.count + 1;
	s->missing--;
	s->hit = true;
}

static int read_list(struct search *s, const char *dir, const char *name, struct error *err)
{
	AUTO_FREE char *file = xasprintf("%s/%s.list", dir, name);
	AUTO(buf) struct buf text = {0};

	if (!map_put(&s->read, name, NULL))
		return 0;
	if (fs_read(file, DPKG_MAX_LIST_BYTES, &text, err) < 0)
		return err->code == ERR_MISSING ? 0 : -1; /* just removed */
	s->hit = false;
	dpkg_each_path(buf_span(&text), on_path, s);
	if (s->hit)
		strv_add(&s->lists, name);
	return 0;
}

/* Most builds are like the one before: where its files were found is looked at first. */
static int read_remembered(struct search *s, const char *dir, const char *memory, struct error *err)
{
	AUTO(buf) struct buf text = {0};
	struct error ignored = {0};
	struct span rest;

	if (!memory || !fs_exists(memory) || fs_read(memory, MAX_MEMORY_BYTES, &text, &ignored) < 0)
		return 0;
	rest = buf_span(&text);
	while (rest.len > 0 && s->missing > 0) {
		size_t len = strcspn(rest.data, "\n");
		AUTO_FREE char *name = xstrndup(rest.data, len);

		if (len > 0 && !strchr(name, '/') && read_list(s, dir, name, err) < 0)
			return -1;
		if (len == rest.len)
			break;
		rest.data += len + 1;
		rest.len -= len + 1;
	}
	return 0;
}

/* A memory that cannot be written makes the next build slower and nothing else. */
static void remember(const struct search *s, const char *memory)
{
	AUTO_FREE char *dir = memory ? fs_dirname(memory) : NULL;
	AUTO(buf) struct buf text = {0};
	struct error ignored = {0};

	for (size_t i = 0; i < s->lists.count; i++)
		buf_addf(&text, "%s\n", s->lists.items[i]);
	if (memory && text.len < MAX_MEMORY_BYTES && fs_mkdirs(dir, 0755, &ignored) == 0)
		fs_write_atomic(memory, buf_str(&text), text.len, 0644, &ignored);
}

static int read_others(struct search *s, const char *dir, struct error *err)
{
	AUTO(strv) struct strv names = {0};

	if (fs_list(dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count && s->missing > 0; i++) {
		AUTO_FREE char *name = NULL;

		if (!text_ends(names.items[i], ".list"))
			continue;
		name = xstrndup(names.items[i], strlen(names.items[i]) - strlen(".list"));
		if (read_list(s, dir, name, err) < 0)
			return -1;
	}
	return 0;
}

static int read_lists(struct search *s, const char *dir, const char *memory, struct error *err)
{
	if (read_remembered(s, dir, memory, err) < 0)
		return -1;
	if (s->missing == 0)
		return 0;
	if (read_others(s, dir, err) < 0)
		return -1;
	remember(s, memory);
	return 0;
}

static char *field(struct span paragraph, const char *name)
{
	struct span value = deb822_first_line(deb822_get(paragraph, name));
	char *text;

	if (value.len == 0)
		return NULL;
	text = xstrndup(value.data, value.len);
	utf8_sanitize(text);
	return text;
}

/* "Source: glibc (2.36-9)" */
static char *source_name(struct span paragraph, const char *package)
{
	AUTO_FREE char *source = field(paragraph, "Source");

	return source ? xstrndup(source, strcspn(source, " (")) : xstrdup(package);
}

bool dpkg_read_package(struct span paragraph, struct dpkg_package *out)
{
	struct span status = deb822_first_line(deb822_get(paragraph, "Status"));
	AUTO(dpkg_package) struct dpkg_package p = {0};
	static const char installed[] = " installed";

	if (status.data && (status.len < sizeof(installed) ||
						memcmp(status.data + status.len - (sizeof(installed) - 1), installed,
							   sizeof(installed) - 1) != 0))
		return false;
	p.name = field(paragraph, "Package");
	p.arch = field(paragraph, "Architecture");
	p.version = field(paragraph, "Version");
	if (!p.name || !p.arch || !p.version)
		return false;
	p.source = source_name(paragraph, p.name);
	p.maintainer = field(paragraph, "Maintainer");
	*out = MOVE(p);
	return true;
}

/* A package without a readable copyright file has no known licence, and that is all. */
static void read_license(const char *root, struct dpkg_package *p)
{
	AUTO_FREE char *file = xasprintf("%s/usr/share/doc/%s/copyright", root, p->name);
	AUTO(buf) struct buf text = {0};
	struct error ignored = {0};
	struct license license;

	if (strchr(p->name, '/') || fs_read(file, DPKG_MAX_COPYRIGHT_BYTES, &text, &ignored) < 0)
		return;
	license_read(buf_span(&text), &license);
	p->license = license.spdx;
	p->license_names = license.names;
	p->license_refers = license.refers;
}

static bool is_list_of(const char *list, struct span paragraph)
{
	size_t len = strcspn(list, ":");
	struct span name = deb822_first_line(deb822_get(paragraph, "Package"));
	struct span arch;

	if (name.len != len || memcmp(name.data, list, len) != 0)
		return false;
	if (list[len] == '\0')
		return true;
	arch = deb822_first_line(deb822_get(paragraph, "Architecture"));
	return span_is(arch, list + len + 1);
}

/* Find the paragraphs of the lists that own something; *index: list -> package, plus one. */
static void read_packages(const struct search *s, struct span status, struct dpkg_owners *out,
						  size_t *index)
{
	out->packages = xcalloc(s->lists.count + 1, sizeof(out->packages[0]));
	for (struct span p = {0}; deb822_next(&status, &p);) {
		for (size_t i = 0; i < s->lists.count; i++) {
			if (index[i] || !is_list_of(s->lists.items[i], p) ||
				!dpkg_read_package(p, &out->packages[out->package_count]))
				continue;
			read_license(s->root, &out->packages[out->package_count]);
			index[i] = ++out->package_count;
			break;
		}
	}
}

static int find(struct search *s, const struct strv *paths, const char *memory,
				struct dpkg_owners *o, struct error *err)
{
	AUTO_FREE char *info = xasprintf("%s/var/lib/dpkg/info", s->root);
	AUTO_FREE char *file = xasprintf("%s/var/lib/dpkg/status", s->root);
	AUTO(buf) struct buf status = {0};
	AUTO_FREE size_t *index = NULL;

	if (!fs_exists(file) || !fs_is_dir(info))
		return 0;
	if (read_lists(s, info, memory, err) < 0 ||
		fs_read(file, DPKG_MAX_STATUS_BYTES, &status, err) < 0)
		return -1;
	index = xcalloc(s->lists.count + 1, sizeof(index[0]));
	read_packages(s, buf_span(&status), o, index);
	for (size_t i = 0; i < paths->count; i++) {
		size_t list = s->list_of.items[s->file_of.items[i]];

		o->owners[i] = list && index[list - 1] ? index[list - 1] - 1 : o->package_count;
	}
	return 0;
}

int dpkg_find_owners(const char *root, const char *memory, const struct strv *paths,
					 struct dpkg_owners *out, struct error *err)
{
	AUTO(dpkg_owners) struct dpkg_owners o = {.path_count = paths->count};
	AUTO(search) struct search s = {.root = root};

	o.owners = xcalloc(paths->count + 1, sizeof(o.owners[0]));
	for (size_t i = 0; i < paths->count; i++)
		want(&s, paths->items[i]);
	if (paths->count > 0 && find(&s, paths, memory, &o, err) < 0)
		return err_wrap(err, "cannot read dpkg's database");
	*out = MOVE(o);
	return 0;
}

char *dpkg_stamp(const char *root)
{
	AUTO_FREE char *file = xasprintf("%s/var/lib/dpkg/status", root);
	struct stat st;

	if (stat(file, &st) < 0)
		return xstrdup("");
	return xasprintf("%llu %lld %lld.%09ld", (unsigned long long)st.st_ino, (long long)st.st_size,
					 (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}
