#include "base/auto.h"
#include "base/clock.h"
#include "base/proc.h"
#include "base/strv.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

static int run(struct proc_spec *spec, struct proc_result *result, const char *script)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	struct error err = {0};
	int rc;

	spec->argv = argv;
	rc = proc_run(spec, result, &err);
	spec->argv = NULL;
	return rc;
}

Test(proc, collects_both_streams_and_the_status)
{
	AUTO(proc_result) struct proc_result r = {0};
	struct proc_spec spec = {.out = PROC_BUFFER, .err_out = PROC_BUFFER, .in = PROC_NULL};

	cr_assert_eq(run(&spec, &r, "echo out; echo err >&2; exit 7"), 0);
	cr_expect_eq(r.exit_status, 7);
	cr_expect_str_eq(buf_str(&r.out), "out\n");
	cr_expect_str_eq(buf_str(&r.err_out), "err\n");
}

Test(proc, feeds_more_than_a_pipe_holds)
{
	AUTO(proc_result) struct proc_result r = {0};
	AUTO_FREE char *big = calloc(1, 300001);
	struct proc_spec spec = {.in = PROC_BUFFER, .out = PROC_BUFFER};

	memset(big, 'x', 300000);
	spec.input = span_of(big);
	cr_assert_eq(run(&spec, &r, "cat"), 0);
	cr_expect_eq(r.out.len, 300000);
}

Test(proc, drops_output_beyond_the_cap)
{
	AUTO(proc_result) struct proc_result r = {0};
	struct proc_spec spec = {.out = PROC_BUFFER, .max_output = 1000};

	cr_assert_eq(run(&spec, &r, "head -c 100000 /dev/zero"), 0);
	cr_expect_eq(r.out.len, 1000);
	cr_expect_eq(r.exit_status, 0, "the child is not blocked");
}

static void note_line(void *user, bool is_stderr, const char *line)
{
	struct strv *seen = user;

	strv_addf(seen, "%s%s", is_stderr ? "!" : "", line);
}

Test(proc, hands_lines_over)
{
	AUTO(proc_result) struct proc_result r = {0};
	AUTO(strv) struct strv seen = {0};
	struct proc_spec spec = {
		.out = PROC_LINES, .err_out = PROC_LINES, .line = note_line, .user = &seen};

	cr_assert_eq(run(&spec, &r, "printf 'a\\nb'; printf 'c\\n' >&2"), 0);
	cr_expect_eq(seen.count, 3);
	cr_expect(strv_has(&seen, "a"));
	cr_expect(strv_has(&seen, "b"));
	cr_expect(strv_has(&seen, "!c"));
}

Test(proc, a_missing_program_is_missing)
{
	AUTO(proc_result) struct proc_result r = {0};
	struct error err = {0};
	const char *const argv[] = {"no-such-program-here", NULL};
	struct proc_spec spec = {.argv = argv};

	cr_expect_eq(proc_run(&spec, &r, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
}

Test(proc, a_bad_folder_is_an_error_of_the_start)
{
	AUTO(proc_result) struct proc_result r = {0};
	struct proc_spec spec = {.cwd = "/nonexistent"};

	cr_expect_eq(run(&spec, &r, "true"), -1);
}

Test(proc, ends_what_takes_too_long)
{
	AUTO(proc_result) struct proc_result r = {0};
	struct proc_spec spec = {.timeout_ms = 50, .own_group = true};
	int64_t start = clock_now(&clock_system);
	char text[64];

	cr_assert_eq(run(&spec, &r, "sleep 30"), 0);
	cr_expect(r.timed_out);
	cr_expect_str_eq(proc_describe(&r, text), "took too long and was ended");
	cr_expect_lt(clock_now(&clock_system) - start, 10000);
}

Test(proc, nobody_of_the_group_is_left_behind)
{
	AUTO(proc_result) struct proc_result r = {0};
	struct proc_spec spec = {.timeout_ms = 200, .own_group = true, .out = PROC_BUFFER};
	int64_t start = clock_now(&clock_system);
	pid_t stubborn;

	/* the leader goes at SIGTERM, its child does not hear it */
	cr_assert_eq(run(&spec, &r, "(trap '' TERM; exec sleep 30 >/dev/null) & echo $!; wait"), 0);
	cr_expect(r.timed_out);
	cr_expect_lt(clock_now(&clock_system) - start, 10000);
	stubborn = (pid_t)strtol(buf_str(&r.out), NULL, 10);
	cr_assert_gt(stubborn, 1);
	cr_expect_eq(kill(stubborn, 0), -1);
}

Test(proc, a_grandchild_that_writes_for_ever_is_left_behind)
{
	AUTO(proc_result) struct proc_result r = {0};
	struct proc_spec spec = {.out = PROC_BUFFER, .max_output = 100};
	int64_t start = clock_now(&clock_system);

	/* it ends by SIGPIPE once nobody reads; the limit is for the code that would read for ever */
	cr_assert_eq(run(&spec, &r, "echo first; timeout 20 yes & exit 3"), 0);
	cr_expect_eq(r.exit_status, 3);
	cr_expect_lt(clock_now(&clock_system) - start, 10000);
}

Test(proc, nothing_starts_after_a_cancel)
{
	AUTO(proc_result) struct proc_result r = {0};
	struct cancel cancel = {.signo = 0, .fd = eventfd(0, EFD_CLOEXEC)};
	struct error err = {0};
	const char *const argv[] = {"sh", "-c", "echo started; sleep 30", NULL};
	struct proc_spec spec = {.argv = argv, .cancel = &cancel, .own_group = true};
	uint64_t one = 1;

	cancel.signo = SIGTERM;
	cr_assert_eq(write(cancel.fd, &one, sizeof(one)), (ssize_t)sizeof(one));
	cr_expect_eq(proc_run(&spec, &r, &err), -1);
	cr_expect_eq(err.code, ERR_INTERRUPTED);
	close(cancel.fd);
}

Test(proc, environment)
{
	AUTO(proc_result) struct proc_result r = {0};
	const char *const env[] = {"MSCTL_T1=one", NULL};
	const char *const unset[] = {"MSCTL_T2", NULL};
	struct proc_spec spec = {.out = PROC_BUFFER, .env = env, .unset = unset};

	setenv("MSCTL_T1", "old", 1);
	setenv("MSCTL_T2", "gone", 1);
	cr_assert_eq(run(&spec, &r, "echo $MSCTL_T1 $MSCTL_T2"), 0);
	cr_expect_str_eq(buf_str(&r.out), "one\n");
}

Test(proc, no_descriptor_leaks)
{
	AUTO(proc_result) struct proc_result r = {0};
	struct proc_spec spec = {.out = PROC_BUFFER};
	int leaky = dup(0);

	cr_assert_eq(run(&spec, &r, "ls /proc/self/fd | wc -l"), 0);
	cr_expect_leq(strtol(buf_str(&r.out), NULL, 10), 4);
	close(leaky);
}
