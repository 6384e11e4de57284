/* Steps are left out while nothing that they could have used, and nothing that they made, is
 * another than it was right after they last went well: their text, their environment, the last
 * commit, the toolchain or this machine's packages and programs, and every file in the project's
 * folder. What they take from elsewhere or leave there is not seen. */
#include "build/skip.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "build/keep.h"
#include "build/memory.h"
#include "elf/file.h"

#include <stdlib.h>
#include <string.h>

#define WHAT "steps"
#define SHOWN 200

/* The record: what the steps depended on, which files were too young to be told by their times,
 * which files they write, and, if not empty, why it is not to be believed. */
struct record {
	struct buf unsettled;
	struct buf racy;     /* paths, each with its NUL */
	struct buf outputs;  /* the same */
	struct buf doubtful; /* the same: they were written while the steps ran, nobody knows by whom */
	struct buf inputs;
};

static void record_release(struct record *r)
{
	buf_release(&r->unsettled);
	buf_release(&r->racy);
	buf_release(&r->outputs);
	buf_release(&r->doubtful);
	buf_release(&r->inputs);
}

static char *record_file(const struct build *b)
{
	AUTO_FREE char *platform = oci_platform_text(&b->platform);

	for (char *p = platform; *p; p++)
		if (*p == '/')
			*p = '-';
	return xasprintf("%s/steps-%s", b->stamp->memory->project, platform);
}

static bool take_part(struct span *rest, struct buf *out)
{
	uint32_t n;

	if (rest->len < sizeof(n))
		return false;
	memcpy(&n, rest->data, sizeof(n));
	if (n > rest->len - sizeof(n))
		return false;
	buf_add(out, rest->data + sizeof(n), n);
	*rest = (struct span){rest->data + sizeof(n) + n, rest->len - sizeof(n) - n};
	return true;
}

static bool load_record(const char *file, struct record *out)
{
	AUTO(buf) struct buf bytes = {0};
	struct span rest;

	if (!keep_load(file, &bytes))
		return false;
	rest = buf_span(&bytes);
	return take_part(&rest, &out->unsettled) && take_part(&rest, &out->racy) &&
		   take_part(&rest, &out->outputs) && take_part(&rest, &out->doubtful) &&
		   take_part(&rest, &out->inputs);
}

static void save_record(const char *file, const struct record *r)
{
	const struct buf *const parts[] = {&r->unsettled, &r->racy, &r->outputs, &r->doubtful,
									   &r->inputs};
	AUTO(buf) struct buf bytes = {0};
	struct error ignored = {0};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		uint32_t n = (uint32_t)parts[i]->len;

		buf_add(&bytes, &n, sizeof(n));
		buf_add(&bytes, parts[i]->data, parts[i]->len);
	}
	keep_save(file, bytes.data, bytes.len, &ignored);
}

static void add_path(struct buf *paths, const char *path)
{
	buf_add(paths, path, strlen(path) + 1);
}

static void index_paths(const struct buf *paths, void *value, struct map *out)
{
	for (size_t at = 0; at < paths->len; at += strlen(paths->data + at) + 1)
		map_put(out, paths->data + at, value);
}

/* --- what steps depend on --- */

