#include "build/gather.h"

#include "base/fs.h"
#include "base/mem.h"
#include "build/memory.h"
#include "elf/file.h"
#include "elf/view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* How messages call what files come from. */
static const char *origin(const struct build *b)
{
	return b->plan.kind == BUILD_WRITTEN ? "build.copy" : "the installation";
}

int build_take(struct build *b, const char *path, const char *file, const struct stat *st,
			   struct error *err)
{
	struct taken t = {.st = *st};

	if (b->taken_count >= BUILD_MAX_FILES)
		return err_set(err, ERR_INPUT, "%s has more than %d files", origin(b), BUILD_MAX_FILES);
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode) && !S_ISLNK(st->st_mode))
		return err_set(err, ERR_INPUT, "%s is neither a file nor a folder nor a link: not copied",
					   file);
	/* in a layer such a name takes a file away (image-spec v1.1, layer.md, "Whiteouts") */
	if (strncmp(fs_basename(path), ".wh.", 4) == 0)
		return err_set(err, ERR_INPUT, "%s: an image cannot hold a file of this name", file);
	t.path = elf_clean_path(path);
	t.file = xstrdup(file);
	if (S_ISREG(st->st_mode) && map_has(&b->over, t.path)) {
		err_set(err, ERR_INPUT, "%s puts two files at %s", origin(b), t.path);
		free(t.path);
		free(t.file);
		return -1;
	}
	b->taken = xrealloc(b->taken, b->taken_count + 1, sizeof(*b->taken));
	b->taken[b->taken_count++] = t;
	if (S_ISREG(st->st_mode))
		map_put(&b->over, t.path, t.file);
	return 0;
}

struct folder {
	struct build *b;
	const char *to;
};

static int take_entry(void *user, const struct fs_entry *e, struct error *err)
{
	const struct folder *f = user;
	AUTO_FREE char *path = fs_join(f->to, e->path);

	/* the history of the sources is no part of the program */
	if (strcmp(fs_basename(e->path), ".git") == 0 || strcmp(e->path, BUILD_WORK_FOLDER) == 0)
		return 1;
	return build_take(f->b, path, e->full_path, &e->st, err);
}

/* from is within the project by the kernel's word: links that lead out of it are refused. */
static int take_copy(struct build *b, int project_fd, const struct project_copy *c,
					 struct error *err)
{
	AUTO_CLOSE int fd = fs_open_beneath(project_fd, c->from, O_RDONLY | O_NONBLOCK, 0, err);
	AUTO_FREE char *file = fs_join(b->project->dir, c->from);
	struct folder folder = {b, c->to};
	struct stat st;

	if (fd < 0 && err->code == ERR_MISSING) {
		err_set(err, ERR_MISSING, "build.copy: there is no %s", c->from);
		return err_hint(err, "let one of build.steps make it, or mend %s", b->project->file);
	}
	if (fd < 0 && errno == EXDEV) {
		err_set(err, ERR_INPUT, "build.copy: %s leads out of the project", c->from);
		return err_hint(err, "let build.steps copy what it leads to into the project");
	}
	if (fd < 0)
		return err_wrap(err, "build.copy");
	if (fstat(fd, &st) < 0)
		return err_errno(err, "cannot stat %s", file);
	if (build_take(b, c->to, file, &st, err) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode))
		return 0;
	return fs_walk(file, take_entry, &folder, err);
}

static int hint_foreign(const struct build *b, struct error *err)
{
	if (b->is_cross && b->plan.kind == BUILD_WRITTEN)
		return err_hint(err,
						"the steps find the compiler for %s in $CC, as in 'make CC=\"$CC\"', and "
						"its name in $MSCTL_TRIPLET; what another platform's steps left must be "
						"made anew",
						b->platform.arch);
	return err_hint(err, "compile it for %s", b->platform.arch);
}

static int read_program(struct build *b, const struct taken *t, struct error *err)
{
	AUTO(elf_file) struct elf_file elf = {0};
	const char *arch;

	if (elf_file_read(t->file, &elf, err) < 0)
		return err_hint(err, "build it again");
	if (elf.type != ELF_EXECUTABLE && elf.type != ELF_SHARED)
		return 0;
	arch = elf_arch(&elf);
	if (!arch || strcmp(arch, b->platform.arch) != 0) {
		err_set(err, ERR_INPUT, "%s is a program for %s, the image is for %s/%s", t->file,
				arch ? arch : "another machine", b->platform.os, b->platform.arch);
		return hint_foreign(b, err);
	}
	strv_add(&b->programs, t->path);
	return 0;
}

/* A damaged or foreign ELF file that nobody can execute is data: firmware, a test's input. If it
 * is a library that a program needs, the closure meets it. */
