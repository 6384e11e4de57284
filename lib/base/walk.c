#include "base/fs.h"

#include "base/auto.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

int fs_list(const char *path, struct strv *out, struct error *err)
{
	AUTO(strv) struct strv names = {0};
	DIR *dir = opendir(path);
	struct dirent *e;

	if (!dir)
		return err_errno(err, "cannot open folder %s", path);
	while (errno = 0, (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			strv_add(&names, e->d_name);
	if (errno) {
		err_errno(err, "cannot read folder %s", path);
		closedir(dir);
		return -1;
	}
	closedir(dir);
	strv_sort(&names);
	*out = MOVE(names);
	return 0;
}

struct walk {
	int (*visit)(void *user, const struct fs_entry *e, struct error *err);
	void *user;
};

static int walk_dir(const struct walk *w, const char *full, const char *relative, int depth,
					struct error *err)
{
	AUTO(strv) struct strv names = {0};

	if (depth > FS_WALK_MAX_DEPTH)
		return err_set(err, ERR_INPUT, "%s nests more than %d folders deep", full,
					   FS_WALK_MAX_DEPTH);
	if (fs_list(full, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		AUTO_FREE char *path = fs_join(relative, names.items[i]);
		AUTO_FREE char *full_path = fs_join(full, names.items[i]);
		struct fs_entry e = {.path = path, .full_path = full_path};
		int what;

		if (lstat(full_path, &e.st) < 0)
			return err_errno(err, "cannot stat %s", full_path);
		what = w->visit(w->user, &e, err);
		if (what < 0)
			return -1;
		if (what == 0 && S_ISDIR(e.st.st_mode) && walk_dir(w, full_path, path, depth + 1, err) < 0)
			return -1;
	}
	return 0;
}

int fs_walk(const char *root, int (*visit)(void *user, const struct fs_entry *e, struct error *err),
			void *user, struct error *err)
{
	struct walk w = {visit, user};

	return walk_dir(&w, root, "", 0, err);
}

/* Works on descriptors, so that a folder swapped for a link in between is not followed. */
static int remove_at(int dirfd, const char *name, const char *full, struct error *err)
{
	int fd;
	DIR *dir;
	struct dirent *e;
	int rc = 0;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_errno(err, "cannot remove %s", full);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, 0700, 0) == 0)
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		err_errno(err, "cannot remove %s", full);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (faccessat(fd, ".", W_OK, 0) < 0)
		fchmod(fd, 0700);
	while (rc == 0 && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = remove_at(fd, e->d_name, full, err);
	closedir(dir);
	if (rc == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_errno(err, "cannot remove %s", full);
	return rc;
}

int fs_remove_tree(const char *path, struct error *err)
{
	return remove_at(AT_FDCWD, path, path, err);
}
