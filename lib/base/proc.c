#include "base/proc.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/strv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define DEFAULT_MAX_OUTPUT (1024 * 1024)
#define KILL_AFTER_MS 2000
#define GRACE_MS 200 /* for grandchildren that keep the pipes open */
#define GROUP_POLL_MS 10

void proc_result_release(struct proc_result *r)
{
	buf_release(&r->out);
	buf_release(&r->err_out);
}

char *proc_find(const char *name)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/'))
		return access(name, X_OK) == 0 ? xstrdup(name) : NULL;
	if (!path)
		path = "/usr/local/bin:/usr/bin:/bin";
	while (*path) {
		size_t len = strcspn(path, ":");

		if (len > 0 && path[0] == '/') {
			char *full = xasprintf("%.*s/%s", (int)len, path, name);

			if (access(full, X_OK) == 0)
				return full;
			free(full);
		}
		path += len + (path[len] == ':');
	}
	return NULL;
}

const char *proc_describe(const struct proc_result *r, char out[64])
{
	if (r->timed_out)
		snprintf(out, 64, "took too long and was ended");
	else if (r->signo)
		snprintf(out, 64, "was ended by SIG%s", sigabbrev_np(r->signo));
	else
		snprintf(out, 64, "exited with status %d", r->exit_status);
	return out;
}

static bool names_variable(const char *const *list, const char *entry)
{
	size_t len = strcspn(entry, "=");

	for (; list && *list; list++)
		if (strncmp(*list, entry, len) == 0 && ((*list)[len] == '=' || !(*list)[len]))
			return true;
	return false;
}

static void build_env(const struct proc_spec *spec, struct strv *env)
{
	if (!spec->clean_env)
		for (char **e = environ; *e; e++)
			if (!names_variable(spec->env, *e) && !names_variable(spec->unset, *e))
				strv_add(env, *e);
	for (const char *const *e = spec->env; e && *e; e++)
		strv_add(env, *e);
	if (!env->items)
		env->items = xcalloc(1, sizeof(env->items[0]));
}

