#include "base/child.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static void start(struct child *c, const char *script)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	struct error err = {0};

	cr_assert_eq(child_start(argv, c, &err), 0, "%s", err.msg);
	cr_assert_gt(c->pid, 0);
}

static int wait_for(struct child *c)
{
	struct pollfd fd = {c->fd, POLLIN, 0};
	int status = -1;

	cr_assert_eq(poll(&fd, 1, 10000), 1);
	cr_assert(child_has_ended(c, &status));
	cr_expect_eq(c->pid, 0);
	return status;
}

Test(child, tells_how_it_ended)
{
	struct child c = {0};
	int status = 5;

	start(&c, "exit 3");
	cr_expect_eq(wait_for(&c), 3);
	start(&c, "kill -9 $$");
	cr_expect_eq(wait_for(&c), 128 + SIGKILL);
	cr_expect(!child_has_ended(&c, &status));
	cr_expect_eq(status, 5);
	cr_expect_eq(child_stop(&c, 10), 0);
}

Test(child, has_no_input_and_a_group_of_its_own)
{
	struct child c = {0};

	start(&c, "read x && exit 1; exit 0");
	cr_expect_eq(wait_for(&c), 0);
	start(&c, "sleep 100");
	cr_expect_eq(getpgid(c.pid), c.pid);
	cr_expect_eq(child_stop(&c, 10000), 128 + SIGTERM);
}

Test(child, is_stopped_whatever_it_does)
{
	struct child c = {0};
	int ready[2];
	char byte;

	/* its output is ours: it says when it is ready */
	cr_assert_eq(pipe(ready), 0);
	cr_assert_geq(dup2(ready[1], STDOUT_FILENO), 0);
	start(&c, "trap 'exit 7' TERM; echo; while :; do sleep 0.01; done");
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	cr_expect_eq(child_stop(&c, 10000), 7);
	start(&c, "trap '' TERM; echo; while :; do sleep 0.01; done");
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	cr_expect_eq(child_stop(&c, 10), 128 + SIGKILL);
	cr_expect_eq(c.pid, 0);
}

Test(child, says_what_cannot_be_run)
{
	const char *const argv[] = {"/nonexistent/program", NULL};
	struct child c = {0};
	struct error err = {0};

	cr_expect_eq(child_start(argv, &c, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING, "%s", err.msg);
	cr_expect_eq(c.pid, 0);
}
