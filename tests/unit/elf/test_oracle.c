/* The loaders themselves as judges: "ld.so --list" names what it would load. */
#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"
#include "elf/closure.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define CROSS_ROOT "/usr/aarch64-linux-gnu"
#define QEMU "/usr/bin/qemu-aarch64-static"

#define BATCH 64

/* One kind of machine: how its loader is started and where it sees files. */
struct judge {
	const char *loader; /* as programs name it */
	const char *start;  /* words before the program */
	struct elf_view view;
	struct strv programs;
	size_t compared, refused;
};

/* "\tlibz.so.1 => /lib/libz.so.1 (0x...)" or "\t/lib64/ld.so (0x...)": the path, NULL if none. */
static char *path_of(char *line)
{
	char *arrow = strstr(line, "=> /");
	char *start = arrow ? arrow + 3 : strchr(line, '/');

	if (!start)
		return NULL;
	start[strcspn(start, " ")] = '\0';
	return elf_clean_path(start);
}

/* What the loader says of each of some programs: lines, then one "@STATUS". A shell starts it,
 * since to fork this process, with a sanitizer's memory, costs more than all the rest. */
static void ask(const struct judge *j, size_t first, size_t count, struct buf *out)
{
	static const char script[] =
		"start=$1; shift; for p; do $start \"$p\" 2>&1; echo \"@$?\"; done";
	const char *argv[BATCH + 6] = {"/bin/sh", "-c", script, "sh", j->start};
	const char *const unset[] = {"LD_LIBRARY_PATH", "LD_PRELOAD", NULL};
	struct proc_spec spec = {.argv = argv,
							 .unset = unset,
							 .in = PROC_NULL,
							 .out = PROC_BUFFER,
							 .err_out = PROC_NULL,
							 .max_output = 16u << 20,
							 .timeout_ms = 60000};
	AUTO(proc_result) struct proc_result result = {0};
	struct error err = {0};

	for (size_t i = 0; i < count; i++)
		argv[5 + i] = j->programs.items[first + i];
	cr_assert_eq(proc_run(&spec, &result, &err), 0, "%s", err.msg);
	cr_assert_eq(result.exit_status, 0);
	*out = MOVE(result.out);
}

/* Take one program's answer off text. False when the loader finds no library for a name. */
static bool take_answer(const struct judge *j, char **text, struct strv *paths)
{
	bool is_good = true;

	for (char *line; (line = strsep(text, "\n"));) {
		char *path;

		if (line[0] == '@')
			return is_good && strcmp(line, "@0") == 0;
		is_good &= !strstr(line, "not found");
		/* a loader that is started by its name says that name */
		path = path_of(line);
		if (path)
			strv_add(paths, text_ends(path, fs_basename(j->loader)) ? j->loader : path);
		free(path);
	}
	cr_assert_fail("the loader's answers end early");
	return false;
}

static char *join(struct strv *v)
{
	AUTO(buf) struct buf b = {0};

	strv_sort(v);
	for (size_t i = 0; i < v->count; i++)
		if (i == 0 || strcmp(v->items[i], v->items[i - 1]) != 0)
			buf_addf(&b, "%s\n", v->items[i]);
	return buf_take(&b);
}

static bool is_asked_about(const struct judge *j, const char *program)
{
	AUTO(elf_file) struct elf_file f = {0};
	struct error ignored = {0};

	return elf_is_elf(program) && elf_file_read(program, &f, &ignored) == 0 && f.is_dynamic &&
		   f.interpreter && strcmp(f.interpreter, j->loader) == 0;
}