/* One pipe a stream: [0] is read, [1] written. -1: not a pipe. */
struct pipes {
	int in[2];
	int out[2];
	int err_out[2];
	int failure[2]; /* carries errno of a failed exec */
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void pipes_release(struct pipes *p)
{
	int(*all[])[2] = {&p->in, &p->out, &p->err_out, &p->failure};

	for (size_t i = 0; i < 4; i++) {
		close_fd(&(*all[i])[0]);
		close_fd(&(*all[i])[1]);
	}
}

static bool is_piped(enum proc_stream s)
{
	return s == PROC_BUFFER || s == PROC_LINES;
}

static int open_pipes(const struct proc_spec *spec, struct pipes *p, struct error *err)
{
	if ((is_piped(spec->in) && pipe2(p->in, O_CLOEXEC) < 0) ||
		(is_piped(spec->out) && pipe2(p->out, O_CLOEXEC) < 0) ||
		(is_piped(spec->err_out) && pipe2(p->err_out, O_CLOEXEC) < 0) ||
		pipe2(p->failure, O_CLOEXEC) < 0)
		return err_errno(err, "cannot create a pipe");
	return 0;
}

static int connect_stream(enum proc_stream how, int pipe_end, int target)
{
	int fd = pipe_end;

	if (how == PROC_INHERIT)
		return 0;
	if (how == PROC_STDERR)
		fd = STDERR_FILENO;
	if (how == PROC_NULL)
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return fd < 0 || dup2(fd, target) < 0 ? -1 : 0;
}

/* Runs in the child; never returns. */
static NORETURN void child(const struct proc_spec *spec, const char *file, char **env,
						   const struct pipes *p)
{
	char *const *argv;
	sigset_t none;

	memcpy(&argv, &spec->argv, sizeof(argv)); /* execve's type lacks a const for history's sake */
	sigemptyset(&none);
	for (int s = 1; s < NSIG; s++)
		if (s != SIGKILL && s != SIGSTOP)
			signal(s, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (spec->own_group)
		setpgid(0, 0);
	if (connect_stream(spec->in, p->in[0], STDIN_FILENO) == 0 &&
		connect_stream(spec->err_out, p->err_out[1], STDERR_FILENO) == 0 &&
		connect_stream(spec->out, p->out[1], STDOUT_FILENO) == 0 &&
		(!spec->cwd || chdir(spec->cwd) == 0)) {
		/* what was opened without O_CLOEXEC by a library must not leak */
		syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
		execve(file, argv, env);
	}
	if (write(p->failure[1], &errno, sizeof(errno)) < 0)
		_exit(126);
	_exit(127);
}

struct running {
	const struct proc_spec *spec;
	struct proc_result *result;
	struct pipes pipes;
	pid_t pid;
	size_t fed;
	int64_t deadline; /* of the next signal; 0: none */
	bool terminated;
	int64_t owed;       /* bytes that were in the pipes when the child ended, not yet read */
	struct buf line[2]; /* unfinished line of stdout, stderr */
};

static void send_signal(const struct running *r, int signo)
{
	if (r->spec->send)
		r->spec->send(r->spec->send_user, r->pid, signo);
	else
		kill(r->spec->own_group ? -r->pid : r->pid, signo);
}

static void feed(struct running *r)
{
	ssize_t n = write(r->pipes.in[1], r->spec->input.data + r->fed, r->spec->input.len - r->fed);

	if (n > 0)
		r->fed += (size_t)n;
	if ((n < 0 && errno != EAGAIN && errno != EINTR) || r->fed == r->spec->input.len)
		close_fd(&r->pipes.in[1]);
}

static void add_lines(struct running *r, int which, const char *data, size_t len)
{
	struct buf *b = &r->line[which];
	const size_t max_line = 64 * 1024;

	for (size_t i = 0; i < len; i++) {
		if (data[i] != '\n') {
			buf_addc(b, data[i]);
			if (b->len < max_line)
				continue;
		}
		r->spec->line(r->spec->user, which == 1, buf_str(b));
		buf_cut(b, 0);
	}
}

static void collect(struct running *r, int which, int *fd)
{
	char chunk[16384];
	struct buf *to = which ? &r->result->err_out : &r->result->out;
	enum proc_stream how = which ? r->spec->err_out : r->spec->out;
	size_t max = r->spec->max_output ? r->spec->max_output : DEFAULT_MAX_OUTPUT;
	ssize_t n = read(*fd, chunk, sizeof(chunk));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close_fd(fd);
		if (how == PROC_LINES && r->line[which].len > 0)
			r->spec->line(r->spec->user, which == 1, buf_str(&r->line[which]));
		return;
	}
	r->owed -= n;
	if (how == PROC_LINES)
		add_lines(r, which, chunk, (size_t)n);
	else if (to->len < max)
		buf_add(to, chunk, (size_t)n < max - to->len ? (size_t)n : max - to->len);
}

static int time_left(const struct running *r)
{
	int64_t left = r->deadline - clock_now(&clock_system);

	if (r->deadline == 0)
		return -1;
	return left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

static void enforce_deadline(struct running *r)
{
	if (r->deadline == 0 || clock_now(&clock_system) < r->deadline)
		return;
	if (r->terminated) {
		send_signal(r, SIGKILL);
		r->deadline = 0;
		return;
	}
	r->result->timed_out = true;
	r->terminated = true;
	send_signal(r, SIGTERM);
	r->deadline = clock_now(&clock_system) + KILL_AFTER_MS;
}

static void pass_cancel_on(struct running *r)
{
	if (!cancel_requested(r->spec->cancel) || r->terminated)
		return;
	r->terminated = true;
	send_signal(r, r->spec->cancel->signo);
	r->deadline = clock_now(&clock_system) + KILL_AFTER_MS;
}

static int64_t unread(int fd)
{
	int bytes = 0;

	return fd >= 0 && ioctl(fd, FIONREAD, &bytes) == 0 ? bytes : 0;
}

/* Serve the pipes until the child has ended (seen by its pidfd) and they are drained. A grandchild
 * may keep them open and even go on writing: it gets a moment, and what the child itself had
 * written is read to its end. */
static void attend(struct running *r, int pidfd)
{
	bool ended = false;
	int64_t grace_ends = 0;

	while (!ended || r->pipes.out[0] >= 0 || r->pipes.err_out[0] >= 0) {
		bool watch_cancel = r->spec->cancel && !r->terminated;
		struct pollfd fds[] = {
			{r->pipes.in[1], POLLOUT, 0},
			{r->pipes.out[0], POLLIN, 0},
			{r->pipes.err_out[0], POLLIN, 0},
			{ended ? -1 : pidfd, POLLIN, 0},
			{watch_cancel ? r->spec->cancel->fd : -1, POLLIN, 0},
		};
		int n = poll(fds, ARRAY_LEN(fds), ended ? GRACE_MS : time_left(r));

		if (ended && (n == 0 || (r->owed <= 0 && clock_now(&clock_system) >= grace_ends)))
			break;
		if (fds[0].revents)
			feed(r);
		if (fds[1].revents)
			collect(r, 0, &r->pipes.out[0]);
		if (fds[2].revents)
			collect(r, 1, &r->pipes.err_out[0]);
		if (!ended && fds[3].revents) {
			ended = true;
			grace_ends = clock_now(&clock_system) + GRACE_MS;
			r->owed = unread(r->pipes.out[0]) + unread(r->pipes.err_out[0]);
		}
		pass_cancel_on(r);
		enforce_deadline(r);
	}
}

static int wait_for_exec(struct running *r, struct error *err)
{
	int code = 0;
	ssize_t n;

	close_fd(&r->pipes.in[0]);
	close_fd(&r->pipes.out[1]);
	close_fd(&r->pipes.err_out[1]);
	close_fd(&r->pipes.failure[1]);
	do
		n = read(r->pipes.failure[0], &code, sizeof(code));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(code))
		return 0;
	waitpid(r->pid, NULL, 0);
	errno = code;
	return err_errno(err, "cannot run %s", r->spec->argv[0]);
}

/* The leader has ended on our signal; who of its group has not, because it ignores the signal or
 * cleans up, gets as long as the leader had. The orphans are our children by then (see proc_run).
 */
static void end_group(const struct running *r)
{
	int64_t limit = clock_now(&clock_system) + KILL_AFTER_MS;
	bool killed = false;
	pid_t pid;

	while ((pid = waitpid(-r->pid, NULL, killed ? 0 : WNOHANG)) >= 0 || errno == EINTR) {
		if (pid != 0)
			continue;
		if (clock_now(&clock_system) >= limit) {
			send_signal(r, SIGKILL);
			killed = true;
		} else {
			poll(NULL, 0, GROUP_POLL_MS);
		}
	}
}

static int supervise(struct running *r, struct error *err)
{
	AUTO_CLOSE int pidfd = -1;
	int status = 0;

	if (wait_for_exec(r, err) < 0)
		return -1;
	pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	if (pidfd < 0) {
		err_errno(err, "cannot watch %s", r->spec->argv[0]);
		send_signal(r, SIGKILL);
		waitpid(r->pid, NULL, 0);
		return -1;
	}
	if (r->pipes.in[1] >= 0)
		fcntl(r->pipes.in[1], F_SETFL, O_NONBLOCK);
	if (r->spec->timeout_ms > 0)
		r->deadline = clock_now(&clock_system) + r->spec->timeout_ms;
	attend(r, pidfd);
	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r->spec->own_group && r->terminated)
		end_group(r);
	r->result->signo = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	r->result->exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return 0;
}

