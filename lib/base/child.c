#include "base/child.h"

#include "base/compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs in the child; never returns. */
static NORETURN void become(const char *const *argv, int failure, pid_t parent)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char *const *words;
	sigset_t none;

	memcpy(&words, &argv, sizeof(words)); /* execve's type lacks a const for history's sake */
	sigemptyset(&none);
	for (int s = 1; s < NSIG; s++)
		if (s != SIGKILL && s != SIGSTOP)
			signal(s, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* who died before that sends nothing */
	if (getppid() == parent && null >= 0 && dup2(null, STDIN_FILENO) >= 0) {
		syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
		execve(argv[0], words, environ);
	}
	if (write(failure, &errno, sizeof(errno)) < 0)
		_exit(126);
	_exit(127);
}

/* errno of an exec that failed, or 0. */
static int wait_for_exec(int fd)
{
	int code = 0;
	ssize_t n;

	do
		n = read(fd, &code, sizeof(code));
	while (n < 0 && errno == EINTR);
	return n == sizeof(code) ? code : 0;
}

int child_start(const char *const *argv, struct child *out, struct error *err)
{
	int ends[2] = {-1, -1};
	pid_t parent = getpid();
	pid_t pid;
	int code, fd;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, "cannot create a pipe");
	pid = fork();
	if (pid == 0)
		become(argv, ends[1], parent);
	close(ends[1]);
	code = pid < 0 ? errno : wait_for_exec(ends[0]);
	close(ends[0]);
	fd = pid < 0 || code ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd >= 0) {
		*out = (struct child){pid, fd};
		return 0;
	}
	errno = code ? code : errno;
	err_errno(err, "cannot run %s", argv[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return -1;
}

bool child_has_ended(struct child *c, int *status)
{
	int how;

	if (c->pid == 0 || waitpid(c->pid, &how, WNOHANG) != c->pid)
		return false;
	close(c->fd);
	*c = (struct child){0};
	*status = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
	return true;
}

/* Whatever interrupts the wait makes it longer, never shorter: it is bounded by what follows. */
static bool wait_for(const struct child *c, int64_t ms)
{
	struct pollfd fd = {c->fd, POLLIN, 0};
	int n;

	do
		n = poll(&fd, 1, (int)ms);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

int child_stop(struct child *c, int64_t grace_ms)
{
	int status = 0;

	if (c->pid == 0)
		return 0;
	for (int i = 0; i < 2; i++) {
		kill(c->pid, SIGTERM);
		if (wait_for(c, grace_ms))
			break;
	}
	/* the whole group, should the leader have left somebody behind */
	kill(-c->pid, SIGKILL);
	wait_for(c, -1);
	child_has_ended(c, &status);
	return status;
}
