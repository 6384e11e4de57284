#include "build/detect.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"
#include "build/lacks.h"
#include "build/skip.h"

#include <string.h>

/* Who listens to a step. */
struct listener {
	const struct build_watch *watch;
	struct lacks lacks;
};

static void listener_release(struct listener *l)
{
	lacks_release(&l->lacks);
}

static void hand_line(void *user, bool is_stderr, const char *line)
{
	struct listener *l = user;

	(void)is_stderr;
	lacks_line(&l->lacks, line);
	if (l->watch->line)
		l->watch->line(l->watch->user, line);
}

/* In order of growing weight; the later of two of a name counts. */
static void collect_env(const struct build *b, struct strv *env)
{
	const struct strv *asked = b->request->step_env;

	strv_addf(env, "SOURCE_DATE_EPOCH=%lld", (long long)b->stamp->created);
	strv_add(env, "LC_ALL=C");
	strv_add(env, "TZ=UTC");
	for (size_t i = 0; i < b->plan.env.count; i++)
		strv_add(env, b->plan.env.items[i]);
	for (size_t i = 0; asked && i < asked->count; i++)
		strv_add(env, asked->items[i]);
}

static int hint_failed(const struct build *b, const struct lacks *lacks, struct error *err)
{
	const struct build_plan *p = &b->plan;
	struct build_target target = {0};
	struct error ignored = {0};

	if (build_target_find(&b->platform, &target, &ignored) == 0 &&
		lacks_hint(lacks, b->is_cross ? &target : NULL, err))
		return -1;
	if (p->is_copied)
		return err_hint(err,
						"see what it said above; it works on a copy of the project in %s: files "
						"outside of the project are not there",
						p->work);
	return err_hint(err, "see what it said above, or run it yourself in %s", b->project->dir);
}

/* Its first line; one that begins with a comment is named by that. Caller frees. */
static char *step_name(const char *step)
{
	step += text_starts(step, "# ") ? 2 : 0;
	return xstrndup(step, strcspn(step, "\n"));
}

static int run_step(struct build *b, size_t index, struct error *err)
{
	const char *step = b->plan.steps.items[index];
	AUTO_FREE char *name = step_name(step);
	AUTO_FREE char *script = xasprintf("umask 022\n%s", step);
	AUTO(strv) struct strv env = {0};
	const char *const argv[] = {"sh", "-e", "-c", script, NULL};
	/* a make that runs msctl has nothing to say to a make that msctl runs */
	const char *const unset[] = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "LANGUAGE", "DESTDIR", NULL};
	const struct build_watch *watch = &b->request->watch;
	AUTO(listener) struct listener listener = {.watch = watch};
	struct proc_spec spec = {.argv = argv,
							 .unset = unset,
							 .cwd = b->project->dir,
							 .in = PROC_NULL,
							 .out = PROC_LINES,
							 .err_out = PROC_LINES,
							 .line = hand_line,
							 .user = &listener,
							 .cancel = b->request->cancel,
							 .own_group = true};
	AUTO(proc_result) struct proc_result result = {0};
	int64_t start = clock_now(b->request->clock);
	char how[64];
	int rc;

	collect_env(b, &env);
	spec.env = (const char *const *)env.items;
	log_line(b->request->log, 1, "step '%s': %s", name,
			 strchr(step, '\n') ? strchr(step, '\n') + 1 : step);
	if (watch->begin)
		watch->begin(watch->user, step);
	rc = b->toolchain ? build_toolchain_run(b, &spec, &result, err) : proc_run(&spec, &result, err);
	if (rc < 0)
		return err_wrap(err, "step '%s'", name);
	if (result.exit_status != 0) {
		err_set(err, ERR_SYS, "step %zu of %zu, '%s', %s", index + 1, b->plan.steps.count, name,
				proc_describe(&result, how));
		return hint_failed(b, &listener.lacks, err);
	}
	if (watch->done)
		watch->done(watch->user, step, clock_now(b->request->clock) - start);
	return 0;
}

static int run_all(struct build *b, bool is_configured, struct error *err)
{
	for (size_t i = 0; i < b->plan.prepare && !is_configured; i++)
		if (run_step(b, i, err) < 0)
			return -1;
	if (!is_configured && build_keep_configured(b, err) < 0)
		return -1;
	for (size_t i = b->plan.prepare; i < b->plan.steps.count; i++)
		if (run_step(b, i, err) < 0)
			return -1;
	return fs_mkdirs(b->plan.installed, 0755, err);
}

/* A found system: configured once, compiled as far as something changed, installed anew. */
static int run_found(struct build *b, struct error *err)
{
	bool is_configured = false;
	int rc;

	if (build_check_tools(b, err) < 0 || build_prepare_work(b, &is_configured, err) < 0)
		return -1;
	rc = run_all(b, is_configured, err);
	build_end_work(b);
	return rc;
}

int build_steps(struct build *b, struct error *err)
{
	if (b->plan.kind != BUILD_WRITTEN && build_open_work(b, err) < 0)
		return -1;
	if (b->request->no_steps || build_skip_steps(b))
		return 0;
	if (b->plan.kind != BUILD_WRITTEN)
		return run_found(b, err);
	for (size_t i = 0; i < b->plan.steps.count; i++)
		if (run_step(b, i, err) < 0)
			return -1;
	return 0;
}