static int check_program(struct build *b, const struct taken *t, struct error *err)
{
	struct error why = {0};

	if (!S_ISREG(t->st.st_mode) ||
		!statindex_is_elf(build_memory_sums(b->stamp->memory, t->file), t->file, &t->st) ||
		read_program(b, t, &why) == 0)
		return 0;
	if (!(t->st.st_mode & S_IXUSR) && why.code == ERR_INPUT)
		return 0;
	*err = why;
	return -1;
}

/* What is started: as written, else what was installed to be, else the first file copied that can
 * be executed. */
static int choose_entrypoint(struct build *b, struct error *err)
{
	const struct project_build *p = &b->project->build;
	char *binary = NULL;

	for (size_t i = 0; i < p->entrypoint.count; i++)
		strv_add(&b->entrypoint, p->entrypoint.items[i]);
	if (b->entrypoint.count == 0 && b->plan.kind != BUILD_WRITTEN) {
		if (build_choose_binary(b, &binary, err) < 0)
			return -1;
		strv_take(&b->entrypoint, binary);
	}
	for (size_t i = 0; i < b->taken_count && b->entrypoint.count == 0; i++)
		if (S_ISREG(b->taken[i].st.st_mode) && b->taken[i].st.st_mode & S_IXUSR)
			strv_add(&b->entrypoint, b->taken[i].path);
	if (b->entrypoint.count == 0 && p->cmd.count == 0 && strcmp(p->base, "scratch") == 0) {
		err_set(err, ERR_INPUT, "%s: nothing of build.copy can be executed", b->project->file);
		return err_hint(err, "copy a program, or write build.entrypoint");
	}
	return 0;
}

/* Where a link among the taken files leads, by its text: a path in the image. Caller frees. */
static char *link_target(const struct taken *t)
{
	AUTO_FREE char *dir = fs_dirname(t->path);
	AUTO_FREE char *joined = NULL;
	char target[4096];
	ssize_t n = readlink(t->file, target, sizeof(target) - 1);

	if (n <= 0)
		return NULL;
	target[n] = '\0';
	joined = fs_join(dir, target);
	return elf_clean_path(joined);
}

/* libx.so.1 is a link to libx.so.1.2: the loader finds the library under both names. A link may
 * lead to a link that comes later. */
static void follow_links(struct build *b)
{
	bool has_more = true;

	while (has_more) {
		has_more = false;
		for (size_t i = 0; i < b->taken_count; i++) {
			const struct taken *t = &b->taken[i];
			AUTO_FREE char *target = NULL;

			if (!S_ISLNK(t->st.st_mode) || map_has(&b->over, t->path))
				continue;
			target = link_target(t);
			if (!target || !map_has(&b->over, target))
				continue;
			map_put(&b->over, t->path, map_get(&b->over, target));
			has_more = true;
		}
	}
}

static int take_copies(struct build *b, struct error *err)
{
	const struct project_build *p = &b->project->build;
	AUTO_CLOSE int dir = open(b->project->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_errno(err, "cannot open folder %s", b->project->dir);
	for (size_t i = 0; i < p->copy_count; i++)
		if (take_copy(b, dir, &p->copy[i], err) < 0)
			return -1;
	return 0;
}

int build_gather(struct build *b, struct error *err)
{
	bool is_written = b->plan.kind == BUILD_WRITTEN;

	if ((!is_written && build_take_installed(b, err) < 0) || take_copies(b, err) < 0)
		return -1;
	for (size_t i = 0; i < b->taken_count; i++)
		if (check_program(b, &b->taken[i], err) < 0)
			return -1;
	if (!is_written && b->project->build.strip && build_strip(b, err) < 0)
		return -1;
	follow_links(b);
	return choose_entrypoint(b, err);
}

static int place_link(struct build *b, const struct taken *t, struct error *err)
{
	char target[4096];
	ssize_t n = readlink(t->file, target, sizeof(target) - 1);

	if (n < 0)
		return err_errno(err, "cannot read link %s", t->file);
	target[n] = '\0';
	return tree_add_link(&b->tree, TREE_FILES, t->path, target, err);
}

int build_place(struct build *b, struct error *err)
{
	const char *start = b->entrypoint.count ? b->entrypoint.items[0] : "";

	for (size_t i = 0; i < b->taken_count; i++) {
		const struct taken *t = &b->taken[i];
		enum tree_layer layer = strcmp(t->path, start) == 0 ? TREE_APP : TREE_FILES;
		int rc;

		if (S_ISREG(t->st.st_mode))
			rc = tree_add_file(&b->tree, layer, t->path, t->file, &t->st, err);
		else if (S_ISLNK(t->st.st_mode))
			rc = place_link(b, t, err);
		else if (strcmp(t->path, "/") == 0)
			rc = 0;
		else
			rc = tree_add_dir(&b->tree, layer, t->path, 0755, err);
		if (rc < 0)
			return err_wrap(err, "%s", origin(b));
	}
	return 0;
}
