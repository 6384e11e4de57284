#include "tar/extract.h"

#include "base/fs.h"
#include "base/list.h"
#include "base/text.h"
#include "tar/rootdir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#define WHITEOUT ".wh."
#define WHITEOUT_LEN (sizeof(WHITEOUT) - 1)
#define OPAQUE ".wh..wh..opq"

/* Attributes of a folder wait until nothing more is written into it. */
struct folder {
	char *path;
	ino_t inode;
	mode_t mode;
	uint32_t uid, gid;
	int64_t mtime_s;
};

struct extraction {
	struct tar_reader *reader;
	const struct extract_options *options;
	const char *name;
	struct rootdir tree;
	bool replaced; /* the current entry took something's place: names may lead elsewhere now */
	LIST(struct folder) folders;
	char buffer[128 * 1024];
};

static void extraction_free(struct extraction *x)
{
	for (size_t i = 0; i < x->folders.count; i++)
		free(x->folders.items[i].path);
	list_release(&x->folders);
	rootdir_release(&x->tree);
	tar_reader_free(x->reader);
	free(x);
}

static void skip(const struct extraction *x, const char *path, const char *why)
{
	if (x->options->skipped)
		x->options->skipped(x->options->user, path, why);
}

static void set_times(int fd, const char *name, int64_t mtime_s)
{
	struct timespec times[2] = {{.tv_sec = mtime_s}, {.tv_sec = mtime_s}};

	/* a file system that cannot hold the time is no reason to fail */
	utimensat(fd, name, times, AT_SYMLINK_NOFOLLOW);
}

static mode_t allowed_mode(const struct extraction *x, const struct tar_entry *e)
{
	if (x->options->keep_owner)
		return e->mode;
	return e->type == TAR_DIR ? (e->mode & 01777) | 0700 : e->mode & 01777;
}

