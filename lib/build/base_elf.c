#include "build/base_elf.h"

#include "base/fs.h"
#include "base/list.h"
#include "build/basefile.h"
#include "tar/reader.h"

#include <stdlib.h>
#include <sys/mman.h>

#define MAX_LAYER_BYTES (32ull << 30)
#define MAX_HOPS 8 /* from one name of a file to the next */

void build_base_elf_release(struct map *files)
{
	for (size_t i = 0; i < files->count; i++) {
		struct elf_file *f = files->entries[i].value;

		if (f)
			elf_file_release(f);
		free(f);
	}
	map_release(files);
}

/* A file that is looked for. */
struct wanted {
	const char *key;
	char *path;     /* that has the content: key, or what it is a hard link to */
	unsigned layer; /* where it is looked for now */
	unsigned hops;
	bool is_done, has_moved;
};

struct search {
	struct build *b;
	struct map *files;
	LIST(struct wanted) wanted;
	struct tar_reader *reader;
};

static void search_release(struct search *s)
{
	for (size_t i = 0; i < s->wanted.count; i++)
		free(s->wanted.items[i].path);
	list_release(&s->wanted);
}

static int copy_entry(struct tar_reader *reader, int fd, const char *path, struct error *err)
{
	char piece[65536];
	ssize_t n;

	while ((n = tar_reader_data(reader, piece, sizeof(piece), err)) > 0)
		if (fs_write_fd(fd, path, piece, (size_t)n, err) < 0)
			return -1;
	return n < 0 ? -1 : 0;
}

static int take_file(const struct build *b, struct map *files, const char *key, int fd,
					 struct error *err)
{
	AUTO(elf_file) struct elf_file f = {0};
	struct elf_file *kept;

	if (elf_file_read_fd(fd, key, &f, err) < 0) {
		if (err->code != ERR_INPUT)
			return -1;
		build_note(b, "base image %s: %s: what programs need of it is not checked",
				   b->project->build.base, err->msg);
		return 0;
	}
	kept = xmalloc(sizeof(*kept));
	*kept = MOVE(f);
	map_put(files, key, kept);
	return 0;
}

static int read_content(struct search *s, const struct tar_entry *e, struct wanted *w,
						struct error *err)
{
	AUTO_CLOSE int fd = memfd_create("base", MFD_CLOEXEC);

	if (fd < 0)
		return err_errno(err, "cannot make a file in memory");
	if (e->size > BUILD_MAX_BASE_ELF_BYTES)
		return err_set(err, ERR_INPUT, "%s is larger than %u bytes", w->key,
					   BUILD_MAX_BASE_ELF_BYTES);
	w->is_done = true;
	if (copy_entry(s->reader, fd, w->key, err) < 0)
		return -1;
	build_base_file_keep(s->b, w->key, fd);
	return take_file(s->b, s->files, w->key, fd, err);
}

static int read_entry(struct search *s, const struct tar_entry *e, unsigned layer,
					  struct error *err)
{
	for (size_t i = 0; i < s->wanted.count; i++) {
		struct wanted *w = &s->wanted.items[i];
		AUTO_FREE char *at = NULL;

		if (w->is_done || w->has_moved || w->layer != layer ||
			strcmp(fs_basename(w->path), fs_basename(e->path)) != 0)
			continue;
		if (tree_resolve(&s->b->tree, e->path, false, &at, err) < 0)
			return -1;
		if (strcmp(at, w->path) != 0)
			continue;
		if (e->type == TAR_FILE)
			return read_content(s, e, w, err);
		if (e->type != TAR_HARDLINK || ++w->hops > MAX_HOPS)
			return err_set(err, ERR_INPUT, "%s is no file", w->key);
		free(w->path);
		w->path = NULL;
		w->has_moved = true;
		return tree_resolve(&s->b->tree, e->target, false, &w->path, err);
	}
	return 0;
}

static int read_layer(struct search *s, unsigned index, struct error *err)
{
	const struct oci_descriptor *d = &s->b->base.layers[index];
	AUTO_CLOSE int fd = -1;
	AUTO_PTR(tar_reader) struct tar_reader *reader = NULL;
	struct tar_source source = tar_source_fd(&fd);
	struct tar_entry e;
	int rc;

	if (oci_store_open_blob(s->b->store, d, &fd, err) < 0 ||
		tar_reader_new(&source, d->digest, MAX_LAYER_BYTES, &reader, err) < 0)
		return -1;
	s->reader = reader;
	while ((rc = tar_reader_next(reader, &e, err)) > 0)
		if (cancel_check(s->b->request->cancel, err) < 0 || read_entry(s, &e, index, err) < 0)
			return -1;
	return rc;
}

/* What a layer turned out not to have is in a lower one. */
static int look_on(struct search *s, unsigned index, bool *again, struct error *err)
{
	for (size_t i = 0; i < s->wanted.count; i++) {
		struct wanted *w = &s->wanted.items[i];

		if (w->is_done || w->layer != index)
			continue;
		if (w->has_moved)
			*again = true;
		else if (w->layer-- == 0)
			return err_set(err, ERR_INPUT, "none of its layers has %s", w->key);
		w->has_moved = false;
	}
	return 0;
}

static bool is_wanted(const struct search *s, unsigned index)
{
	for (size_t i = 0; i < s->wanted.count; i++)
		if (!s->wanted.items[i].is_done && s->wanted.items[i].layer == index)
			return true;
	return false;
}

int build_base_elf_read(struct build *b, struct map *files, struct error *err)
{
	AUTO(search) struct search s = {.b = b, .files = files};

	for (size_t i = 0; i < files->count; i++) {
		const char *key = files->entries[i].key;
		const struct tree_node *n = map_get(&b->tree.nodes, key);
		AUTO_CLOSE int fd = build_base_file_open(b, key);

		if (fd >= 0) {
			if (take_file(b, files, key, fd, err) < 0)
				return -1;
			continue;
		}
		list_push(&s.wanted, ((struct wanted){key, xstrdup(key), n->base_layer, 0, false, false}));
	}
	for (unsigned index = (unsigned)b->base.layer_count; index-- > 0;) {
		bool again = is_wanted(&s, index);

		while (again) {
			again = false;
			if (read_layer(&s, index, err) < 0 || look_on(&s, index, &again, err) < 0)
				return err_wrap(err, "base image %s", b->project->build.base);
		}
	}
	return 0;
}
