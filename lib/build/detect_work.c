/* The folder that a found system works in: PROJECT/.msctl/build/OS-ARCH. */
#include "build/detect.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "build/sources.h"
#include "crypto/sha256.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUNNING "running"

static char *beside(const struct build *b, const char *name)
{
	return fs_join(b->plan.folder, name);
}

int build_open_work(struct build *b, struct error *err)
{
	AUTO_FREE char *own = fs_join(b->project->dir, BUILD_WORK_FOLDER);
	AUTO_FREE char *ignore = fs_join(own, ".gitignore");
	AUTO_FREE char *lock = beside(b, "lock");
	struct build_plan *p = &b->plan;

	if (fs_mkdirs(p->folder, 0755, err) < 0)
		return -1;
	/* the repository stays as clean as it was, and images of it too */
	if (!fs_exists(ignore) && fs_write_atomic(ignore, "*\n", 2, 0644, err) < 0)
		return -1;
	if (fs_lock(lock, true, false, &p->lock, err) < 0) {
		if (err->code != ERR_CONFLICT)
			return -1;
		build_note(b, "another build of this project runs: waiting for it");
		if (fs_lock(lock, true, true, &p->lock, err) < 0)
			return -1;
	}
	p->is_locked = true;
	return 0;
}

static void hash_text(struct sha256 *h, const char *text)
{
	sha256_add(h, text, strlen(text) + 1);
}

static void hash_file(struct sha256 *h, const char *path)
{
	struct stat st;
	char seen[80];

	if (!path || stat(path, &st) < 0)
		return hash_text(h, "");
	snprintf(seen, sizeof(seen), "%lld %lld %ld", (long long)st.st_size,
			 (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	hash_text(h, path);
	hash_text(h, seen);
}

/* All that decides what configuring comes to, but for what the system looks after itself. */
static void hash_plan(const struct build *b, char key[SHA256_HEX_LEN + 1])
{
	static const char *const variables[] = {"CC", "CXX", "PATH", "PKG_CONFIG_PATH"};
	AUTO_PTR(sha256) struct sha256 *h = sha256_new();
	const struct build_plan *p = &b->plan;
	const char *digest = build_toolchain_digest(b);
	AUTO_FREE char *cc = build_tool_of(p, "CC", "cc");
	AUTO_FREE char *compiler = build_find_tool(b, cc);
	AUTO_FREE char *binutils = build_tool_of(p, "STRIP", "strip");
	AUTO_FREE char *strip = build_find_tool(b, binutils);
	AUTO_FREE char *script = fs_join(b->project->dir, "configure");
	AUTO_FREE char *source = fs_join(b->project->dir, "configure.ac");
	uint8_t sum[SHA256_BYTES];

	hash_text(h, build_system_name(p->kind));
	for (size_t i = 0; i < p->steps.count; i++)
		hash_text(h, p->steps.items[i]);
	for (size_t i = 0; i < p->env.count; i++)
		if (!text_starts(p->env.items[i], "MSCTL_JOBS="))
			hash_text(h, p->env.items[i]);
	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		const char *value = getenv(variables[i]);

		hash_text(h, value ? value : "");
	}
	hash_text(h, digest ? digest : "");
	hash_file(h, digest ? NULL : compiler);
	hash_file(h, digest ? NULL : strip);
	if (p->kind == BUILD_AUTOTOOLS) {
		hash_file(h, script);
		hash_file(h, source);
	}
	sha256_end(h, sum);
	sha256_hex(sum, key);
}

static int write_cross(const struct build *b, struct error *err)
{
	AUTO_FREE char *file = xasprintf("%s.cross", b->plan.work);
	AUTO_FREE char *text = NULL;
	const char *sysroot = b->request->sysroot ? b->request->sysroot : b->project->build.sysroot;
	struct build_target target = {0};

	if (build_target_find(&b->platform, &target, err) < 0)
		return -1;
	text = build_target_meson(&target, b->toolchain ? NULL : sysroot);
	return fs_write_atomic(file, text, strlen(text), 0644, err);
}

/* What other flags or another compiler made is of no use, and would not be made anew. */
static int remove_old(const struct build *b, struct error *err)
{
	static const char *const names[] = {"configured", "work", "stripped", "debug"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		AUTO_FREE char *path = beside(b, names[i]);

		if (fs_remove_tree(path, err) < 0)
			return -1;
	}
	return 0;
}

int build_prepare_work(struct build *b, bool *is_configured, struct error *err)
{
	const struct build_plan *p = &b->plan;
	AUTO_FREE char *stamp = beside(b, "configured");
	AUTO_FREE char *list = beside(b, "sources");
	AUTO_FREE char *source = realpath(b->project->dir, NULL);
	AUTO_FREE char *running = beside(b, RUNNING);
	AUTO(buf) struct buf before = {0};
	struct error absent = {0};
	char key[SHA256_HEX_LEN + 1];

	hash_plan(b, key);
	/* of a build that was killed nobody knows which of its files are whole */
	*is_configured = !b->request->no_cache && fs_is_dir(p->work) && !fs_exists(running) &&
					 fs_read_settled(stamp, sizeof(key), &before, &absent) == 0 &&
					 strcmp(buf_str(&before), key) == 0;
	if (!*is_configured && remove_old(b, err) < 0)
		return -1;
	if (p->kind == BUILD_MESON && b->is_cross && write_cross(b, err) < 0)
		return -1;
	if (p->kind == BUILD_MAKE && build_write_wrappers(b, err) < 0)
		return -1;
	if (p->is_copied && sources_copy(source, p->work, list, b->request->cancel, err) < 0)
		return -1;
	/* what is no longer installed must not be left there */
	if (fs_remove_tree(p->installed, err) < 0)
		return -1;
	return fs_write_atomic(running, "", 0, 0644, err);
}

void build_end_work(const struct build *b)
{
	AUTO_FREE char *running = beside(b, RUNNING);

	unlink(running);
}

int build_keep_configured(const struct build *b, struct error *err)
{
	AUTO_FREE char *stamp = beside(b, "configured");
	char key[SHA256_HEX_LEN + 1];

	hash_plan(b, key);
	return fs_write_atomic(stamp, key, SHA256_HEX_LEN, 0644, err);
}
