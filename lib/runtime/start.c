#include "runtime/private.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Runs in the child; never returns. */
static NORETURN void child(const struct strv *argv, const sigset_t *mask)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char *const *env;

	memcpy(&env, &(const char *const *){bundle_runtime_env},
		   sizeof(env)); /* execve's type lacks a const for history's sake */
	/* if we are killed the container is asked to end; Ctrl-C reaches it through us, once */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setpgid(0, 0);
	/* a group in the background that reads the terminal would be stopped for ever */
	if (isatty(STDIN_FILENO) && null >= 0)
		dup2(null, STDIN_FILENO);
	for (int s = 1; s < NSIG; s++)
		if (s != SIGKILL && s != SIGSTOP)
			signal(s, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
	execve(argv->items[0], argv->items, env);
	_exit(127);
}

/* The first signal is passed on by the runtime; a second request to end needs no answer. */
static void pass_on(const struct runtime_bundle *b, pid_t runtime, int signo, int *requests)
{
	bool ends = signo == SIGINT || signo == SIGTERM;

	if (ends && ++*requests > 1) {
		pid_t container = bundle_container_pid(b);

		if (container > 0)
			kill(container, SIGKILL);
		else
			kill(-runtime, SIGKILL);
		return;
	}
	kill(runtime, signo);
}

/* Serve signals until the runtime has ended. */
static int attend(const struct runtime_bundle *b, pid_t runtime, int signals)
{
	bool has_terminal = isatty(STDIN_FILENO);
	int requests = 0, status = 0;

	while (waitpid(runtime, &status, WNOHANG) != runtime) {
		struct pollfd fd = {signals, POLLIN, 0};
		struct signalfd_siginfo info;

		if (poll(&fd, 1, -1) < 0 || read(signals, &info, sizeof(info)) != sizeof(info))
			continue;
		/* a terminal that goes away ends what runs in it; services often take SIGHUP for something
		 * else */
		if (info.ssi_signo == SIGHUP && has_terminal)
			info.ssi_signo = SIGTERM;
		if (info.ssi_signo != SIGCHLD)
			pass_on(b, runtime, (int)info.ssi_signo, &requests);
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_runtime(const struct runtime_bundle *b, const struct strv *argv, int *status,
					   struct error *err)
{
	AUTO_CLOSE int signals = -1;
	sigset_t watched, old;
	pid_t pid;

	sigemptyset(&watched);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGHUP);
	sigaddset(&watched, SIGQUIT);
	sigaddset(&watched, SIGCHLD);
	/* blocked, they wait in the descriptor instead of interrupting what cleans up */
	sigprocmask(SIG_BLOCK, &watched, &old);
	signals = signalfd(-1, &watched, SFD_CLOEXEC);
	pid = signals < 0 ? -1 : fork();
	if (pid == 0)
		child(argv, &old);
	if (pid < 0)
		err_errno(err, "cannot start %s", b->runtime);
	else
		*status = attend(b, pid, signals);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid < 0 ? -1 : 0;
}

int runtime_start(struct runtime_bundle *b, int *exit_status, struct error *err)
{
	AUTO(strv) struct strv argv = {0};
	int status = 0, rc;

	bundle_run_argv(b, &argv);
	rc = run_runtime(b, &argv, &status, err);
	bundle_delete_container(b);
	if (rc < 0 || bundle_check_started(b, status, err) < 0)
		return -1;
	*exit_status = status;
	return 0;
}
