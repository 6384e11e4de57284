#include "build/reasons.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "build/private.h"
#include "elf/closure.h"

#include <string.h>

/* Where a file of the closure is in the tree; the image names its folders by other paths than the
 * loader may. Caller frees. */
static char *place_of(const struct build *b, const char *path)
{
	struct error ignored;
	char *at;

	return tree_resolve(&b->tree, path, true, &at, &ignored) < 0 ? xstrdup(path) : at;
}

static char *library_reason(const struct elf_object *o)
{
	static const char *const places[] = {
		[ELF_FOUND_GIVEN] = "it is a program",
		[ELF_FOUND_INTERPRETER] = "it is its loader",
		[ELF_FOUND_PATH] = "by its path",
		[ELF_FOUND_RPATH] = "in the program's RPATH",
		[ELF_FOUND_RUNPATH] = "in the file's RUNPATH",
		[ELF_FOUND_CACHE] = "in the loader's cache",
		[ELF_FOUND_DEFAULT] = "in a folder where every loader looks",
	};
	static const char *const verbs[] = {
		[ELF_ASKED_START] = "needs",
		[ELF_ASKED_NOTE] = "opens, as its .note.dlopen tells,",
		[ELF_ASKED_LIBC] = "lets the C library open",
	};
	const char *by = o->needed_by ? o->needed_by : "the image";
	const char *verb = verbs[o->asked];

	if (o->how == ELF_FOUND_INTERPRETER)
		return xasprintf("%s is started by it: the program names %s as its loader", by, o->opened);
	if ((size_t)o->how >= ARRAY_LEN(places))
		return xasprintf("%s %s %s, found by %s", by, verb, o->name, elf_found_by_name(o->how));
	return xasprintf("%s %s %s, found %s", by, verb, o->name, places[o->how]);
}

void build_note_library(struct build *b, const struct elf_object *o)
{
	AUTO_FREE char *path = place_of(b, o->place.path);
	AUTO_FREE char *by = o->needed_by ? place_of(b, o->needed_by) : NULL;
	AUTO_FREE char *reason = library_reason(o);

	if (!b->reasons)
		b->reasons = json_object();
	if (!json_object_get(b->reasons, path))
		json_object_set_new(b->reasons, path,
							json_pack("{s:s, s:s*, s:s}", "reason", reason, "by", by, "how",
									  elf_found_by_name(o->how)));
}

/* The file's path below a folder, NULL when it is elsewhere. Borrowed. */
static const char *below(const char *file, const char *dir)
{
	size_t len = dir ? strlen(dir) : 0;

	return len > 0 && text_starts(file, dir) && file[len] == '/' ? file + len + 1 : NULL;
}

static char *project_reason(const struct build *b, const struct tree_node *n)
{
	const char *installed = n->file ? below(n->file, b->plan.installed) : NULL;
	const char *copied = n->file ? below(n->file, b->project->dir) : NULL;
	const char *starts = n->layer == TREE_APP ? "; it is what the image starts" : "";

	if (installed)
		return xasprintf("the project's %s build installs it%s", build_system_name(b->plan.kind),
						 starts);
	if (copied)
		return xasprintf("build.copy takes it from %s%s", copied, starts);
	return xasprintf("the project brings it%s", starts);
}

static const char *system_reason(const char *path)
{
	static const char *const known[][2] = {
		{"etc/passwd", "programs ask for the name of their user: build.user"},
		{"etc/group", "programs ask for the name of their group: build.user"},
		{"etc/nsswitch.conf", "without it glibc asks DNS before /etc/hosts"},
		{"tmp", "programs expect a folder for temporary files"},
		{"etc/ssl", "build.certificates asks for it"},
		{"usr/share/zoneinfo", "build.timezones asks for it"},
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(path, known[i][0]) == 0 || below(path, known[i][0]))
			return known[i][1];
	return "msctl.yaml asks for it";
}

/* Folders above files and links to libraries have no reason of their own. */
static char *reason_of(const struct build *b, const char *path, const struct tree_node *n)
{
	bool is_parent = n->type == TREE_DIR && strcmp(path, "tmp") != 0;

	if (n->layer == TREE_BASE || is_parent)
		return NULL;
	if (n->layer == TREE_SYSTEM)
		return xstrdup(system_reason(path));
	return n->layer >= TREE_FILES ? project_reason(b, n) : NULL;
}

void build_reasons(const struct build *b, struct buf *out)
{
	json_t *files = b->reasons ? json_copy(b->reasons) : json_object();
	AUTO_JSON json_t *doc = json_pack("{s:o}", "files", files);

	for (size_t i = 0; i < b->tree.nodes.count; i++) {
		const struct map_entry *e = &b->tree.nodes.entries[i];
		AUTO_FREE char *reason = e->value ? reason_of(b, e->key, e->value) : NULL;

		if (reason && !json_object_get(files, e->key))
			json_object_set_new(files, e->key, json_pack("{s:s}", "reason", reason));
	}
	doc_json_write(doc, out);
}
