/* Symbols that only a debugger reads go out of what is shipped. The installed files stay as they
 * are; stripped copies are kept by the content that they were made of. */
#include "build/detect.h"
#include "build/gather.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "build/memory.h"

#include <stdlib.h>
#include <string.h>

static const char *strip_tool(const struct build *b)
{
	for (size_t i = 0; i < b->plan.env.count; i++)
		if (strncmp(b->plan.env.items[i], "STRIP=", 6) == 0)
			return b->plan.env.items[i] + 6;
	return "strip";
}

static int run_strip(struct build *b, const char *from, const char *to, mode_t mode,
					 struct error *err)
{
	AUTO_FREE char *temporary = xasprintf("%s.part", to);
	const char *const argv[] = {"sh", "-e", "-c",
								"exec \"$TOOL\" --strip-unneeded -o \"$TO\" \"$FROM\"", NULL};
	AUTO(strv) struct strv env = {0};
	struct proc_spec spec = {.argv = argv,
							 .cwd = b->plan.folder,
							 .in = PROC_NULL,
							 .out = PROC_NULL,
							 .err_out = PROC_BUFFER,
							 .cancel = b->request->cancel,
							 .own_group = true};
	AUTO(proc_result) struct proc_result result = {0};
	char how[64];
	int rc;

	strv_addf(&env, "TOOL=%s", strip_tool(b));
	strv_addf(&env, "TO=%s", temporary);
	strv_addf(&env, "FROM=%s", from);
	spec.env = (const char *const *)env.items;
	rc = b->toolchain ? build_toolchain_run(b, &spec, &result, err) : proc_run(&spec, &result, err);
	if (rc < 0)
		return err_wrap(err, "cannot strip %s", from);
	if (result.exit_status != 0)
		return err_set(err, ERR_SYS, "%s %s: %s: %s", strip_tool(b), from,
					   proc_describe(&result, how), buf_str(&result.err_out));
	if (chmod(temporary, mode) < 0 || rename(temporary, to) < 0)
		return err_errno(err, "cannot write %s", to);
	return 0;
}

static int strip_one(struct build *b, struct taken *t, const char *dir, struct strv *used,
					 struct error *err)
{
	char hex[SHA256_HEX_LEN + 1];
	AUTO_FREE char *name = NULL;
	AUTO_FREE char *file = NULL;
	bool is_program = t->st.st_mode & S_IXUSR;
	struct statindex_sum sum;
	struct stat st;

	if (statindex_get(b->stamp->memory->sums, t->file, &t->st, b->request->cancel, &sum, err) < 0)
		return -1;
	sha256_hex(sum.sha256, hex);
	name = xasprintf("%s%s", hex, is_program ? "-x" : "");
	file = fs_join(dir, name);
	strv_add(used, name);
	if (lstat(file, &st) < 0 && run_strip(b, t->file, file, is_program ? 0755 : 0644, err) < 0)
		return -1;
	if (stat(file, &st) < 0)
		return err_errno(err, "cannot stat %s", file);
	free(t->file);
	t->file = TAKE(file);
	t->st = st;
	map_put(&b->over, t->path, t->file);
	return 0;
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

int build_strip(struct build *b, struct error *err)
{
	AUTO_FREE char *dir = fs_join(b->plan.folder, "stripped");
	AUTO_FREE char *tool = build_find_tool(b, strip_tool(b));
	AUTO(strv) struct strv used = {0};
	AUTO(map) struct map programs = {0};

	if (!tool) {
		build_note(b, "%s is not installed: programs keep their symbols", strip_tool(b));
		return 0;
	}
	if (fs_mkdirs(dir, 0755, err) < 0)
		return -1;
	for (size_t i = 0; i < b->programs.count; i++)
		map_put(&programs, b->programs.items[i], NULL);
	for (size_t i = 0; i < b->taken_count; i++)
		if (S_ISREG(b->taken[i].st.st_mode) && map_has(&programs, b->taken[i].path) &&
			strip_one(b, &b->taken[i], dir, &used, err) < 0)
			return -1;
	remove_unused(dir, &used);
	return 0;
}
