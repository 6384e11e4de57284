#include "build/sources.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "build/plan.h"
#include "elf/file.h"
#include "repo/repo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/sendfile.h>

#define MAX_LIST (64u << 20)
#define COPY_BYTES (8u << 20) /* at a time */

struct copy {
	const char *from, *to;
	const struct cancel *cancel;
	struct repo_ignored *ignored; /* NULL: no repository */
	struct map before;            /* path -> what stat said when it was copied, in `text` */
	struct buf text;
	struct buf list; /* of this time: "STAT PATH\0" for each */
	size_t count;
};

static void copy_release(struct copy *c)
{
	if (c->ignored)
		repo_ignored_free(c->ignored);
	map_release(&c->before);
	buf_release(&c->text);
	buf_release(&c->list);
}

/* Lines are "STAT PATH", each ended by NUL; STAT has no blank. */
static void read_list(const char *file, struct buf *text, struct map *out)
{
	struct error ignored = {0};
	size_t at = 0;

	if (fs_read_settled(file, MAX_LIST, text, &ignored) < 0)
		return;
	while (at < text->len) {
		char *line = text->data + at;
		char *blank = strchr(line, ' ');

		at += strlen(line) + 1;
		if (!blank)
			continue;
		*blank = '\0';
		map_put(out, blank + 1, line);
	}
}

void sources_load(const char *list, struct map *known)
{
	AUTO(buf) struct buf text = {0};
	AUTO(map) struct map seen = {0};

	read_list(list, &text, &seen);
	for (size_t i = 0; i < seen.count; i++)
		map_put(known, seen.entries[i].key, NULL);
}

/* What the compiler left beside the sources would be taken for made already, with whatever flags
 * and for whatever machine. */
static bool is_compiled(const struct fs_entry *e)
{
	AUTO(elf_file) struct elf_file elf = {0};
	struct error ignored = {0};

	if (!elf_is_elf(e->full_path) || elf_file_read(e->full_path, &elf, &ignored) < 0)
		return false;
	return elf.type != ELF_SHARED || elf.is_pie;
}

/* Holes stay holes: a file may be larger than the disk. */
static int copy_bytes(int in, int out, const struct fs_entry *e, const struct cancel *cancel,
					  struct error *err)
{
	off_t at = 0;

	while ((at = lseek(in, at, SEEK_DATA)) >= 0) {
		off_t end = lseek(in, at, SEEK_HOLE);
		ssize_t n = 1;

		if (end < 0 || lseek(out, at, SEEK_SET) < 0)
			return err_errno(err, "cannot copy %s", e->full_path);
		while (at < end && n != 0) {
			n = sendfile(out, in, &at, MIN((size_t)(end - at), COPY_BYTES));
			if (n < 0 && errno != EINTR)
				return err_errno(err, "cannot copy %s", e->full_path);
			if (cancel_check(cancel, err) < 0)
				return -1;
		}
		if (n == 0)
			break;
	}
	/* ENXIO: no data behind `at` */
	if (at < 0 && errno != ENXIO)
		return err_errno(err, "cannot copy %s", e->full_path);
	if (ftruncate(out, e->st.st_size) < 0)
		return err_errno(err, "cannot copy %s", e->full_path);
	return 0;
}

/* A changed file is newer than everything that was made of it, whatever time it has; at first all
 * keep their times, since autotools order their products by them. */
