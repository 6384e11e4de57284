#include "runtime/private.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"
#include "crypto/random.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#define PREFIX "msctl-run-"
#define STALE_AFTER_S 60

void bundle_release(struct runtime_bundle *b)
{
	struct error ignored;

	if (b->root_fd >= 0)
		close(b->root_fd);
	if (b->dir)
		fs_remove_tree(b->dir, &ignored);
	if (b->lock >= 0)
		close(b->lock);
	strv_release(&b->args);
	strv_release(&b->env);
	free(b->name);
	free(b->id);
	free(b->dir);
	free(b->rootfs);
	free(b->state);
	free(b->log_path);
	free(b->pid_path);
	free(b->runtime);
	free(b->cwd);
	free(b->hostname);
	for (size_t i = 0; i < b->binds.count; i++) {
		free(b->binds.items[i].inside);
		free(b->binds.items[i].source);
	}
	list_release(&b->binds);
}

void runtime_bundle_free(struct runtime_bundle *b)
{
	if (b)
		bundle_release(b);
	free(b);
}

/* crun 1.8 gives up where version 1 and version 2 of cgroups are mixed and version 2 has
 * controllers. */
static bool crun_refuses(void)
{
	AUTO(buf) struct buf controllers = {0};
	struct error ignored;

	return fs_read("/sys/fs/cgroup/unified/cgroup.controllers", 4096, &controllers, &ignored) ==
			   0 &&
		   controllers.len > 1;
}

int runtime_find(const char *wanted, char **out, struct error *err)
{
	AUTO_FREE char *found = NULL;

	if (wanted) {
		found = proc_find(wanted);
		if (!found) {
			err_set(err, ERR_MISSING, "no program %s", wanted);
			return err_hint(err, "install it, or leave --runtime away");
		}
	}
	if (!found && !crun_refuses())
		found = proc_find("crun");
	if (!found)
		found = proc_find("runc");
	if (!found) /* an ordinary user's PATH has no sbin, where Debian keeps runc */
		found = proc_find("/usr/sbin/runc");
	if (!found) {
		err_set(err, ERR_MISSING, "no OCI runtime is installed");
		return err_hint(err, "apt-get install %s", crun_refuses() ? "runc" : "crun");
	}
	*out = TAKE(found);
	return 0;
}

/* What a process that was killed could not remove. */
static void remove_stale(const char *parent)
{
	AUTO(strv) struct strv names = {0};
	struct error ignored;

	if (fs_list(parent, &names, &ignored) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		AUTO_FREE char *path = fs_join(parent, names.items[i]);
		AUTO_CLOSE int fd = -1;
		struct stat st;

		if (!text_starts(names.items[i], PREFIX))
			continue;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
			st.st_mtime + STALE_AFTER_S < clock_system.wall_s(NULL) &&
			flock(fd, LOCK_EX | LOCK_NB) == 0)
			fs_remove_tree(path, &ignored);
	}
}

int bundle_open(struct runtime_bundle *b, const char *wanted, struct error *err)
{
	const char *chosen = secure_getenv("TMPDIR");
	const char *parent = chosen && chosen[0] == '/' ? chosen : "/var/tmp";
	uint64_t number;

	if (runtime_find(wanted, &b->runtime, err) < 0)
		return -1;
	b->is_crun = text_starts(fs_basename(b->runtime), "crun");
	random_bytes(&number, sizeof(number));
	b->id = xasprintf("msctl-%016llx", (unsigned long long)number);
	remove_stale(parent);
	if (fs_temp_dir(parent, PREFIX, &b->dir, err) < 0)
		return -1;
	b->lock = open(b->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->lock < 0 || flock(b->lock, LOCK_SH | LOCK_NB) < 0)
		return err_errno(err, "cannot lock %s", b->dir);
	b->state = fs_join(b->dir, "state");
	b->log_path = fs_join(b->dir, "log");
	b->pid_path = fs_join(b->dir, "pid");
	return fs_mkdirs(b->state, 0700, err);
}