static bool is_below(const char *path, const char *root, const char *folder)
{
	size_t len = strlen(root);

	if (!folder || !text_starts(folder, root) || folder[len] != '/')
		return false;
	folder += len + 1;
	len = strlen(folder);
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Is one of its folders msctl's own, of this project or of another in the repository? */
static bool is_own(const char *path)
{
	const char *at = path;

	while ((at = strstr(at, BUILD_WORK_FOLDER))) {
		bool begins = at == path || at[-1] == '/';

		at += strlen(BUILD_WORK_FOLDER);
		if (begins && (*at == '/' || *at == '\0'))
			return true;
	}
	return false;
}

/* The path in the repository of a listed file; NULL: steps have nothing to do with it. A Makefile
 * may well use what lies beside the project's folder. Of msctl's own folders counts where this
 * platform is compiled and installed. */
static const char *path_of(const struct build *b, const struct listing *l, const struct listed *f)
{
	const char *root = b->stamp->memory->root;
	const char *path = listing_path(l, f);

	if (!is_own(path) || is_below(path, root, b->plan.work) ||
		is_below(path, root, b->plan.installed))
		return path;
	return NULL;
}

/* The name of the file; those of the project begin as all do that name it. Caller frees. */
static char *file_at(const struct build_memory *m, const char *path)
{
	if (text_starts(path, m->within))
		return fs_join(m->dir, path + strlen(m->within));
	return fs_join(m->root, path);
}

/* What stat says of a file; of one that is too young, its content, too. */
static void add_file(const struct build *b, const struct listing *l, const struct listed *f,
					 bool is_racy, struct inputs *out)
{
	struct build_memory *m = b->stamp->memory;
	struct {
		struct listed seen;
		uint8_t sum[SHA256_BYTES];
	} value;
	struct statindex_sum sum = {0};
	struct error ignored = {0};

	memset(&value, 0, sizeof(value));
	value.seen = *f;
	value.seen.path = 0;
	if (is_racy && S_ISREG(f->mode)) {
		AUTO_FREE char *file = file_at(m, path_of(b, l, f));
		struct stat st;

		if (lstat(file, &st) == 0 && statindex_get(build_memory_sums(m, file), file, &st,
												   b->request->cancel, &sum, &ignored) == 0)
			memcpy(value.sum, sum.sha256, sizeof(value.sum));
	}
	inputs_add(out, INPUT_STAT, path_of(b, l, f), &value, is_racy ? sizeof(value) : sizeof(*f));
}

static void add_rest(const struct build *b, const struct listing *l, const struct map *racy,
					 struct inputs *out)
{
	for (size_t i = 0; i < l->items.count; i++) {
		const char *path = path_of(b, l, &l->items.items[i]);

		if (path)
			add_file(b, l, &l->items.items[i], map_has(racy, path), out);
	}
	/* behind the files: most of it changes because they do, and a reason names what comes first */
	build_step_commit(b, out);
}

/* --- before the steps --- */

/* Nobody looks at the files of a sysroot, but packages tell of them. */
static bool is_known_sysroot(const struct build *b)
{
	const char *root = b->stamp->memory->root;
	const char *sysroot = build_step_sysroot(b);
	AUTO_FREE char *packages = sysroot ? build_packages_stamp(sysroot) : NULL;

	return !sysroot || packages[0] || (text_starts(sysroot, root) && sysroot[strlen(root)] == '/');
}

static const char *never(const struct build *b)
{
	const struct listing *l = build_memory_files(b->stamp->memory, b->request->cancel);

	if (!l->is_whole)
		return l->why;
	for (size_t i = 0; i < b->plan.steps.count && b->plan.kind == BUILD_WRITTEN; i++)
		if (strstr(b->plan.steps.items[i], "../"))
			return "a step reaches out of the project's folder";
	return is_known_sysroot(b) ? NULL : "the sysroot has no packages that tell of its files";
}

/* NULL: nothing is another. Caller frees. */
static char *find_reason(const struct build *b, const struct record *r)
{
	struct build_memory *m = b->stamp->memory;
	AUTO(inputs) struct inputs now = {0};
	struct map racy = {0};

	if (r->unsettled.len > 0)
		return xstrdup(buf_str(&r->unsettled));
	index_paths(&r->racy, NULL, &racy);
	buf_add(&now.bytes, m->settings.bytes.data, m->settings.bytes.len);
	add_rest(b, &m->files, &racy, &now);
	map_release(&racy);
	if (now.bytes.len == r->inputs.len &&
		memcmp(now.bytes.data, r->inputs.data, now.bytes.len) == 0)
		return NULL;
	return inputs_reason(&r->inputs, &now.bytes);
}

/* Whatever ends this build, the next one does not believe what was known of the steps; but which
 * files they write it still knows. */
static void begin(const struct build *b, const char *file, struct record *r)
{
	buf_cut(&r->racy, 0);
	buf_cut(&r->inputs, 0);
	buf_cut(&r->unsettled, 0);
	buf_adds(&r->unsettled, "they did not end well the last time");
	save_record(file, r);
	b->stamp->memory->has_begun = true;
}

/* Why the steps have to run; NULL: they need not. Caller frees. */
static char *look(struct build *b, const char *file, struct record *r)
{
	struct build_memory *m = b->stamp->memory;
	const char *why = never(b);
	bool is_known = load_record(file, r);

	map_release(&m->outputs);
	if (is_known) {
		index_paths(&r->outputs, m, &m->outputs);
		index_paths(&r->doubtful, NULL, &m->outputs);
	}
	if (m->is_forgetful)
		return xstrdup("--no-cache");
	if (why)
		return xstrdup(why);
	return is_known ? find_reason(b, r) : xstrdup("nothing is known of an earlier build");
}

/* Two builds of one project do not run its steps at once: the second finds them done. True: there
 * was another one. */
static bool wait_for_others(const struct build *b, const char *file)
{
	struct build_memory *m = b->stamp->memory;
	AUTO_FREE char *path = xasprintf("%s.lock", file);
	struct error why = {0};

	if (fs_mkdirs(m->project, 0700, &why) < 0 || fs_lock(path, true, false, &m->lock, &why) == 0 ||
		why.code != ERR_CONFLICT)
		return false;
	build_note(b, "another build runs this project's steps: waiting for it");
	/* a request to stop is seen by whatever comes next */
	return fs_lock(path, true, true, &m->lock, &why) == 0;
}

bool build_skip_steps(struct build *b)
{
	struct build_memory *m = b->stamp->memory;
	AUTO(record) struct record r = {0};
	AUTO_FREE char *file = NULL;
	AUTO_FREE char *why = NULL;

	if (!m->cache || !m->root || b->plan.steps.count == 0)
		return false;
	file = record_file(b);
	inputs_release(&m->settings);
	build_step_settings(b, &m->settings);
	why = look(b, file, &r);
	if (why && wait_for_others(b, file)) {
		build_memory_forget_files(m);
		record_release(&r);
		r = (struct record){0};
		free(why);
		why = look(b, file, &r);
	}
	build_explain(b, !why, WHAT, "%s", why ? why : "nothing changed since they ran");
	if (why)
		begin(b, file, &r);
	else
		build_memory_unlock(m);
	return !why;
}

/* --- after them --- */

/* What is new there and looks like this may have been written by hand meanwhile. */
static bool looks_like_source(const char *path)
{
	static const char *const ends[] = {".c", ".h", ".cc", ".cpp", ".cxx", ".hpp", ".S", ".y", ".l"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (text_ends(path, ends[i]))
			return true;
	return false;
}

/* Did the steps make this file, or did somebody while they ran? In doubt they run once more: what
 * they write again is theirs. */
static void judge(const struct build *b, const char *path, bool was_there, struct record *out)
{
	const struct build_memory *m = b->stamp->memory;
	AUTO_FREE char *file = file_at(m, path);

	/* nobody writes programs and libraries by hand */
	if (map_has(&m->outputs, path) || is_own(path) || !(was_there || looks_like_source(path)) ||
		text_ends(path, ".a") || text_ends(path, ".d") || elf_is_elf(file)) {
		add_path(&out->outputs, path);
		return;
	}
	add_path(&out->doubtful, path);
	if (out->unsettled.len == 0)
		buf_addf(&out->unsettled, "%.*s changed while the steps ran", SHOWN, path);
}

static void compare(const struct build *b, const struct listing *before,
					const struct listing *after, struct record *out)
{
	const struct build_memory *m = b->stamp->memory;
	struct map old = {0};

	for (size_t i = 0; i < before->items.count; i++) {
		const char *path = path_of(b, before, &before->items.items[i]);

		if (path)
			map_put(&old, path, &before->items.items[i]);
	}
	for (size_t i = 0; i < after->items.count; i++) {
		const struct listed *f = &after->items.items[i];
		const char *path = path_of(b, after, f);
		struct listed was, is = *f;

		if (!path || S_ISDIR(f->mode))
			continue;
		if (map_has(&old, path)) {
			was = *(const struct listed *)map_get(&old, path);
			was.path = is.path = 0;
			if (memcmp(&was, &is, sizeof(is)) == 0) {
				if (map_get(&m->outputs, path))
					add_path(&out->outputs, path);
				continue;
			}
		}
		judge(b, path, map_has(&old, path), out);
	}
	map_release(&old);
}

void build_keep_steps(struct build *b)
{
	struct build_memory *m = b->stamp->memory;
	AUTO(record) struct record r = {0};
	AUTO(listing) struct listing before = {0};
	struct map racy = {0};
	AUTO_FREE char *file = NULL;

	if (!m->has_begun)
		return;
	m->has_begun = false;
	file = record_file(b);
	listing_settle();
	before = MOVE(m->files);
	m->is_listed = false;
	if (!build_memory_files(m, b->request->cancel)->is_whole || !before.is_whole) {
		build_memory_unlock(m);
		return;
	}
	compare(b, &before, &m->files, &r);
	for (size_t i = 0; i < m->files.items.count; i++) {
		const struct listed *f = &m->files.items.items[i];
		const char *path = path_of(b, &m->files, f);

		if (path && listing_is_racy(&m->files, f))
			add_path(&r.racy, path);
	}
	index_paths(&r.racy, NULL, &racy);
	buf_add(&r.inputs, m->settings.bytes.data, m->settings.bytes.len);
	struct inputs all = {MOVE(r.inputs)};

	add_rest(b, &m->files, &racy, &all);
	r.inputs = all.bytes;
	map_release(&racy);
	save_record(file, &r);
	build_memory_unlock(m);
}
