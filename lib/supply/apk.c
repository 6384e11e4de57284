#include "supply/apk.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#define DATABASE "lib/apk/db/installed"

/* A package while its lines are read. */
struct entry {
	struct dpkg_package package;
	struct strv files;
	char *folder; /* of the files that follow */
};

static void entry_release(struct entry *e)
{
	dpkg_package_release(&e->package);
	strv_release(&e->files);
	free(e->folder);
	*e = (struct entry){0};
}

static void set(char **field, struct span value)
{
	free(*field);
	*field = xstrndup(value.data, value.len);
	utf8_sanitize(*field);
}

/* "X:value", X one letter. Files stand behind the folder that they are in. */
static void read_line(struct entry *e, char key, struct span value)
{
	switch (key) {
	case 'P':
		set(&e->package.name, value);
		break;
	case 'V':
		set(&e->package.version, value);
		break;
	case 'A':
		set(&e->package.arch, value);
		break;
	case 'o':
		set(&e->package.source, value);
		break;
	case 'm':
		set(&e->package.maintainer, value);
		break;
	case 'L':
		set(&e->package.license_names, value);
		break;
	case 'F':
		free(e->folder);
		e->folder = xstrndup(value.data, value.len);
		break;
	case 'R':
		strv_addf(&e->files, "%s%s%.*s", e->folder ? e->folder : "",
				  e->folder && e->folder[0] ? "/" : "", (int)value.len, value.data);
		break;
	default:
		break;
	}
}

static void finish(struct entry *e,
				   void (*visit)(void *user, const struct dpkg_package *package,
								 const struct strv *files),
				   void *user)
{
	struct dpkg_package *p = &e->package;

	if (p->name && p->version && p->name[0] && p->version[0]) {
		if (!p->arch)
			p->arch = xstrdup("noarch");
		if (!p->source)
			p->source = xstrdup(p->name);
		visit(user, p, &e->files);
	}
	entry_release(e);
}

void apk_each_package(struct span database,
					  void (*visit)(void *user, const struct dpkg_package *package,
									const struct strv *files),
					  void *user)
{
	AUTO(entry) struct entry e = {0};

	while (database.len > 0) {
		const char *end = memchr(database.data, '\n', database.len);
		size_t len = end ? (size_t)(end - database.data) : database.len;

		if (len == 0)
			finish(&e, visit, user);
		else if (len >= 2 && database.data[1] == ':')
			read_line(&e, database.data[0], (struct span){database.data + 2, len - 2});
		database.data += len + (end != NULL);
		database.len -= len + (end != NULL);
	}
	finish(&e, visit, user);
}

struct search {
	struct map wanted; /* path without the slash -> its number, plus one */
	struct dpkg_owners *owners;
	size_t cap;
};

static void search_release(struct search *s)
{
	map_release(&s->wanted);
}

static void take_package(struct dpkg_owners *o, const struct dpkg_package *p, size_t *cap)
{
	if (o->package_count == *cap) {
		*cap = *cap ? *cap * 2 : 8;
		o->packages = xrealloc(o->packages, *cap, sizeof(o->packages[0]));
	}
	o->packages[o->package_count++] = (struct dpkg_package){
		.name = xstrdup(p->name),
		.arch = xstrdup(p->arch),
		.version = xstrdup(p->version),
		.source = xstrdup(p->source),
		.maintainer = xstrdup_opt(p->maintainer),
		.license_names = xstrdup_opt(p->license_names),
	};
}

static void on_package(void *user, const struct dpkg_package *package, const struct strv *files)
{
	struct search *s = user;
	bool is_new = true;

	for (size_t i = 0; i < files->count; i++) {
		size_t number = (uintptr_t)map_get(&s->wanted, files->items[i]);

		if (number == 0)
			continue;
		if (is_new)
			take_package(s->owners, package, &s->cap);
		is_new = false;
		s->owners->owners[number - 1] = s->owners->package_count - 1;
	}
}

/* A path under all its names; one that is asked for twice counts by its last number. */
static void want(struct search *s, const char *path, size_t number)
{
	AUTO(strv) struct strv names = {0};

	dpkg_aliases(path, &names);
	for (size_t i = 0; i < names.count; i++)
		map_put(&s->wanted, names.items[i] + (names.items[i][0] == '/'), (void *)(number + 1));
}

static size_t last_number(const struct search *s, const char *path)
{
	return (uintptr_t)map_get(&s->wanted, path + (path[0] == '/')) - 1;
}

int apk_find_owners(const char *root, const struct strv *paths, struct dpkg_owners *out,
					struct error *err)
{
	AUTO_FREE char *file = xasprintf("%s/" DATABASE, root);
	AUTO(dpkg_owners) struct dpkg_owners o = {.path_count = paths->count};
	AUTO(search) struct search s = {.owners = &o};
	AUTO(buf) struct buf text = {0};

	if (fs_exists(file) && fs_read_settled(file, APK_MAX_DATABASE_BYTES, &text, err) < 0)
		return err_wrap(err, "cannot read apk's database");
	o.owners = xcalloc(paths->count + 1, sizeof(o.owners[0]));
	for (size_t i = 0; i < paths->count; i++) {
		o.owners[i] = SIZE_MAX;
		want(&s, paths->items[i], i);
	}
	apk_each_package(buf_span(&text), on_package, &s);
	for (size_t i = 0; i < paths->count; i++) {
		size_t found = o.owners[last_number(&s, paths->items[i])];

		o.owners[i] = found == SIZE_MAX ? o.package_count : found;
	}
	*out = MOVE(o);
	return 0;
}

char *apk_stamp(const char *root)
{
	AUTO_FREE char *file = xasprintf("%s/" DATABASE, root);
	struct stat st;

	if (stat(file, &st) < 0)
		return xstrdup("");
	return xasprintf("%llu %lld %lld.%09ld", (unsigned long long)st.st_ino, (long long)st.st_size,
					 (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}