static int make_rootfs(struct runtime_bundle *b, struct error *err)
{
	b->rootfs = fs_join(b->dir, "rootfs");
	if (fs_mkdirs(b->rootfs, 0755, err) < 0)
		return -1;
	chmod(b->rootfs, 0755); /* whatever the umask */
	b->root_fd = open(b->rootfs, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return b->root_fd < 0 ? err_errno(err, "cannot open %s", b->rootfs) : 0;
}

/* Set a variable; a later one of the same name wins. */
void bundle_set_env(struct strv *env, const char *entry)
{
	size_t len = strcspn(entry, "=") + 1;

	for (size_t i = 0; i < env->count; i++) {
		if (strncmp(env->items[i], entry, len) != 0)
			continue;
		free(env->items[i]);
		env->items[i] = xstrdup(entry);
		return;
	}
	strv_add(env, entry);
}

static void build_env(struct runtime_bundle *b, const struct oci_config *c,
					  const struct runtime_options *o)
{
	bundle_set_env(&b->env, BUNDLE_DEFAULT_PATH);
	for (size_t i = 0; i < c->env.count; i++)
		bundle_set_env(&b->env, c->env.items[i]);
	for (size_t i = 0; i < o->env_count; i++)
		bundle_set_env(&b->env, o->env[i]);
}

static int build_args(struct runtime_bundle *b, const struct oci_config *c, const char *name,
					  const struct runtime_options *o, struct error *err)
{
	if (o->entrypoint)
		strv_add(&b->args, o->entrypoint);
	for (size_t i = 0; !o->entrypoint && i < c->entrypoint.count; i++)
		strv_add(&b->args, c->entrypoint.items[i]);
	for (size_t i = 0; i < o->arg_count; i++)
		strv_add(&b->args, o->args[i]);
	for (size_t i = 0; !o->entrypoint && o->arg_count == 0 && i < c->cmd.count; i++)
		strv_add(&b->args, c->cmd.items[i]);
	if (b->args.count > 0 && b->args.items[0][0])
		return 0;
	err_set(err, ERR_USAGE, "%s does not say which program to run", name);
	return err_hint(err, "name one behind the image: msctl run %s PROGRAM", name);
}

static int choose_account(struct runtime_bundle *b, const struct oci_config *c,
						  const struct runtime_options *o, struct error *err)
{
	if (bundle_account(b, o->user ? o->user : c->user, &b->account, err) < 0)
		return -1;
	if (geteuid() == 0)
		return 0;
	id_map_choose(&b->map);
	if (!b->map.single || (b->account.uid == 0 && b->account.gid == 0))
		return 0;
	log_line(o->log, 1,
			 "runs as user 0 instead of %u, which is you outside: /etc/subuid has no "
			 "ids for you",
			 b->account.uid);
	b->account = (struct account){0};
	return 0;
}

int bundle_write_spec(const struct runtime_bundle *b, struct error *err)
{
	AUTO_FREE char *path = fs_join(b->dir, "config.json");
	AUTO(buf) struct buf spec = {0};

	bundle_spec(b, &spec);
	return fs_write_atomic(path, spec.data, spec.len, 0600, err);
}

static int prepare(struct oci_store *store, const struct oci_descriptor *image, const char *name,
				   const struct runtime_options *options, struct runtime_bundle **out,
				   struct error *err)
{
	AUTO_PTR(runtime_bundle) struct runtime_bundle *b = xcalloc(1, sizeof(*b));
	AUTO(oci_config) struct oci_config config = {0};

	b->root_fd = b->lock = -1;
	b->name = xstrdup(name);
	b->read_only = options->read_only;
	if (bundle_open(b, options->runtime, err) < 0 || make_rootfs(b, err) < 0 ||
		bundle_unpack(b, store, image, options, &config, err) < 0 ||
		bundle_check_rootfs(b, name, err) < 0)
		return -1;
	b->hostname = xstrdup(options->hostname ? options->hostname : b->id);
	build_env(b, &config, options);
	if (bundle_choose_cwd(b, config.workdir, name, err) < 0 ||
		build_args(b, &config, name, options, err) < 0 ||
		choose_account(b, &config, options, err) < 0 || bundle_check_program(b, name, err) < 0 ||
		bundle_file_capabilities(b, err) < 0 || bundle_write_spec(b, err) < 0)
		return -1;
	*out = TAKE(b);
	return 0;
}

int runtime_prepare(struct oci_store *store, const struct oci_descriptor *image, const char *name,
					const struct runtime_options *options, struct runtime_bundle **out,
					struct error *err)
{
	if (prepare(store, image, name, options, out, err) == 0)
		return 0;
	/* what is wrong in form comes from the image: the store's bytes are those of its digests */
	if (err->code == ERR_INPUT && !err->hint[0])
		return err_hint(err, "do not trust this image; build or pull it again");
	return -1;
}
