#include "runtime/private.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"
#include "doc/json.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define MAX_LOG_BYTES (1u << 20)

static const char *const runtime_env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};

/* Options of the runtime itself, before its subcommand. */
static void add_globals(const struct runtime_bundle *b, struct strv *argv)
{
	strv_add(argv, b->runtime);
	strv_add(argv, "--root");
	strv_add(argv, b->state);
	strv_add(argv, "--log");
	strv_add(argv, b->log_path);
	strv_add(argv, "--log-format");
	strv_add(argv, "json");
	if (b->is_crun)
		strv_add(argv, "--cgroup-manager=disabled");
}

/* Runs in the child; never returns. */
static NORETURN void child(const struct strv *argv, const sigset_t *mask)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char *env[ARRAY_LEN(runtime_env)];

	memcpy(env, runtime_env, sizeof(env)); /* execve's type lacks a const for history's sake */
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

static pid_t container_pid(const struct runtime_bundle *b)
{
	AUTO(buf) struct buf text = {0};
	struct error ignored;
	int64_t pid;

	if (fs_read(b->pid_path, 64, &text, &ignored) < 0 ||
		!text_to_int(buf_str(&text), 2, INT32_MAX, &pid))
		return -1;
	return (pid_t)pid;
}

/* The first signal is passed on by the runtime; a second request to end needs no answer. */
static void pass_on(const struct runtime_bundle *b, pid_t runtime, int signo, int *requests)
{
	bool ends = signo == SIGINT || signo == SIGTERM;

	if (ends && ++*requests > 1) {
		pid_t container = container_pid(b);

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

/* Whatever is left of it, if the runtime did not get to tidy up. */
static void delete_container(const struct runtime_bundle *b)
{
	AUTO_FREE char *state = fs_join(b->state, b->id);
	AUTO(strv) struct strv argv = {0};
	AUTO(proc_result) struct proc_result result = {0};
	struct proc_spec spec = {.env = runtime_env,
							 .clean_env = true,
							 .in = PROC_NULL,
							 .out = PROC_NULL,
							 .err_out = PROC_NULL,
							 .timeout_ms = 10000};
	struct error ignored;

	if (!fs_exists(state))
		return;
	add_globals(b, &argv);
	strv_add(&argv, "delete");
	strv_add(&argv, "--force");
	strv_add(&argv, b->id);
	spec.argv = (const char *const *)argv.items;
	proc_run(&spec, &result, &ignored);
}

/* The last thing that the runtime wrote into its log: one JSON object a line. */
static void last_message(const struct runtime_bundle *b, struct buf *out)
{
	AUTO(buf) struct buf text = {0};
	struct error ignored;
	char *line;

	if (fs_read(b->log_path, MAX_LOG_BYTES, &text, &ignored) < 0 || text.len == 0)
		return;
	for (line = text.data; line && *line;) {
		AUTO_JSON json_t *entry = NULL;
		char *end = strchrnul(line, '\n');

		if (doc_json_parse((struct span){line, (size_t)(end - line)}, "log", &entry, &ignored) ==
				0 &&
			doc_text(entry, "msg", NULL)) {
			buf_cut(out, 0);
			buf_adds(out, doc_text(entry, "msg", ""));
		}
		line = *end ? end + 1 : NULL;
	}
}

int runtime_start(struct runtime_bundle *b, int *exit_status, struct error *err)
{
	AUTO(strv) struct strv argv = {0};
	AUTO(buf) struct buf message = {0};
	int status = 0, rc;

	add_globals(b, &argv);
	strv_add(&argv, "run");
	strv_add(&argv, "--bundle");
	strv_add(&argv, b->dir);
	strv_add(&argv, "--pid-file");
	strv_add(&argv, b->pid_path);
	strv_add(&argv, b->id);
	rc = run_runtime(b, &argv, &status, err);
	delete_container(b);
	if (rc < 0)
		return -1;
	/* the pid file appears once the container's program is about to start */
	if (status == 0 || fs_exists(b->pid_path)) {
		*exit_status = status;
		return 0;
	}
	last_message(b, &message);
	err_set(err, ERR_SYS, "%s cannot start the container (status %d): %s", b->runtime, status,
			message.len ? buf_str(&message) : "it does not say why");
	return err_hint(err, "run 'msctl doctor' to see what this machine permits");
}