static void compare(struct judge *j, const char *program, char **answers)
{
	AUTO(elf_closure) struct elf_closure c = {0};
	AUTO(strv) struct strv programs = {0};
	AUTO(strv) struct strv ours = {0};
	AUTO(strv) struct strv theirs = {0};
	AUTO_FREE char *a = NULL;
	AUTO_FREE char *b = NULL;
	struct error err = {0};
	struct elf_closure_request request = {
		.view = &j->view, .programs = &programs, .start_only = true};
	int rc;

	strv_add(&programs, program);
	rc = elf_closure_find(&request, NULL, &c, &err);
	if (!take_answer(j, answers, &theirs)) {
		cr_expect_eq(rc, -1, "the loader refuses %s", program);
		j->refused++;
		return;
	}
	cr_expect_eq(rc, 0, "%s: %s", program, err.msg);
	for (size_t i = 0; i < c.count; i++)
		if (c.items[i].how != ELF_FOUND_GIVEN)
			strv_add(&ours, c.items[i].opened);
	/* of a library without a loader of its own, the one that was started */
	if (!strv_has(&ours, j->loader))
		strv_add(&ours, j->loader);
	if (!strv_has(&theirs, j->loader))
		strv_add(&theirs, j->loader);
	a = join(&ours);
	b = join(&theirs);
	cr_expect_str_eq(a, b, "%s: ours\n%stheirs\n%s", program, a, b);
	j->compared++;
}

static void compare_all(struct judge *j)
{
	for (size_t i = 0; i < j->programs.count; i += BATCH) {
		size_t count = j->programs.count - i < BATCH ? j->programs.count - i : BATCH;
		AUTO(buf) struct buf out = {0};
		char *rest;

		ask(j, i, count, &out);
		rest = out.data;
		for (size_t k = 0; k < count; k++)
			compare(j, j->programs.items[i + k], &rest);
	}
	strv_release(&j->programs);
}

static int take_entry(void *user, const struct fs_entry *e, UNUSED struct error *err)
{
	struct judge *j = user;

	if (S_ISREG(e->st.st_mode) && (e->st.st_mode & S_IXUSR) && is_asked_about(j, e->full_path))
		strv_add(&j->programs, e->full_path);
	return 0;
}

/* All programs of this machine that are in the usual places. */
Test(elf_oracle, agrees_with_the_loader_of_this_machine, .timeout = 120)
{
	static const char *const dirs[] = {"/usr/bin", "/usr/sbin", "/usr/libexec", "/usr/lib"};
	static const char loader[] = "/lib64/ld-linux-x86-64.so.2";
	struct judge j = {loader, "/lib64/ld-linux-x86-64.so.2 --list", {.root = ""}, {0}, 0, 0};
	struct error err = {0};

	if (!fs_exists(loader))
		cr_skip_test("no machine of amd64 with glibc");
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (fs_is_dir(dirs[i]))
			cr_expect_eq(fs_walk(dirs[i], take_entry, &j, &err), 0, "%s", err.msg);
	compare_all(&j);
	cr_log_info("%zu programs compared, %zu refused", j.compared, j.refused);
	cr_expect_geq(j.compared, 300, "only %zu programs compared", j.compared);
}

/* What Debian ships of arm64 for cross compilers, by the loader that comes with it. */
Test(elf_oracle, agrees_with_the_loader_of_arm64, .timeout = 120)
{
	static const char loader[] = CROSS_ROOT "/lib/ld-linux-aarch64.so.1";
	struct judge j = {"/lib/ld-linux-aarch64.so.1",
					  QEMU " -L " CROSS_ROOT " " CROSS_ROOT "/lib/ld-linux-aarch64.so.1 --list",
					  {.root = "", .fallback = CROSS_ROOT},
					  {0},
					  0,
					  0};
	AUTO(strv) struct strv names = {0};
	struct error err = {0};

	if (!fs_exists(QEMU) || !fs_exists(loader))
		cr_skip_test("no " QEMU " or no libc6-arm64-cross");
	cr_assert_eq(fs_list(CROSS_ROOT "/lib", &names, &err), 0, "%s", err.msg);
	for (size_t i = 0; i < names.count; i++) {
		AUTO_FREE char *file = fs_join(CROSS_ROOT "/lib", names.items[i]);
		AUTO_FREE char *path = fs_join("/lib", names.items[i]);
		AUTO(elf_file) struct elf_file f = {0};

		if (elf_is_elf(file) && elf_file_read(file, &f, &err) == 0 && f.is_dynamic &&
			!text_starts(names.items[i], "ld-linux"))
			strv_add(&j.programs, path);
	}
	compare_all(&j);
	cr_log_info("%zu libraries compared, %zu refused", j.compared, j.refused);
	cr_expect_geq(j.compared, 30, "only %zu libraries compared", j.compared);
}
