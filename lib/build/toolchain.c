/* The image in which the steps run. It is unpacked once and used by every later build:
 *
 *	CACHE/toolchains/HEX       its root, by the digest of its manifest; appears only complete
 *	CACHE/toolchains/HEX.lock  shared: in use; exclusive: being unpacked or removed. Its time is
 *	                           that of the last use. Never removed: others may wait for it
 *	CACHE/toolchains/HEX.new   being unpacked, or what a killed process left; has a lock of its own
 *
 * Collecting garbage (collect.h) removes folders whose lock nobody holds. */
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "build/fetch.h"
#include "runtime/cell.h"
#include "runtime/runtime.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#define UNPACKED ".new"

struct build_toolchain {
	const char *name; /* borrowed */
	char digest[OCI_DIGEST_LEN + 1];
	char *root;
	int lock; /* shared, while the build lasts */
	struct oci_manifest manifest;
	struct oci_config config;
	struct runtime_cell *cell; /* opened by the first step */
};

static void toolchain_free(struct build_toolchain *t)
{
	if (!t)
		return;
	runtime_cell_free(t->cell);
	if (t->lock >= 0)
		close(t->lock);
	oci_manifest_release(&t->manifest);
	oci_config_release(&t->config);
	free(t->root);
	free(t);
}

static const char *image_name(const struct build *b)
{
	return b->request->toolchain ? b->request->toolchain : b->project->build.toolchain;
}

static int fetch(const struct build *b, struct oci_store *store, struct build_toolchain *t,
				 struct error *err)
{
	struct build_fetch what = {.name = t->name,
							   .what = "toolchain image",
							   .key = b->request->toolchain ? "--toolchain" : "build.toolchain",
							   .is_native = true};

	oci_platform_host(&what.platform);
	if (build_fetch(b, store, &what, &t->manifest, &t->config, err) == 0)
		return 0;
	if (err->code == ERR_MISSING && !err->hint[0])
		return err_hint(err, "name an image for this machine; compilers for other platforms may "
							 "be inside it");
	return -1;
}

/* Under an exclusive lock. */
static int unpack(const struct build *b, struct oci_store *store, const struct build_toolchain *t,
				  struct error *err)
{
	AUTO_FREE char *fresh = xasprintf("%s" UNPACKED, t->root);
	AUTO_FREE char *busy = xasprintf("%s.lock", fresh);
	AUTO_CLOSE int fd = -1, lock = -1;
	struct runtime_layers layers = {.name = t->name,
									.manifest = &t->manifest,
									.config = &t->config,
									.cancel = b->request->cancel,
									.log = b->request->log};
	struct error ignored;

	build_note(b, "unpacking the toolchain image %s", t->name);
	if (fs_lock(busy, true, true, &lock, err) < 0 || fs_remove_tree(fresh, err) < 0 ||
		fs_mkdirs(fresh, 0755, err) < 0)
		return -1;
	fd = open(fresh, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot open %s", fresh);
	fchmod(fd, 0755); /* whatever the umask */
	if (runtime_unpack(store, &layers, fd, err) < 0) {
		fs_remove_tree(fresh, &ignored);
		return -1;
	}
	/* nobody looks into the files again: what stands under its name is on the disk */
	if (syncfs(fd) < 0 || rename(fresh, t->root) < 0)
		return err_errno(err, "cannot keep the toolchain in %s", t->root);
	return 0;
}

static bool is_unpacked(struct build_toolchain *t, int lock)
{
	if (!fs_is_dir(t->root))
		return false;
	futimens(lock, NULL);
	return true;
}

/* Take a shared lock on the unpacked root, which is made first when it is not there. */
static int take_root(const struct build *b, struct oci_store *store, struct build_toolchain *t,
					 struct error *err)
{
	AUTO_FREE char *path = xasprintf("%s.lock", t->root);

	for (;;) {
		AUTO_CLOSE int lock = -1;

		if (fs_lock(path, false, true, &lock, err) < 0)
			return -1;
		if (is_unpacked(t, lock)) {
			t->lock = TAKE_FD(lock);
			return 0;
		}
		close(TAKE_FD(lock));
		if (fs_lock(path, true, true, &lock, err) < 0)
			return -1;
		/* another build may have been faster */
		if (!fs_is_dir(t->root) && unpack(b, store, t, err) < 0)
			return -1;
	}
}

static int open_root(const struct build *b, struct oci_store *store, struct build_toolchain *t,
					 struct error *err)
{
	AUTO_FREE char *dir = NULL;

