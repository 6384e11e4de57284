#include "tar/rootdir.h"

#include "base/fs.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

static int open_in_root(int root, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path[0] ? path : ".", &how, sizeof(how));
}

/* How many folders deep a descriptor really is, whatever links led to it. */
static int depth_of(int fd, size_t *out, struct error *err)
{
	char link[64], path[8192];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	if (n < 0)
		return err_errno(err, "cannot read %s", link);
	*out = 0;
	for (ssize_t i = 0; i < n; i++)
		*out += path[i] == '/';
	return 0;
}

int rootdir_init(struct rootdir *t, int root_fd, struct error *err)
{
	*t = (struct rootdir){.root = root_fd, .parent_fd = -1};
	return depth_of(root_fd, &t->root_depth, err);
}

void rootdir_forget(struct rootdir *t)
{
	if (t->parent)
		close(TAKE_FD(t->parent_fd));
	free(TAKE(t->parent));
}

void rootdir_release(struct rootdir *t)
{
	if (t->parent) /* a zeroed struct has descriptor 0, but no parent */
		rootdir_forget(t);
	map_release(&t->added);
}

static int no_folder(const char *path, struct error *err)
{
	return err_set(err, ERR_INPUT, "'%s' is no folder, but files go below it", path);
}

/* The folders of path that are missing, from the top. A component may be a link: it is followed in
 * root. */
static int make_parents(struct rootdir *t, const char *path, struct error *err)
{
	AUTO_FREE char *p = xstrdup(path);
	AUTO_CLOSE int at = open_in_root(t->root, "");
	char *name = p;

	while (at >= 0) {
		char *end = strchrnul(name, '/');
		bool last = *end == '\0';
		int next;

		*end = '\0';
		if (mkdirat(at, name, 0755) == 0)
			rootdir_mark(t, at, name);
		else if (errno != EEXIST)
			return err_errno(err, "cannot create folder %s", p);
		next = open_in_root(t->root, p);
		if (next < 0)
			return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
					   ? no_folder(p, err)
					   : err_errno(err, "cannot open folder %s", p);
		close(at);
		at = next;
		if (last)
			return 0;
		*end = '/';
		name = end + 1;
	}
	return err_errno(err, "cannot open the root folder");
}

static int open_parent(struct rootdir *t, const char *path, bool create, int *out,
					   struct error *err)
{
	AUTO_CLOSE int fd = open_in_root(t->root, path);
	size_t depth = 0;

	if (fd < 0 && errno == ENOENT && create) {
		if (make_parents(t, path, err) < 0)
			return -1;
		fd = open_in_root(t->root, path);
	}
	if (fd < 0) {
		bool odd = errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG;

		if (!create && (odd || errno == ENOENT)) {
			*out = -1;
			return 0;
		}
		return odd ? no_folder(path, err) : err_errno(err, "cannot open folder %s", path);
	}
	if (depth_of(fd, &depth, err) < 0)
		return -1;
	if (depth > t->root_depth + EXTRACT_MAX_DEPTH)
		return err_set(err, ERR_INPUT, "'%s' is more than %d folders deep", path,
					   EXTRACT_MAX_DEPTH);
	*out = TAKE_FD(fd);
	return 0;
}

int rootdir_parent(struct rootdir *t, const char *path, bool create, int *fd, const char **name,
				   struct error *err)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *parent = xstrndup(path, slash ? (size_t)(slash - path) : 0);

	*name = slash ? slash + 1 : path;
	if (!t->parent || strcmp(t->parent, parent) != 0) {
		int opened = -1;

		rootdir_forget(t);
		if (open_parent(t, parent, create, &opened, err) < 0)
			return -1;
		t->parent_fd = opened;
		if (opened >= 0)
			t->parent = TAKE(parent);
	}
	*fd = t->parent_fd;
	return 0;
}

/* The folder's inode, not its path: two paths may lead to one folder. */
static char *mark_key(int fd, const char *name)
{
	struct stat st = {0};

	if (fstat(fd, &st) < 0)
		return NULL;
	return xasprintf("%llx/%s", (unsigned long long)st.st_ino, name);
}

bool rootdir_mark(struct rootdir *t, int fd, const char *name)
{
	AUTO_FREE char *key = mark_key(fd, name);

	return key && map_put(&t->added, key, NULL);
}

bool rootdir_is_marked(struct rootdir *t, int fd, const char *name)
{
	AUTO_FREE char *key = mark_key(fd, name);

	return key && map_has(&t->added, key);
}

/* For its content to be removable, a folder must be writable for us. */
static DIR *open_for_removal(int fd, const char *name)
{
	int folder = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir;

	if (folder < 0 && errno == EACCES && fchmodat(fd, name, 0700, 0) == 0)
		folder = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return NULL;
	if (faccessat(folder, ".", W_OK | X_OK, 0) < 0)
		fchmod(folder, 0700);
	dir = fdopendir(folder);
	if (!dir)
		close(folder);
	return dir;
}

static int remove_content(struct rootdir *t, int fd, const char *name, bool keep_marked,
						  struct error *err);

/* keep_marked: what this layer brought stays, and so do the folders that lead to it. */
static int remove_at(struct rootdir *t, int fd, const char *name, bool keep_marked,
					 struct error *err)
{
	bool keep = keep_marked && rootdir_is_marked(t, fd, name);
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_errno(err, "cannot stat %s", name);
	if (!S_ISDIR(st.st_mode)) {
		if (!keep && unlinkat(fd, name, 0) < 0)
			return err_errno(err, "cannot remove %s", name);
		return 0;
	}
	if (remove_content(t, fd, name, keep_marked, err) < 0)
		return -1;
	if (!keep && unlinkat(fd, name, AT_REMOVEDIR) < 0 && !(keep_marked && errno == ENOTEMPTY))
		return err_errno(err, "cannot remove folder %s", name);
	return 0;
}

static int remove_content(struct rootdir *t, int fd, const char *name, bool keep_marked,
						  struct error *err)
{
	DIR *dir = open_for_removal(fd, name);
	struct dirent *e;
	int rc = 0;

	if (!dir)
		return err_errno(err, "cannot open folder %s", name);
	while (rc == 0 && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = remove_at(t, dirfd(dir), e->d_name, keep_marked, err);
	closedir(dir);
	return rc;
}

int rootdir_remove(struct rootdir *t, int fd, const char *name, struct error *err)
{
	return remove_at(t, fd, name, false, err);
}

int rootdir_clear(struct rootdir *t, int fd, const char *name, struct error *err)
{
	return remove_content(t, fd, name, true, err);
}
