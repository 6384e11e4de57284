#include "runtime/cell.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "runtime/private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#define HOST_NAME "toolchain" /* builds are the same on every machine */
#define TMP "/tmp"

struct runtime_cell {
	struct runtime_bundle b;
	char *tmp; /* what is /tmp inside */
	struct strv env;
};

void runtime_cell_free(struct runtime_cell *c)
{
	if (!c)
		return;
	bundle_release(&c->b);
	strv_release(&c->env);
	free(c->tmp);
	free(c);
}

static void add_bind(struct runtime_cell *c, const char *inside, const char *source)
{
	struct bundle_bind item = {.inside = xstrdup(inside), .source = xstrdup(source)};

	list_push(&c->b.binds, item);
}

/* The root's copies are as old as the root is. They are files, see bundle_check_rootfs. */
static void bind_host_file(struct runtime_cell *c, const char *path)
{
	AUTO_FREE char *own = fs_join(c->b.dir, fs_basename(path));
	AUTO(buf) struct buf text = {0};
	AUTO(buf) struct buf inside = {0};
	struct error ignored;

	if (fs_read(path, RUNTIME_MAX_ACCOUNTS, &text, &ignored) == 0 &&
		bundle_read_file(&c->b, path, &inside, &ignored) == 0 &&
		fs_write_atomic(own, text.data, text.len, 0644, &ignored) == 0)
		add_bind(c, path, own);
}

static int make_tmp(struct runtime_cell *c, struct error *err)
{
	if (!c->b.has_tmp) {
		err_set(err, ERR_INPUT, "/tmp of %s is no folder", c->b.name);
		return err_hint(err, "use an image in which programs can write there");
	}
	c->b.has_tmp = false; /* ours, not one that every run has for itself */
	c->tmp = fs_join(c->b.dir, "tmp");
	if (fs_mkdirs(c->tmp, 0700, err) < 0)
		return -1;
	chmod(c->tmp, 01777);
	add_bind(c, TMP, c->tmp);
	return 0;
}

int runtime_cell_open(const struct runtime_cell_options *options, struct runtime_cell **out,
					  struct error *err)
{
	AUTO_PTR(runtime_cell) struct runtime_cell *c = xcalloc(1, sizeof(*c));

	c->b.root_fd = c->b.lock = -1;
	c->b.name = xstrdup(options->image);
	c->b.read_only = true;
	c->b.rootfs = xstrdup(options->root);
	c->b.hostname = xstrdup(HOST_NAME);
	c->b.root_fd = open(options->root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c->b.root_fd < 0)
		return err_errno(err, "cannot open %s", options->root);
	if (bundle_open(&c->b, options->runtime, err) < 0 ||
		bundle_check_rootfs(&c->b, c->b.name, err) < 0 || make_tmp(c, err) < 0)
		return -1;
	bind_host_file(c, "/etc/resolv.conf");
	bind_host_file(c, "/etc/hosts");
	bundle_set_env(&c->env, BUNDLE_DEFAULT_PATH);
	for (size_t i = 0; i < options->env->count; i++)
		bundle_set_env(&c->env, options->env->items[i]);
	bundle_set_env(&c->env, "HOME=" TMP);
	if (geteuid() != 0) {
		id_map_self(&c->b.map);
		c->b.keep_owner = true;
	}
	*out = TAKE(c);
	return 0;
}

int runtime_cell_mount(struct runtime_cell *c, const char *path, struct error *err)
{
	AUTO_FREE char *inside = NULL;

	if (text_starts(path, TMP "/")) {
		/* the folder is ours and new */
		AUTO_FREE char *point = fs_join(c->tmp, path + strlen(TMP "/"));

		if (fs_mkdirs(point, 0755, err) < 0)
			return -1;
		add_bind(c, path, path);
		return 0;
	}
	if (strcmp(path, "/") == 0 || text_starts(path, "/proc/") || text_starts(path, "/sys/") ||
		text_starts(path, "/dev/")) {
		err_set(err, ERR_INPUT, "%s cannot be shown inside %s", path, c->b.name);
		return err_hint(err, "move the project somewhere else");
	}
	if (bundle_mount_point(&c->b, path, &inside, err) < 0)
		return -1;
	add_bind(c, inside, path);
	return 0;
}

