/* What steps depend on besides files: their text, their environment, the commit, and the toolchain
 * image or this machine's packages and programs. */
#include "build/skip.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "build/memory.h"
#include "supply/apk.h"
#include "supply/dpkg.h"

#include <stdlib.h>
#include <string.h>

#define INCLUDE_DEPTH 8

/* These tell of a session, not of a machine: no compiler looks at them. Or the steps get values of
 * their own. */
static bool is_volatile(const char *setting)
{
	static const char *const names[] = {"_=",
										"PWD=",
										"OLDPWD=",
										"SHLVL=",
										"TERM=",
										"COLORTERM=",
										"COLUMNS=",
										"LINES=",
										"DISPLAY=",
										"WINDOWID=",
										"LS_COLORS=",
										"PS1=",
										"PROMPT_",
										"HIST",
										"TMUX",
										"STY=",
										"WINDOW=",
										"SSH_",
										"GPG_",
										"DBUS_",
										"XDG_SESSION_",
										"XDG_RUNTIME_DIR=",
										"XDG_CURRENT_",
										"WAYLAND_",
										"VTE_",
										"TERM_",
										"KONSOLE_",
										"GNOME_",
										"DESKTOP_",
										"INVOCATION_ID=",
										"JOURNAL_STREAM=",
										"SYSTEMD_EXEC_PID=",
										"MAIL=",
										"LESS",
										"PAGER=",
										"EDITOR=",
										"VISUAL=",
										"MSCTL_STORE=",
										"MAKEFLAGS=",
										"MFLAGS=",
										"MAKELEVEL=",
										"MAKEOVERRIDES=",
										"LANGUAGE=",
										"LANG=",
										"LC_",
										"TZ=",
										"SOURCE_DATE_EPOCH=",
										"DESTDIR=",
										"CLICOLOR",
										"NO_COLOR="};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (text_starts(setting, names[i]))
			return true;
	return false;
}

/* As the child will have it: what comes later replaces. */
static void add_settings_of(const struct strv *from, struct strv *env)
{
	for (size_t i = 0; from && i < from->count; i++) {
		size_t len = strcspn(from->items[i], "=") + 1;
		size_t k = 0;

		while (k < env->count && strncmp(env->items[k], from->items[i], len) != 0)
			k++;
		if (k == env->count) {
			strv_add(env, from->items[i]);
		} else {
			free(env->items[k]);
			env->items[k] = xstrdup(from->items[i]);
		}
	}
}

/* "the folder /usr/local/bin" changes when something in it comes, goes or is replaced. */
static void add_stat(struct inputs *out, const char *what, const char *path)
{
	AUTO_FREE char *name = xasprintf("%s %s", what, path);
	struct stat st;
	int64_t seen[4] = {0};

	if (stat(path, &st) == 0) {
		seen[0] = (int64_t)st.st_ino;
		seen[1] = st.st_mtim.tv_sec;
		seen[2] = st.st_mtim.tv_nsec;
		seen[3] = st.st_mode;
	}
	inputs_add(out, INPUT_STATE, name, seen, sizeof(seen));
}

struct scan {
	struct strv lines;
	unsigned depth; /* folders below the first */
};

