#include "base/fs.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>

int fs_read_fd(int fd, const char *name, size_t max_bytes, struct buf *out, struct error *err)
{
	AUTO(buf) struct buf b = {0};

	for (;;) {
		size_t room = 65536;
		ssize_t n = read(fd, buf_grow(&b, room), room);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EISDIR) {
			err_set(err, ERR_INPUT, "cannot read %s: it is a folder", name);
			return err_hint(err, "give the path of a file");
		}
		if (n < 0)
			return err_errno(err, "cannot read %s", name);
		if (n == 0)
			break;
		b.len += (size_t)n;
		if (b.len > max_bytes) {
			err_set(err, ERR_INPUT, "%s is larger than %zu bytes", name, max_bytes);
			return err_hint(err, "check that this is the file you mean");
		}
	}
	buf_add(&b, "", 0);
	*out = MOVE(b);
	return 0;
}

int fs_read(const char *path, size_t max_bytes, struct buf *out, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, "cannot open %s", path);
	return fs_read_fd(fd, path, max_bytes, out, err);
}

int fs_read_settled(const char *path, size_t max_bytes, struct buf *out, struct error *err)
{
	/* O_NONBLOCK: a FIFO opens at once */
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, "cannot open %s", path);
	if (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)) {
		err_set(err, ERR_INPUT, "cannot read %s: it is a pipe, not a file", path);
		return err_hint(err, "put a regular file there");
	}
	return fs_read_fd(fd, path, max_bytes, out, err);
}

int fs_write_fd(int fd, const char *name, const void *data, size_t len, struct error *err)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "cannot write %s", name);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int fs_sync_dir(const char *path, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
		return err_errno(err, "cannot sync folder %s", path);
	return 0;
}

static int write_temp(const char *temp, int fd, const void *data, size_t len, struct error *err)
{
	if (fs_write_fd(fd, temp, data, len, err) < 0)
		return -1;
	if (fsync(fd) < 0)
		return err_errno(err, "cannot sync %s", temp);
	return 0;
}

int fs_write_atomic(const char *path, const void *data, size_t len, mode_t mode, struct error *err)
{
	AUTO_FREE char *dir = fs_dirname(path);
	AUTO_FREE char *temp = xasprintf("%s/.tmp.XXXXXX", dir);
	AUTO_CLOSE int fd = mkostemp(temp, O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, "cannot create a file in %s", dir);
	if (fchmod(fd, mode) < 0 || write_temp(temp, fd, data, len, err) < 0) {
		unlink(temp);
		return err_wrap(err, "cannot write %s", path);
	}
	if (rename(temp, path) < 0) {
		err_errno(err, "cannot replace %s", path);
		unlink(temp);
		return -1;
	}
	return fs_sync_dir(dir, err);
}

bool fs_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

bool fs_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int fs_mkdirs(const char *path, mode_t mode, struct error *err)
{
	AUTO_FREE char *p = xstrdup(path);

	for (char *s = p + 1;; s++) {
		char c = *s;

		if (c != '/' && c != '\0')
			continue;
		*s = '\0';
		if (mkdir(p, mode) < 0 && errno != EEXIST)
			return err_errno(err, "cannot create folder %s", p);
		*s = c;
		if (c == '\0')
			break;
	}
	if (!fs_is_dir(path)) {
		errno = ENOTDIR;
		return err_errno(err, "cannot create folder %s", path);
	}
	return 0;
}

int fs_temp_dir(const char *parent, const char *prefix, char **out, struct error *err)
{
	AUTO_FREE char *path = xasprintf("%s/%sXXXXXX", parent, prefix);

	if (!mkdtemp(path))
		return err_errno(err, "cannot create a folder in %s", parent);
	*out = TAKE(path);
	return 0;
}

char *fs_join(const char *a, const char *b)
{
	if (*b == '/' || *a == '\0')
		return xstrdup(b);
	return xasprintf("%s%s%s", a, text_ends(a, "/") ? "" : "/", b);
}

const char *fs_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *fs_dirname(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

static bool is_clean_component(const char *s, size_t len)
{
	if (len == 0 || (len == 1 && s[0] == '.') || (len == 2 && s[0] == '.' && s[1] == '.'))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return true;
}

bool fs_is_clean_relative(const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "/");

		if (!is_clean_component(path, len))
			return false;
		if (path[len] == '\0')
			return true;
		path += len + 1;
	}
}

int fs_open_beneath(int dirfd, const char *path, int flags, mode_t mode, struct error *err)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = flags & (O_CREAT | __O_TMPFILE) ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

	if (fd < 0)
		return err_errno(err, "cannot open %s", path);
	return (int)fd;
}

int fs_home_dir(enum fs_home which, char **out, struct error *err)
{
	static const struct {
		const char *variable;
		const char *below_home;
	} homes[] = {
		[FS_HOME_DATA] = {"XDG_DATA_HOME", ".local/share"},
		[FS_HOME_CACHE] = {"XDG_CACHE_HOME", ".cache"},
		[FS_HOME_CONFIG] = {"XDG_CONFIG_HOME", ".config"},
	};
	const char *base = secure_getenv(homes[which].variable);
	const char *home = secure_getenv("HOME");

	if (base && base[0] == '/') {
		*out = xasprintf("%s/msctl", base);
		return 0;
	}
	if (!home || home[0] != '/') {
		err_set(err, ERR_MISSING, "neither %s nor HOME is set", homes[which].variable);
		return err_hint(err, "set HOME to your home folder");
	}
	*out = xasprintf("%s/%s/msctl", home, homes[which].below_home);
	return 0;
}

int fs_lock(const char *path, bool exclusive, bool wait, int *fd, struct error *err)
{
	AUTO_CLOSE int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	int how = (exclusive ? LOCK_EX : LOCK_SH) | (wait ? 0 : LOCK_NB);
	struct stat st;

	if (lock < 0)
		return err_errno(err, "cannot open lock %s", path);
	if (flock(lock, how) < 0) {
		if (errno == EWOULDBLOCK)
			return err_set(err, ERR_CONFLICT, "%s is locked by another process", path);
		/* the only handlers we have are those of a request to stop */
		if (errno == EINTR)
			return err_set(err, ERR_INTERRUPTED, "interrupted while waiting for %s", path);
		return err_errno(err, "cannot lock %s", path);
	}
	/* whoever held it has removed it: nobody else would meet us here */
	if (fstat(lock, &st) == 0 && st.st_nlink == 0)
		return fs_lock(path, exclusive, wait, fd, err);
	*fd = TAKE_FD(lock);
	return 0;
}
