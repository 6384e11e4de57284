/* What libgit2 says of a repository is a function of its references, its index, its settings and
 * what lies in its folder. The cache remembers the answer by what stat says of all these: libgit2
 * and its twenty libraries are loaded when one of them changed. */
#include "build/memory.h"

#include "base/fs.h"
#include "base/mem.h"
#include "build/keep.h"

#include <stdlib.h>
#include <string.h>

#define CONFIG_MAX_BYTES 65536

static void add_stat(struct inputs *i, const char *file)
{
	struct stat st = {0};

	if (lstat(file, &st) < 0)
		st = (struct stat){0};
	const int64_t seen[] = {(int64_t)st.st_mode, (int64_t)st.st_dev, (int64_t)st.st_ino,
							st.st_size,          st.st_mtim.tv_sec,  st.st_mtim.tv_nsec,
							st.st_ctim.tv_sec,   st.st_ctim.tv_nsec};
	inputs_add(i, INPUT_STATE, file, seen, sizeof(seen));
}

static void add_listing(struct inputs *i, const struct listing *l, bool *is_old)
{
	inputs_add(i, INPUT_STATE, "names", l->names.data, l->names.len);
	inputs_add(i, INPUT_STATE, "files", l->items.items, l->items.count * sizeof(l->items.items[0]));
	for (size_t k = 0; k < l->items.count; k++)
		if (listing_is_racy(l, &l->items.items[k]))
			*is_old = false;
}

/* Settings that name files elsewhere, or another folder to work in. */
static bool is_plain_config(const char *git)
{
	static const char *const words[] = {"excludesfile", "attributesfile", "worktree", "include"};
	AUTO_FREE char *file = fs_join(git, "config");
	AUTO(buf) struct buf text = {0};
	struct error ignored = {0};

	if (fs_read_settled(file, CONFIG_MAX_BYTES, &text, &ignored) < 0)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(buf_str(&text), words[i]))
			return false;
	return true;
}

/* What the answer depends on; false: it cannot be known, or it is too young to be remembered. */
static bool add_repository(struct build_memory *m, const struct cancel *cancel, struct inputs *out,
						   bool *is_old)
{
	static const char *const files[] = {"HEAD",        "index",           "config",
										"packed-refs", "info/exclude",    "info/attributes",
										"commondir",   "config.worktree", "shallow",
										"info/grafts", "../.gitmodules"};
	AUTO_FREE char *git = fs_join(m->root, ".git");
	AUTO_FREE char *refs = fs_join(git, "refs");
	AUTO(listing) struct listing names = {0};
	const struct listing *l = build_memory_files(m, cancel);
	struct timespec now = l->taken;

	listing_take(refs, cancel, &names);
	if (!l->is_whole || !names.is_whole)
		return false;
	*is_old = true;
	inputs_text(out, INPUT_SETTING, "msctl", MSCTL_VERSION);
	inputs_text(out, INPUT_SETTING, "project", m->within);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		AUTO_FREE char *file = fs_join(git, files[i]);
		struct stat st;

		add_stat(out, file);
		if (lstat(file, &st) == 0 && statindex_is_racy(&st, &now, l->is_coarse))
			*is_old = false;
	}
	add_listing(out, &names, is_old);
	add_listing(out, l, is_old);
	return true;
}

/* Texts end with NUL, an absent one is empty; no text of these is empty itself. */
struct answer {
	uint8_t key[SHA256_BYTES];
	int64_t commit_time;
	uint8_t dirty;
};

static char *next_text(const char **at, const char *end)
{
	size_t len = strnlen(*at, (size_t)(end - *at));
	char *text = len > 0 ? xstrndup(*at, len) : NULL;

	*at += len < (size_t)(end - *at) ? len + 1 : len;
	return text;
}

static bool load_answer(const char *file, const uint8_t key[SHA256_BYTES], struct repo_info *out)
{
	AUTO(buf) struct buf bytes = {0};
	AUTO_FREE char *commit = NULL;
	struct answer a;
	const char *at, *end;

	if (!keep_load(file, &bytes) || bytes.len < sizeof(a))
		return false;
	memcpy(&a, bytes.data, sizeof(a));
	if (memcmp(a.key, key, sizeof(a.key)) != 0)
		return false;
	at = bytes.data + sizeof(a);
	end = bytes.data + bytes.len;
	commit = next_text(&at, end);
	snprintf(out->commit, sizeof(out->commit), "%s", commit ? commit : "");
	out->commit_time = a.commit_time;
	out->dirty = a.dirty;
	out->branch = next_text(&at, end);
	out->describe = next_text(&at, end);
	out->origin = next_text(&at, end);
	return true;
}

static void save_answer(const char *file, const uint8_t key[SHA256_BYTES],
						const struct repo_info *info)
{
	const char *const texts[] = {info->commit, info->branch, info->describe, info->origin};
	AUTO(buf) struct buf bytes = {0};
	struct answer a;
	struct error ignored = {0};

	memset(&a, 0, sizeof(a));
	memcpy(a.key, key, sizeof(a.key));
	a.commit_time = info->commit_time;
	a.dirty = info->dirty;
	buf_add(&bytes, &a, sizeof(a));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		buf_adds(&bytes, texts[i] ? texts[i] : "");
		buf_addc(&bytes, '\0');
	}
	keep_save(file, bytes.data, bytes.len, &ignored);
}

static int ask(const struct project *p, struct repo_info *out, struct error *err)
{
	struct error why = {0};

	/* a project without a repository is one, too */
	if (repo_info_read(p->dir, out, &why) == 0 || why.code == ERR_MISSING)
		return 0;
	*err = why;
	return -1;
}

int build_repository(struct build_memory *m, const struct project *p, struct repo_info *out,
					 struct error *err)
{
	AUTO(inputs) struct inputs now = {0};
	AUTO_FREE char *file = NULL;
	AUTO_FREE char *git = NULL;
	AUTO_FREE char *modules = NULL;
	uint8_t key[SHA256_BYTES];
	bool is_old = false;

	/* libgit2 would look for the same */
	if (m && m->root && !m->has_git)
		return 0;
	if (!m || !m->cache || !m->is_repo || !add_repository(m, NULL, &now, &is_old))
		return ask(p, out, err);
	git = fs_join(m->root, ".git");
	modules = fs_join(m->root, ".gitmodules");
	file = fs_join(m->project, "repository");
	inputs_key(&now, key);
	if (!m->is_forgetful && load_answer(file, key, out))
		return 0;
	if (ask(p, out, err) < 0)
		return -1;
	if (is_old && !fs_exists(modules) && is_plain_config(git))
		save_answer(file, key, out);
	return 0;
}