int proc_run(const struct proc_spec *spec, struct proc_result *result, struct error *err)
{
	AUTO(strv) struct strv env = {0};
	AUTO_FREE char *file = proc_find(spec->argv[0]);
	AUTO(proc_result) struct proc_result got = {0};
	struct running r = {.spec = spec, .result = &got};
	void (*old_pipe)(int);
	int rc = -1;

	if (!file) {
		err_set(err, ERR_MISSING, "cannot run %s: no such program", spec->argv[0]);
		return err_hint(err, "install it or add its folder to PATH");
	}
	if (cancel_check(spec->cancel, err) < 0)
		return -1;
	memset(&r.pipes, 0xff, sizeof(r.pipes));
	build_env(spec, &env);
	/* what outlives the leader of a group comes to us, so that end_group can end it and see it gone
	 */
	if (spec->own_group)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (open_pipes(spec, &r.pipes, err) == 0) {
		old_pipe = signal(SIGPIPE, SIG_IGN);
		r.pid = fork();
		if (r.pid == 0)
			child(spec, file, env.items, &r.pipes);
		rc = r.pid < 0 ? err_errno(err, "cannot start %s", spec->argv[0]) : supervise(&r, err);
		signal(SIGPIPE, old_pipe);
	}
	if (spec->own_group)
		prctl(PR_SET_CHILD_SUBREAPER, 0);
	pipes_release(&r.pipes);
	buf_release(&r.line[0]);
	buf_release(&r.line[1]);
	if (rc == 0 && cancel_requested(spec->cancel))
		rc = err_set(err, ERR_INTERRUPTED, "interrupted while running %s", spec->argv[0]);
	if (rc < 0)
		return -1;
	*result = MOVE(got);
	return 0;
}