static bool names_variable(const char *const *names, const char *entry)
{
	size_t len = strcspn(entry, "=");

	for (; names && *names; names++)
		if (strlen(*names) == len && strncmp(*names, entry, len) == 0)
			return true;
	return false;
}

/* Everything that is of one run. */
static int prepare_run(struct runtime_cell *c, const struct proc_spec *spec, struct error *err)
{
	struct runtime_bundle *b = &c->b;

	strv_release(&b->args);
	strv_release(&b->env);
	for (size_t i = 0; spec->argv[i]; i++)
		strv_add(&b->args, spec->argv[i]);
	for (size_t i = 0; i < c->env.count; i++)
		if (!names_variable(spec->unset, c->env.items[i]))
			strv_add(&b->env, c->env.items[i]);
	for (const char *const *e = spec->env; e && *e; e++)
		bundle_set_env(&b->env, *e);
	free(b->cwd);
	b->cwd = xstrdup(spec->cwd ? spec->cwd : "/");
	if (bundle_check_program(b, b->name, err) < 0)
		return err_hint(err, "use an image that has it, or name another with --toolchain");
	if (unlink(b->pid_path) < 0 && errno != ENOENT)
		return err_errno(err, "cannot remove %s", b->pid_path);
	return bundle_write_spec(b, err);
}

/* To every process of the container, as a terminal does to all of its group: the first of them
 * takes no signal that it does not ask for, and passes none on. */
static void signal_all(pid_t first, int signo)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/ns/pid", (int)first);
	AUTO(strv) struct strv pids = {0};
	struct stat own, other;
	struct error ignored;

	if (signo == SIGKILL || stat(path, &own) < 0 || fs_list("/proc", &pids, &ignored) < 0) {
		kill(first, signo); /* the rest die with it */
		return;
	}
	for (size_t i = 0; i < pids.count; i++) {
		AUTO_FREE char *link = xasprintf("/proc/%s/ns/pid", pids.items[i]);
		int64_t pid;

		if (text_to_int(pids.items[i], 1, INT32_MAX, &pid) && stat(link, &other) == 0 &&
			other.st_ino == own.st_ino)
			kill((pid_t)pid, signo);
	}
}

static void send_inside(void *user, pid_t runtime, int signo)
{
	const struct runtime_cell *c = user;
	pid_t first = bundle_container_pid(&c->b);

	if (first > 0)
		signal_all(first, signo);
	if (first < 0 || signo == SIGKILL)
		kill(-runtime, signo);
}

int runtime_cell_run(struct runtime_cell *c, const struct proc_spec *spec,
					 struct proc_result *result, struct error *err)
{
	AUTO(strv) struct strv argv = {0};
	AUTO(proc_result) struct proc_result r = {0};
	AUTO(guard) struct guard guard = {0};
	struct proc_spec runtime = *spec;
	int rc;

	if (prepare_run(c, spec, err) < 0 || bundle_guard(&c->b, &guard, err) < 0)
		return -1;
	bundle_run_argv(&c->b, &argv);
	runtime.argv = (const char *const *)argv.items;
	runtime.env = bundle_runtime_env;
	runtime.unset = NULL;
	runtime.clean_env = true;
	runtime.cwd = NULL;
	runtime.own_group = true;
	runtime.send = send_inside;
	runtime.send_user = c;
	rc = proc_run(&runtime, &r, err);
	bundle_delete_container(&c->b);
	if (rc < 0 && err->code == ERR_INTERRUPTED)
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	if (rc < 0 || bundle_check_started(&c->b, r.exit_status, err) < 0)
		return -1;
	*result = MOVE(r);
	return 0;
}