static int copy_file(const struct copy *c, const struct fs_entry *e, const char *target,
					 bool is_first, struct error *err)
{
	AUTO_CLOSE int in = open(e->full_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	AUTO_CLOSE int out = -1;
	const struct timespec times[2] = {e->st.st_mtim, e->st.st_mtim};

	if (in < 0)
		return err_errno(err, "cannot read %s", e->full_path);
	if (unlink(target) < 0 && errno != ENOENT && fs_remove_tree(target, err) < 0)
		return -1;
	out = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return err_errno(err, "cannot write %s", target);
	if (copy_bytes(in, out, e, c->cancel, err) < 0)
		return -1;
	if (fchmod(out, (e->st.st_mode & 0111) ? 0755 : 0644) < 0 ||
		(is_first && futimens(out, times) < 0))
		return err_errno(err, "cannot write %s", target);
	return 0;
}

static int copy_link(const struct fs_entry *e, const char *target, struct error *err)
{
	char text[4096];
	ssize_t n = readlink(e->full_path, text, sizeof(text) - 1);

	if (n < 0)
		return err_errno(err, "cannot read link %s", e->full_path);
	text[n] = '\0';
	if (unlink(target) < 0 && errno != ENOENT && fs_remove_tree(target, err) < 0)
		return -1;
	if (symlink(text, target) < 0)
		return err_errno(err, "cannot make link %s", target);
	return 0;
}

static int copy_folder(const char *target, struct error *err)
{
	struct stat st;

	if (lstat(target, &st) == 0 && !S_ISDIR(st.st_mode) && unlink(target) < 0)
		return err_errno(err, "cannot replace %s", target);
	return fs_mkdirs(target, 0755, err);
}

static int copy_entry(struct copy *c, const struct fs_entry *e, struct error *err)
{
	AUTO_FREE char *target = fs_join(c->to, e->path);
	AUTO_FREE char *seen =
		xasprintf("%o.%lld.%lld.%09ld.%lld.%09ld", (unsigned)e->st.st_mode,
				  (long long)e->st.st_size, (long long)e->st.st_mtim.tv_sec, e->st.st_mtim.tv_nsec,
				  (long long)e->st.st_ctim.tv_sec, e->st.st_ctim.tv_nsec);
	const char *before = map_get(&c->before, e->path);

	if (++c->count > SOURCES_MAX_FILES)
		return err_set(err, ERR_INPUT, "%s has more than %d files", c->from, SOURCES_MAX_FILES);
	if (S_ISDIR(e->st.st_mode)) {
		seen[strcspn(seen, ".")] = '\0'; /* its time changes with every file in it */
		if (copy_folder(target, err) < 0)
			return -1;
	} else if (!before || strcmp(before, seen) != 0) {
		int rc = S_ISLNK(e->st.st_mode) ? copy_link(e, target, err)
										: copy_file(c, e, target, c->before.count == 0, err);
		if (rc < 0)
			return -1;
	}
	buf_addf(&c->list, "%s %s", seen, e->path);
	buf_addc(&c->list, '\0');
	return 0;
}

static int visit(void *user, const struct fs_entry *e, struct error *err)
{
	struct copy *c = user;
	const char *name = fs_basename(e->path);
	bool is_dir = S_ISDIR(e->st.st_mode);

	if (strcmp(name, ".git") == 0 || strcmp(e->path, BUILD_WORK_FOLDER) == 0)
		return 1;
	if (!is_dir && !S_ISREG(e->st.st_mode) && !S_ISLNK(e->st.st_mode))
		return 0;
	if (c->ignored ? repo_is_ignored(c->ignored, e->path, is_dir)
				   : S_ISREG(e->st.st_mode) && is_compiled(e))
		return 1;
	return copy_entry(c, e, err);
}

/* Content before the folder it is in: lists have a folder first. */
static void remove_gone(const struct copy *c)
{
	AUTO(map) struct map now = {0};

	for (size_t at = 0; at < c->list.len; at += strlen(c->list.data + at) + 1)
		map_put(&now, strchr(c->list.data + at, ' ') + 1, NULL);
	for (size_t i = c->before.count; i-- > 0;) {
		AUTO_FREE char *path = fs_join(c->to, c->before.entries[i].key);

		/* a folder that holds products stays */
		if (!map_has(&now, c->before.entries[i].key) && unlink(path) < 0)
			rmdir(path);
	}
}

int sources_copy(const char *from, const char *to, const char *list, const struct cancel *cancel,
				 struct error *err)
{
	AUTO(copy) struct copy c = {.from = from, .to = to, .cancel = cancel};
	struct error none = {0};

	if (repo_ignored_open(from, &c.ignored, &none) < 0)
		c.ignored = NULL;
	if (fs_is_dir(to))
		read_list(list, &c.text, &c.before);
	if (fs_mkdirs(to, 0755, err) < 0 || fs_walk(from, visit, &c, err) < 0)
		return -1;
	remove_gone(&c);
	return fs_write_atomic(list, buf_str(&c.list), c.list.len, 0644, err);
}