	if (fetch(b, store, t, err) < 0)
		return -1;
	if (!b->request->cache) {
		err_set(err, ERR_MISSING, "no folder to unpack the toolchain image into");
		return err_hint(err, "set HOME or XDG_CACHE_HOME");
	}
	oci_digest_of(t->manifest.bytes, t->manifest.len, t->digest);
	dir = fs_join(b->request->cache, "toolchains");
	t->root = fs_join(dir, oci_digest_hex(t->digest));
	return fs_mkdirs(dir, 0755, err) < 0 ? -1 : take_root(b, store, t, err);
}

int build_toolchain_open(struct build *b, struct error *err)
{
	AUTO_PTR(oci_store) struct oci_store *own = NULL;
	struct build_toolchain *t;

	if (!image_name(b))
		return 0;
	/* not kept open: the steps may take long */
	if (!b->store && oci_store_open(b->request->store, &own, err) < 0)
		return -1;
	t = xcalloc(1, sizeof(*t));
	t->name = image_name(b);
	t->lock = -1;
	if (open_root(b, b->store ? b->store : own, t, err) < 0) {
		toolchain_free(t);
		return -1;
	}
	if (!b->sysroot && !b->request->sysroot && !b->project->build.sysroot)
		b->sysroot = xstrdup(t->root);
	b->toolchain = t;
	return 0;
}

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && (path[len] == '/' || !path[len]);
}

/* Where the project's folder is, and where whoever named it by a path with links looks for it. */
static int mount_project(const struct build *b, struct runtime_cell *cell, const char *real,
						 struct error *err)
{
	const char *named = b->project->dir;

	if (runtime_cell_mount(cell, real, err) < 0)
		return -1;
	return named[0] != '/' || strcmp(named, real) == 0 ? 0 : runtime_cell_mount(cell, named, err);
}

/* Somebody may have put the work folder on another disk and left a link. */
static int mount_work(const struct build *b, struct runtime_cell *cell, const char *project,
					  struct error *err)
{
	AUTO_FREE char *real = NULL;

	if (!b->plan.folder)
		return 0;
	if (fs_mkdirs(b->plan.folder, 0755, err) < 0)
		return -1;
	real = realpath(b->plan.folder, NULL);
	if (!real)
		return err_errno(err, "cannot find %s", b->plan.folder);
	return is_below(real, project) ? 0 : runtime_cell_mount(cell, real, err);
}

static int open_cell(const struct build *b, struct error *err)
{
	struct build_toolchain *t = b->toolchain;
	AUTO_PTR(runtime_cell) struct runtime_cell *cell = NULL;
	AUTO_FREE char *project = realpath(b->project->dir, NULL);
	struct runtime_cell_options o = {.image = t->name, .root = t->root, .env = &t->config.env};

	if (!project)
		return err_errno(err, "cannot find %s", b->project->dir);
	if (runtime_cell_open(&o, &cell, err) < 0 || mount_project(b, cell, project, err) < 0 ||
		mount_work(b, cell, project, err) < 0)
		return -1;
	t->cell = TAKE(cell);
	return 0;
}

int build_toolchain_run(const struct build *b, const struct proc_spec *spec,
						struct proc_result *result, struct error *err)
{
	struct proc_spec inside = *spec;
	AUTO_FREE char *cwd = NULL;

	if (!b->toolchain->cell && open_cell(b, err) < 0)
		return -1;
	cwd = realpath(spec->cwd, NULL);
	if (!cwd)
		return err_errno(err, "cannot find %s", spec->cwd);
	inside.cwd = cwd;
	return runtime_cell_run(b->toolchain->cell, &inside, result, err);
}

const char *build_toolchain_digest(const struct build *b)
{
	return b->toolchain ? b->toolchain->digest : NULL;
}

const char *build_toolchain_root(const struct build *b)
{
	return b->toolchain ? b->toolchain->root : NULL;
}

void build_toolchain_close(struct build *b)
{
	toolchain_free(TAKE(b->toolchain));
}