static int scan_file(void *user, const struct fs_entry *e, struct error *err)
{
	struct scan *s = user;
	unsigned depth = 0;
	struct stat st;

	(void)err;
	for (const char *p = e->path; (p = strchr(p, '/')); p++)
		depth++;
	if (stat(e->full_path, &st) == 0 && !S_ISDIR(st.st_mode))
		strv_addf(&s->lines, "%s %llu %lld %lld.%09ld %lld.%09ld %o", e->path,
				  (unsigned long long)st.st_ino, (long long)st.st_size,
				  (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec,
				  st.st_ctim.tv_nsec, (unsigned)st.st_mode);
	return S_ISDIR(e->st.st_mode) && depth >= s->depth ? 1 : 0;
}

/* No package tells of what is in it: the files themselves count, they may be overwritten. */
static void add_files(struct inputs *out, const char *path, unsigned depth)
{
	AUTO_FREE char *name = xasprintf("the folder %s", path);
	AUTO_PTR(sha256) struct sha256 *h = sha256_new();
	struct scan s = {.depth = depth};
	struct error ignored = {0};
	uint8_t sum[SHA256_BYTES];

	if (fs_is_dir(path))
		fs_walk(path, scan_file, &s, &ignored);
	strv_sort(&s.lines);
	for (size_t i = 0; i < s.lines.count; i++)
		sha256_add(h, s.lines.items[i], strlen(s.lines.items[i]) + 1);
	sha256_end(h, sum);
	strv_release(&s.lines);
	inputs_add(out, INPUT_STATE, name, sum, sizeof(sum));
}

static bool is_of_packages(const char *dir)
{
	return strcmp(dir, "/bin") == 0 || strcmp(dir, "/sbin") == 0 || strcmp(dir, "/usr/bin") == 0 ||
		   strcmp(dir, "/usr/sbin") == 0;
}

/* A compiler that is named by its path lies in no folder of PATH. */
static void add_program(const char *setting, struct inputs *out)
{
	static const char *const names[] = {"CC=", "CXX=", "CPP=", "LD=", "AR=", "PKG_CONFIG="};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (text_starts(setting, names[i]) && setting[strlen(names[i])] == '/') {
			const char *path = setting + strlen(names[i]);
			AUTO_FREE char *program = xstrndup(path, strcspn(path, " \t"));

			add_stat(out, "the program", program);
		}
}

static void add_env(const struct build *b, struct inputs *out)
{
	AUTO(strv) struct strv env = {0};

	/* inside a toolchain image nothing of this machine is seen */
	for (char **e = environ; *e && !b->toolchain; e++)
		if (!is_volatile(*e))
			strv_add(&env, *e);
	add_settings_of(&b->plan.env, &env);
	add_settings_of(b->request->step_env, &env);
	strv_sort(&env);
	for (size_t i = 0; i < env.count; i++)
		inputs_env(out, env.items[i]);
	for (size_t i = 0; i < env.count && !b->toolchain; i++)
		add_program(env.items[i], out);
}

char *build_packages_stamp(const char *root)
{
	char *stamp = dpkg_stamp(root);

	if (stamp[0])
		return stamp;
	free(stamp);
	return apk_stamp(root);
}

static bool is_below(const char *path, const char *root)
{
	size_t len = strlen(root);

	return strncmp(path, root, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Packages are known by their manager's own record; what was installed past it shows in the folders
 * where programs, headers and libraries are looked for. */
static void add_machine(const struct build *b, struct inputs *out)
{
	/* the last three change with the packages of rpm and pacman */
	static const char *const folders[] = {"/etc/alternatives", "/var/lib/rpm/rpmdb.sqlite",
										  "/usr/lib/sysimage/rpm/rpmdb.sqlite",
										  "/var/lib/pacman/local"};
	const char *sysroot = build_step_sysroot(b);
	AUTO_FREE char *packages = build_packages_stamp("");
	AUTO_FREE char *others = sysroot ? build_packages_stamp(sysroot) : NULL;
	AUTO_FREE char *path = xstrdup(getenv("PATH") ? getenv("PATH") : "");
	const char *root = b->stamp->memory->root;
	char *rest = NULL;

	inputs_text(out, INPUT_STATE, "this machine's packages", packages);
	inputs_text(out, INPUT_STATE, "the sysroot's packages", others);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		add_stat(out, "the folder", folders[i]);
	add_files(out, "/usr/local/include", INCLUDE_DEPTH);
	add_files(out, "/usr/local/lib", 0);
	add_files(out, "/usr/local/lib/pkgconfig", 0);
	for (char *dir = strtok_r(path, ":", &rest); dir; dir = strtok_r(NULL, ":", &rest))
		if (dir[0] == '/' && is_of_packages(dir))
			add_stat(out, "the folder", dir);
		else if (dir[0] == '/' && !is_below(dir, root))
			add_files(out, dir, 0);
}

void build_step_settings(const struct build *b, struct inputs *out)
{
	AUTO_FREE char *found = xasprintf("%s %zu", build_system_name(b->plan.kind), b->plan.prepare);

	inputs_text(out, INPUT_SETTING, "msctl", MSCTL_VERSION);
	inputs_text(out, INPUT_SETTING, "the build system", found);
	inputs_text(out, INPUT_SETTING, "the toolchain's digest", build_toolchain_digest(b));
	if (!b->toolchain)
		add_machine(b, out);
	for (size_t i = 0; i < b->plan.steps.count; i++) {
		char name[24];

		snprintf(name, sizeof(name), "%zu", i + 1);
		inputs_text(out, INPUT_STEP, name, b->plan.steps.items[i]);
	}
	add_env(b, out);
}

void build_step_commit(const struct build *b, struct inputs *out)
{
	const struct repo_info *repo = &b->stamp->repo;
	AUTO_FREE char *created = xasprintf("%lld", (long long)b->stamp->created);

	inputs_text(out, INPUT_SETTING, "the last commit", repo->commit);
	inputs_text(out, INPUT_SETTING, "the branch", repo->branch);
	inputs_text(out, INPUT_SETTING, "what git describes", repo->describe);
	inputs_text(out, INPUT_SETTING, "the image's time", created);
}
