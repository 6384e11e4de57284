/* A process that does nothing but wait for the end of ours: a container would outlive us if we were
 * killed, for its first process takes no signal that it does not ask for. */
#include "runtime/private.h"

#include "base/fs.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define TRIES 200
#define TRY_MS 10

/* Keep nothing that anybody may wait for, and hear nothing that a terminal says. */
static void detach(int fd)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		signal(ignored[i], SIG_IGN);
	for (int std = 0; null >= 0 && std <= STDERR_FILENO; std++)
		dup2(null, std);
	dup2(fd, STDERR_FILENO + 1);
	syscall(SYS_close_range, STDERR_FILENO + 2, ~0U, 0);
}

static void end_container(const struct runtime_bundle *b)
{
	AUTO_FREE char *state = fs_join(b->state, b->id);
	struct error ignored;
	pid_t pid = -1;

	/* it may be about to start */
	for (int i = 0; i < TRIES && (pid = bundle_container_pid(b)) < 0 && fs_exists(b->dir); i++)
		poll(NULL, 0, TRY_MS);
	if (pid > 0)
		kill(pid, SIGKILL);
	/* the runtime sees it and tidies up */
	for (int i = 0; i < TRIES && fs_exists(state); i++)
		poll(NULL, 0, TRY_MS);
	bundle_delete_container(b);
	fs_remove_tree(b->dir, &ignored);
}

static NORETURN void watch(const struct runtime_bundle *b, int fd)
{
	char byte;
	ssize_t n;

	detach(fd);
	do
		n = read(STDERR_FILENO + 1, &byte, 1);
	while (n < 0 && errno == EINTR);
	/* nothing was said, and nobody is left to say it */
	if (n == 0)
		end_container(b);
	_exit(0);
}

int bundle_guard(const struct runtime_bundle *b, struct guard *out, struct error *err)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, "cannot create a pipe");
	pid = fork();
	if (pid == 0)
		watch(b, ends[0]);
	close(ends[0]);
	if (pid < 0) {
		err_errno(err, "cannot create a process");
		close(ends[1]);
		return -1;
	}
	*out = (struct guard){.fd = ends[1], .pid = pid};
	return 0;
}

void guard_release(struct guard *g)
{
	if (g->pid <= 0)
		return;
	if (write(g->fd, "", 1) != 1)
		kill(g->pid, SIGKILL);
	close(g->fd);
	while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
