#include "runtime/private.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

static int open_how(int root, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = resolve | RESOLVE_NO_MAGICLINKS,
	};

	while (*path == '/')
		path++;
	return (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
}

/* A real folder directly below the root, made when absent. */
static int check_mount_point(const struct runtime_bundle *b, const char *path, const char *name,
							 struct error *err)
{
	AUTO_CLOSE int fd = -1;

	if (mkdirat(b->root_fd, path, 0755) < 0 && errno != EEXIST)
		return err_errno(err, "cannot create /%s of %s", path, name);
	fd = open_how(b->root_fd, path, O_RDONLY | O_DIRECTORY,
				  RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	if (fd >= 0)
		return 0;
	err_set(err, ERR_INPUT, "/%s of %s is no folder", path, name);
	return err_hint(err, "do not trust this image: links there lead runtimes out of the container");
}

/* Copied, not mounted: a mount would follow what the image has there. */
static void copy_host_file(int etc, const char *name)
{
	AUTO_FREE char *path = fs_join("/etc", name);
	AUTO(buf) struct buf content = {0};
	AUTO_CLOSE int fd = -1;
	struct error ignored;

	if (fs_read(path, RUNTIME_MAX_ACCOUNTS, &content, &ignored) < 0)
		return;
	if (unlinkat(etc, name, 0) < 0 && errno != ENOENT)
		return;
	fd = openat(etc, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || fs_write_fd(fd, path, content.data, content.len, &ignored) < 0)
		return;
	fchmod(fd, 0644);
}

int bundle_check_rootfs(struct runtime_bundle *b, const char *name, struct error *err)
{
	static const char *const mount_points[] = {"dev", "proc", "sys"};
	AUTO_CLOSE int etc = -1, tmp = -1;

	for (size_t i = 0; i < ARRAY_LEN(mount_points); i++)
		if (check_mount_point(b, mount_points[i], name, err) < 0)
			return -1;
	/* absent or not a folder: then nothing is mounted there */
	if (mkdirat(b->root_fd, "tmp", 0777) < 0 && errno != EEXIST)
		return err_errno(err, "cannot create /tmp of %s", name);
	tmp =
		open_how(b->root_fd, "tmp", O_RDONLY | O_DIRECTORY, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	b->has_tmp = tmp >= 0;
	if (mkdirat(b->root_fd, "etc", 0755) < 0 && errno != EEXIST)
		return err_errno(err, "cannot create /etc of %s", name);
	etc =
		open_how(b->root_fd, "etc", O_RDONLY | O_DIRECTORY, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (etc >= 0) {
		copy_host_file(etc, "resolv.conf");
		copy_host_file(etc, "hosts");
	}
	return 0;
}

/* One folder of the way: open it, made if missing. */
static int enter_or_make(const struct runtime_bundle *b, const char *path, int *fd,
						 struct error *err)
{
	AUTO_FREE char *parent = fs_dirname(path);
	AUTO_CLOSE int above = -1;
	int at = open_how(b->root_fd, path, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);

	if (at < 0 && errno == ENOENT) {
		above = open_how(b->root_fd, parent, O_RDONLY | O_DIRECTORY, RESOLVE_IN_ROOT);
		if (above >= 0 && mkdirat(above, fs_basename(path), 0755) < 0 && errno != EEXIST)
			return err_errno(err, "cannot make %s of %s", path, b->name);
		at = open_how(b->root_fd, path, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);
	}
	if (at < 0)
		return err_set(err, ERR_INPUT, "%s of %s is no folder: %s", path, b->name,
					   strerrordesc_np(errno));
	close(*fd);
	*fd = at;
	return 0;
}

int bundle_mount_point(const struct runtime_bundle *b, const char *path, char **inside,
					   struct error *err)
{
	AUTO_CLOSE int fd = open_how(b->root_fd, "/", O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);
	AUTO_FREE char *link = NULL;
	AUTO_FREE char *real = NULL;
	AUTO_FREE char *root = realpath(b->rootfs, NULL);
	const char *end = path;

	while (*end) {
		AUTO_FREE char *part = NULL;

		end = strchrnul(end + 1, '/');
		part = xstrndup(path, (size_t)(end - path));
		if (enter_or_make(b, part, &fd, err) < 0)
			return -1;
	}
	link = xasprintf("/proc/self/fd/%d", fd);
	real = realpath(link, NULL);
	if (!real || !root || !text_starts(real, root) || real[strlen(root)] != '/')
		return err_set(err, ERR_INPUT, "%s of %s is no place to mount on", path, b->name);
	*inside = xstrdup(real + strlen(root));
	return 0;
}

int bundle_read_file(const struct runtime_bundle *b, const char *path, struct buf *out,
					 struct error *err)
{
	AUTO_CLOSE int fd = open_how(b->root_fd, path, O_RDONLY | O_NONBLOCK, RESOLVE_IN_ROOT);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, "cannot open %s of the image", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, "%s of the image is no file", path);
	return fs_read_fd(fd, path, RUNTIME_MAX_ACCOUNTS, out, err);
}

static int open_program(const struct runtime_bundle *b, const char *path)
{
	AUTO_CLOSE int fd = open_how(b->root_fd, path, O_PATH, RESOLVE_IN_ROOT);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? TAKE_FD(fd) : -1;
}

static const char *path_variable(const struct runtime_bundle *b)
{
	for (size_t i = 0; i < b->env.count; i++)
		if (text_starts(b->env.items[i], "PATH="))
			return b->env.items[i] + strlen("PATH=");
	return "";
}

int bundle_open_program(const struct runtime_bundle *b)
{
	const char *program = b->args.items[0];
	AUTO_FREE char *own = fs_join(b->cwd, program);
	const char *path = path_variable(b);
	int fd = -1;

	if (strchr(program, '/'))
		return open_program(b, own);
	while (*path && fd < 0) {
		size_t len = strcspn(path, ":");
		AUTO_FREE char *full = xasprintf("%.*s/%s", (int)len, path, program);

		if (len > 0)
			fd = open_program(b, full);
		path += len + (path[len] == ':');
	}
	return fd;
}

int bundle_check_program(const struct runtime_bundle *b, const char *name, struct error *err)
{
	AUTO_CLOSE int fd = bundle_open_program(b);

	if (fd >= 0)
		return 0;
	err_set(err, ERR_MISSING, "%s has no program %s", name, b->args.items[0]);
	return err_hint(err, "check the image's entrypoint, or give another one with --entrypoint");
}

/* Without empty and "." components; NULL when it is not absolute or has "..". */
static char *clean_cwd(const char *cwd)
{
	AUTO(buf) struct buf clean = {0};

	if (cwd[0] != '/')
		return NULL;
	while (*cwd) {
		size_t len = strcspn(++cwd, "/");

		if (len == 2 && strncmp(cwd, "..", 2) == 0)
			return NULL;
		if (len > 1 || (len == 1 && *cwd != '.'))
			buf_addf(&clean, "/%.*s", (int)len, cwd);
		cwd += len;
	}
	return clean.len ? buf_take(&clean) : xstrdup("/");
}

/* A working directory below /proc leads to descriptors of the runtime (CVE-2024-21626). */
static bool is_below_proc(const char *path)
{
	return strcmp(path, "/proc") == 0 || text_starts(path, "/proc/");
}

/* Is a folder of the image, once its links are followed, one below /proc? */
static bool leads_below_proc(const struct runtime_bundle *b, int fd)
{
	AUTO_FREE char *link = xasprintf("/proc/self/fd/%d", fd);
	AUTO_FREE char *path = realpath(link, NULL);
	AUTO_FREE char *root = realpath(b->rootfs, NULL);

	return !path || !root || !text_starts(path, root) || is_below_proc(path + strlen(root));
}

/* Why a runtime could not enter or make the folder, or should not; NULL: it can. */
static const char *cwd_problem(const struct runtime_bundle *b, const char *cwd)
{
	AUTO_FREE char *path = xstrdup(cwd);

	for (;;) {
		AUTO_CLOSE int fd = open_how(b->root_fd, path, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);
		AUTO_CLOSE int entry = -1;

		if (fd >= 0)
			return leads_below_proc(b, fd) ? "it leads to /proc" : NULL;
		if (errno == EACCES) /* a folder that our user may not enter, but the container's may */
			return NULL;
		if (errno != ENOENT)
			return strerrordesc_np(errno);
		entry = open_how(b->root_fd, path, O_PATH | O_NOFOLLOW, RESOLVE_IN_ROOT);
		if (entry >= 0)
			return "it is a link to nothing";
		/* what is not there the runtime makes */
		*strrchr(path, '/') = '\0';
	}
}

int bundle_choose_cwd(struct runtime_bundle *b, const char *workdir, const char *name,
					  struct error *err)
{
	AUTO_FREE char *cwd = clean_cwd(workdir[0] ? workdir : "/");
	const char *problem;

	if (!cwd)
		problem = "it is no absolute path without '..'";
	else
		problem = is_below_proc(cwd) ? "it leads to /proc" : cwd_problem(b, cwd);
	if (!problem) {
		b->cwd = TAKE(cwd);
		return 0;
	}
	err_set(err, ERR_INPUT, "%s: working folder '%.256s' is not acceptable: %s", name, workdir,
			problem);
	return err_hint(
		err, "build the image with another working folder; do not trust it if it is not yours");
}
