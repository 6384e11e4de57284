/* Symbols that only a debugger reads go out of what is shipped. The installed files stay as they
 * are; stripped copies are kept by the content that they were made of. What was taken out lies in
 * debug/.build-id, where gdb finds it: set debug-file-directory FOLDER/debug. */
#include "build/detect.h"
#include "build/gather.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"
#include "build/memory.h"
#include "elf/file.h"

#include <stdlib.h>
#include <string.h>

/* Of binutils, for the platform. Caller frees. */
static char *tool(const struct build *b, const char *name)
{
	AUTO_FREE char *strip = build_tool_of(&b->plan, "STRIP", "strip");

	/* "aarch64-linux-gnu-" */
	if (text_ends(strip, "strip"))
		strip[strlen(strip) - strlen("strip")] = '\0';
	return xasprintf("%s%s", strip, name);
}

/* Where gdb looks for what was taken out of a file, NULL if it has no build id. Caller frees. */
static char *debug_file(const struct build *b, const char *from)
{
	AUTO(elf_file) struct elf_file elf = {0};
	AUTO(buf) struct buf path = {0};
	struct error ignored = {0};

	if (elf_file_read(from, &elf, &ignored) < 0 || elf.build_id_len < 2)
		return NULL;
	buf_addf(&path, "%s/debug/.build-id/", b->plan.folder);
	for (size_t i = 0; i < elf.build_id_len; i++)
		buf_addf(&path, "%02x%s", elf.build_id[i], i == 0 ? "/" : "");
	buf_adds(&path, ".debug");
	return buf_take(&path);
}

static int run_tool(struct build *b, const char *script, const struct strv *env, struct error *err)
{
	const char *const argv[] = {"sh", "-e", "-c", script, NULL};
	struct proc_spec spec = {.argv = argv,
							 .env = (const char *const *)env->items,
							 .cwd = b->plan.folder,
							 .in = PROC_NULL,
							 .out = PROC_NULL,
							 .err_out = PROC_BUFFER,
							 .cancel = b->request->cancel,
							 .own_group = true};
	AUTO(proc_result) struct proc_result result = {0};
	char how[64];
	int rc;

	rc = b->toolchain ? build_toolchain_run(b, &spec, &result, err) : proc_run(&spec, &result, err);
	if (rc < 0 || result.exit_status == 0)
		return rc;
	err_set(err, ERR_SYS, "%s: %s", proc_describe(&result, how), buf_str(&result.err_out));
	return err_hint(err, "leave symbols where they are with build: {strip: false}");
}

static int run_strip(struct build *b, const char *from, const char *to, mode_t mode,
					 struct error *err)
{
	AUTO_FREE char *temporary = xasprintf("%s.part", to);
	AUTO_FREE char *strip = tool(b, "strip");
	AUTO_FREE char *objcopy = tool(b, "objcopy");
	AUTO_FREE char *has_objcopy = build_find_tool(b, objcopy);
	AUTO_FREE char *debug = has_objcopy ? debug_file(b, from) : NULL;
	AUTO_FREE char *dir = debug ? fs_dirname(debug) : NULL;
	AUTO(strv) struct strv env = {0};

	if (dir && fs_mkdirs(dir, 0755, err) < 0)
		return -1;
	strv_addf(&env, "STRIP=%s", strip);
	strv_addf(&env, "OBJCOPY=%s", objcopy);
	strv_addf(&env, "FROM=%s", from);
	strv_addf(&env, "TO=%s", temporary);
	strv_addf(&env, "DEBUG=%s", debug ? debug : "");
	if (run_tool(b,
				 "[ -z \"$DEBUG\" ] || \"$OBJCOPY\" --only-keep-debug \"$FROM\" \"$DEBUG\"\n"
				 "exec \"$STRIP\" --strip-unneeded -o \"$TO\" \"$FROM\"",
				 &env, err) < 0)
		return err_wrap(err, "cannot strip %s", from);
	if (chmod(temporary, mode) < 0 || rename(temporary, to) < 0)
		return err_errno(err, "cannot write %s", to);
	return 0;
}

/* 1: it was stripped now; 0: it had been before. */
static int strip_one(struct build *b, struct taken *t, const char *dir, struct strv *used,
					 struct error *err)
{
	char hex[SHA256_HEX_LEN + 1];
	AUTO_FREE char *name = NULL;
	AUTO_FREE char *file = NULL;
	bool is_program = t->st.st_mode & S_IXUSR;
	bool is_new;
	struct statindex_sum sum;
	struct stat st;

	if (statindex_get(build_memory_sums(b->stamp->memory, t->file), t->file, &t->st,
					  b->request->cancel, &sum, err) < 0)
		return -1;
	sha256_hex(sum.sha256, hex);
	name = xasprintf("%s%s", hex, is_program ? "-x" : "");
	file = fs_join(dir, name);
	strv_add(used, name);
	is_new = lstat(file, &st) < 0;
	if (is_new && run_strip(b, t->file, file, is_program ? 0755 : 0644, err) < 0)
		return -1;
	if (stat(file, &st) < 0)
		return err_errno(err, "cannot stat %s", file);
	free(t->file);
	t->file = TAKE(file);
	t->st = st;
	map_put(&b->over, t->path, t->file);
	return is_new;
}

static void remove_unused(const char *dir, const struct strv *used)
{
	AUTO(strv) struct strv names = {0};
	struct error ignored = {0};

	if (fs_list(dir, &names, &ignored) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		AUTO_FREE char *path = fs_join(dir, names.items[i]);

		if (!strv_has(used, names.items[i]))
			unlink(path);
	}
}

static int remove_other(void *user, const struct fs_entry *e, struct error *err)
{
	(void)err;
	if (S_ISREG(e->st.st_mode) && !map_has(user, e->full_path))
		unlink(e->full_path);
	return 0;
}

/* Of programs that are no more. */
static void remove_unused_debug(const struct build *b, const struct strv *files)
{
	AUTO_FREE char *dir = fs_join(b->plan.folder, "debug");
	AUTO(map) struct map used = {0};
	struct error ignored = {0};

	for (size_t i = 0; i < files->count; i++) {
		AUTO_FREE char *debug = debug_file(b, files->items[i]);

		if (debug)
			map_put(&used, debug, NULL);
	}
	if (fs_is_dir(dir))
		fs_walk(dir, remove_other, &used, &ignored);
}

int build_strip(struct build *b, struct error *err)
{
	AUTO_FREE char *dir = fs_join(b->plan.folder, "stripped");
	AUTO_FREE char *strip = tool(b, "strip");
	AUTO_FREE char *path = build_find_tool(b, strip);
	AUTO(strv) struct strv used = {0};
	AUTO(strv) struct strv files = {0};
	AUTO(map) struct map programs = {0};
	bool has_new = false;
	int rc;

	if (!path) {
		build_note(b, "%s is not installed: programs keep their symbols", strip);
		return 0;
	}
	if (fs_mkdirs(dir, 0755, err) < 0)
		return -1;
	for (size_t i = 0; i < b->programs.count; i++)
		map_put(&programs, b->programs.items[i], NULL);
	for (size_t i = 0; i < b->taken_count; i++) {
		struct taken *t = &b->taken[i];

		if (!S_ISREG(t->st.st_mode) || !map_has(&programs, t->path))
			continue;
		strv_add(&files, t->file);
		rc = strip_one(b, t, dir, &used, err);
		if (rc < 0)
			return -1;
		has_new |= rc > 0;
	}
	if (has_new)
		remove_unused_debug(b, &files);
	remove_unused(dir, &used);
	return 0;
}
