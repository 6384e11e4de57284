#include "build/private.h"

#include "base/mem.h"
#include "base/proc.h"
#include "build/skip.h"

static void hand_line(void *user, bool is_stderr, const char *line)
{
	const struct build_watch *w = user;

	(void)is_stderr;
	if (w->line)
		w->line(w->user, line);
}

static int run_step(struct build *b, size_t index, struct error *err)
{
	const char *step = b->plan.steps.items[index];
	AUTO_FREE char *script = xasprintf("umask 022\n%s", step);
	AUTO_FREE char *epoch = xasprintf("SOURCE_DATE_EPOCH=%lld", (long long)b->stamp->created);
	const char *const argv[] = {"sh", "-e", "-c", script, NULL};
	const char *const env[] = {epoch, "LC_ALL=C", "TZ=UTC", NULL};
	/* a make that runs msctl has nothing to say to a make that msctl runs */
	const char *const unset[] = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "LANGUAGE", NULL};
	struct build_watch watch = b->request->watch;
	struct proc_spec spec = {.argv = argv,
							 .env = env,
							 .unset = unset,
							 .cwd = b->project->dir,
							 .in = PROC_NULL,
							 .out = PROC_LINES,
							 .err_out = PROC_LINES,
							 .line = hand_line,
							 .user = &watch,
							 .cancel = b->request->cancel,
							 .own_group = true};
	AUTO(proc_result) struct proc_result result = {0};
	int64_t start = clock_now(b->request->clock);
	char how[64];

	if (watch.begin)
		watch.begin(watch.user, step);
	if (proc_run(&spec, &result, err) < 0)
		return err_wrap(err, "step '%s'", step);
	if (result.exit_status != 0) {
		err_set(err, ERR_SYS, "step %zu of %zu, '%s', %s", index + 1, b->plan.steps.count, step,
				proc_describe(&result, how));
		return err_hint(err, "see what it said above, or run it yourself in %s", b->project->dir);
	}
	if (watch.done)
		watch.done(watch.user, step, clock_now(b->request->clock) - start);
	return 0;
}

int build_steps(struct build *b, struct error *err)
{
	if (b->request->no_steps || build_skip_steps(b))
		return 0;
	for (size_t i = 0; i < b->plan.steps.count; i++)
		if (run_step(b, i, err) < 0)
			return -1;
	return 0;
}