static int set_owner(const struct extraction *x, int fd, const char *name,
					 const struct tar_entry *e, struct error *err)
{
	if (!x->options->keep_owner)
		return 0;
	if (fchownat(fd, name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "cannot change the owner of %s", e->path);
	return 0;
}

/* Take away what stands in the way of an entry; a folder over a folder stays. */
static int make_way(struct extraction *x, int fd, const char *name, const struct tar_entry *e,
					bool *stays, struct error *err)
{
	struct stat st;

	*stays = false;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_errno(err, "cannot stat %s", e->path);
	*stays = S_ISDIR(st.st_mode) && e->type == TAR_DIR;
	x->replaced = !*stays;
	return *stays ? 0 : rootdir_remove(&x->tree, fd, name, err);
}

static int write_content(struct extraction *x, int out, const struct tar_entry *e,
						 struct error *err)
{
	for (;;) {
		ssize_t n = tar_reader_data(x->reader, x->buffer, sizeof(x->buffer), err);

		if (n <= 0)
			return (int)n;
		if (fs_write_fd(out, e->path, x->buffer, (size_t)n, err) < 0)
			return -1;
	}
}

/* A container without its capabilities still runs, perhaps: no reason to fail. */
static void set_capability(const struct extraction *x, int fd, const struct tar_entry *e)
{
	const struct tar_capability *c = &e->capability;

	if (c->len == 0 || !x->options->keep_owner)
		return;
	if (fsetxattr(fd, "security.capability", c->bytes, c->len, 0) < 0)
		skip(x, e->path, "its capabilities cannot be set here");
}

static int extract_file(struct extraction *x, int fd, const char *name, const struct tar_entry *e,
						struct error *err)
{
	AUTO_CLOSE int out =
		openat(fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (out < 0)
		return err_errno(err, "cannot create %s", e->path);
	if (write_content(x, out, e, err) < 0 || set_owner(x, fd, name, e, err) < 0)
		return -1;
	/* after the owner: changing that clears setuid */
	if (fchmod(out, allowed_mode(x, e)) < 0)
		return err_errno(err, "cannot change the mode of %s", e->path);
	/* after the owner, too: changing that clears it */
	set_capability(x, out, e);
	set_times(fd, name, e->mtime_s);
	return 0;
}

static int extract_folder(struct extraction *x, int fd, const char *name, const struct tar_entry *e,
						  bool exists, struct error *err)
{
	struct folder f = {
		.mode = allowed_mode(x, e), .uid = e->uid, .gid = e->gid, .mtime_s = e->mtime_s};
	struct stat st;

	if (!exists && mkdirat(fd, name, 0700) < 0)
		return err_errno(err, "cannot create folder %s", e->path);
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "cannot stat %s", e->path);
	f.path = xstrdup(e->path);
	f.inode = st.st_ino;
	list_push(&x->folders, f);
	return 0;
}

static int extract_symlink(struct extraction *x, int fd, const char *name,
						   const struct tar_entry *e, struct error *err)
{
	if (symlinkat(e->target, fd, name) < 0)
		return err_errno(err, "cannot create link %s", e->path);
	if (set_owner(x, fd, name, e, err) < 0)
		return -1;
	set_times(fd, name, e->mtime_s);
	return 0;
}

/* The target is looked for beneath root like everything else, and is never followed itself. */
static int extract_hardlink(struct extraction *x, const struct tar_entry *e, struct error *err)
{
	AUTO_CLOSE int from = -1;
	const char *target, *name;
	int fd;

	if (rootdir_parent(&x->tree, e->target, false, &fd, &target, err) < 0)
		return -1;
	from = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (from < 0)
		return err_set(err, ERR_INPUT, "'%s' is a hard link to '%s', which does not exist", e->path,
					   e->target);
	if (rootdir_parent(&x->tree, e->path, true, &fd, &name, err) < 0)
		return -1;
	if (linkat(from, target, fd, name, 0) == 0) {
		rootdir_mark(&x->tree, fd, name);
		return 0;
	}
	if (errno == ENOENT || errno == EPERM)
		return err_set(err, ERR_INPUT, "'%s' is a hard link to '%s', which is no file", e->path,
					   e->target);
	return err_errno(err, "cannot link %s to %s", e->path, e->target);
}

static int extract_fifo(struct extraction *x, int fd, const char *name, const struct tar_entry *e,
						struct error *err)
{
	if (mkfifoat(fd, name, 0600) < 0)
		return err_errno(err, "cannot create pipe %s", e->path);
	if (set_owner(x, fd, name, e, err) < 0)
		return -1;
	if (fchmodat(fd, name, allowed_mode(x, e), 0) < 0)
		return err_errno(err, "cannot change the mode of %s", e->path);
	return 0;
}

/* A device 0:0 is how overlayfs writes a whiteout: in a layer it is a trick, not a device. */
static int skip_device(const struct extraction *x, const struct tar_entry *e, struct error *err)
{
	if (e->type == TAR_CHAR && e->dev_major == 0 && e->dev_minor == 0)
		return err_set(err, ERR_INPUT, "'%s' is an overlayfs whiteout, not a layer's", e->path);
	skip(x, e->path, "device nodes are not made");
	return 0;
}

static int extract_whiteout(struct extraction *x, const struct tar_entry *e, struct error *err)
{
	const char *name, *hidden;
	int fd;
	struct stat st;

	if (rootdir_parent(&x->tree, e->path, false, &fd, &name, err) < 0)
		return -1;
	hidden = name + WHITEOUT_LEN;
	if (hidden[0] == '\0' || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
		return err_set(err, ERR_INPUT, "'%s' is a whiteout of nothing", e->path);
	if (fd < 0)
		return 0;
	if (strcmp(name, OPAQUE) == 0)
		return rootdir_clear(&x->tree, fd, ".", err);
	if (text_starts(hidden, WHITEOUT)) {
		skip(x, e->path, "belongs to aufs, not to a layer");
		return 0;
	}
	if (!rootdir_is_marked(&x->tree, fd, hidden)) {
		x->replaced = true;
		return rootdir_remove(&x->tree, fd, hidden, err);
	}
	/* what this layer brought itself stays; what lay below a folder of that name goes */
	if (fstatat(fd, hidden, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return rootdir_clear(&x->tree, fd, hidden, err);
	return 0;
}

static int extract_into(struct extraction *x, int fd, const char *name, const struct tar_entry *e,
						struct error *err)
{
	bool stays;
	int rc = -1;

	if (make_way(x, fd, name, e, &stays, err) < 0)
		return -1;
	switch (e->type) {
	case TAR_FILE:
		rc = extract_file(x, fd, name, e, err);
		break;
	case TAR_DIR:
		rc = extract_folder(x, fd, name, e, stays, err);
		break;
	case TAR_SYMLINK:
		rc = extract_symlink(x, fd, name, e, err);
		break;
	case TAR_FIFO:
		rc = extract_fifo(x, fd, name, e, err);
		break;
	case TAR_HARDLINK:
	case TAR_CHAR:
	case TAR_BLOCK_DEVICE:
		break; /* not through here */
	}
	if (rc == 0)
		rootdir_mark(&x->tree, fd, name);
	return rc;
}

/* The root itself: only its attributes are taken. */
static int extract_root(struct extraction *x, const struct tar_entry *e)
{
	fchmod(x->tree.root, allowed_mode(x, e) | 0700);
	return 0;
}

static int extract_below(struct extraction *x, const struct tar_entry *e, struct error *err)
{
	const char *name;
	bool stays;
	int fd;

	if (rootdir_parent(&x->tree, e->path, true, &fd, &name, err) < 0)
		return -1;
	if (e->type != TAR_HARDLINK)
		return extract_into(x, fd, name, e, err);
	if (make_way(x, fd, name, e, &stays, err) < 0)
		return -1;
	rootdir_forget(&x->tree);
	return extract_hardlink(x, e, err);
}

static int extract_entry(struct extraction *x, const struct tar_entry *e, struct error *err)
{
	int rc;

	if (e->path[0] == '\0')
		return extract_root(x, e);
	if (e->type == TAR_CHAR || e->type == TAR_BLOCK_DEVICE)
		return skip_device(x, e, err);
	x->replaced = false;
	if (text_starts(fs_basename(e->path), WHITEOUT))
		rc = extract_whiteout(x, e, err);
	else
		rc = extract_below(x, e, err);
	if (x->replaced)
		rootdir_forget(&x->tree);
	return rc;
}

/* Deepest first, so that setting a time does not touch a parent that is done. */
static int finish_folders(struct extraction *x, struct error *err)
{
	for (size_t i = x->folders.count; i > 0; i--) {
		const struct folder *f = &x->folders.items[i - 1];
		struct tar_entry e = {.path = f->path, .uid = f->uid, .gid = f->gid};
		struct stat st;
		const char *name;
		int fd;

		if (rootdir_parent(&x->tree, f->path, false, &fd, &name, err) < 0)
			return -1;
		/* a later entry may have replaced it */
		if (fd < 0 || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode) ||
			st.st_ino != f->inode)
			continue;
		if (set_owner(x, fd, name, &e, err) < 0)
			return -1;
		if (fchmodat(fd, name, f->mode, 0) < 0)
			return err_errno(err, "cannot change the mode of folder %s", f->path);
		set_times(fd, name, f->mtime_s);
	}
	return 0;
}

static uint64_t byte_limit(int root_fd, const struct extract_options *options)
{
	uint64_t max = options->max_bytes ? options->max_bytes : EXTRACT_MAX_BYTES;
	struct statvfs fs;
	uint64_t room;

	if (fstatvfs(root_fd, &fs) < 0)
		return max;
	room = (uint64_t)fs.f_bavail * fs.f_frsize / 10 * 9;
	return room < max ? room : max;
}

/* What the reader says names the layer already. */
static int name_layer(const struct extraction *x, struct error *err)
{
	return text_starts(err->msg, x->name) ? -1 : err_wrap(err, "%s", x->name);
}

static int extract_all(struct extraction *x, struct error *err)
{
	struct tar_entry e;
	int rc;

	while ((rc = tar_reader_next(x->reader, &e, err)) > 0)
		if (extract_entry(x, &e, err) < 0)
			return name_layer(x, err);
	if (rc < 0)
		return -1;
	return finish_folders(x, err) < 0 ? name_layer(x, err) : 0;
}

int tar_extract(const struct tar_source *source, const char *name, int root_fd,
				const struct extract_options *options, uint8_t diff_id[SHA256_BYTES],
				struct error *err)
{
	struct extraction *x = xcalloc(1, sizeof(*x)); /* too large for a stack */
	int rc = -1;

	x->options = options;
	x->name = name;
	if (rootdir_init(&x->tree, root_fd, err) == 0 &&
		tar_reader_new(source, name, byte_limit(root_fd, options), &x->reader, err) == 0)
		rc = extract_all(x, err);
	if (rc == 0 && diff_id)
		tar_reader_sum(x->reader, diff_id);
	extraction_free(x);
	return rc;
}
