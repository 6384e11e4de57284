#include "tests/http/service.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/check.h"

#define READ_TIMEOUT_MS 20000

static _Noreturn void run_child(int out, const char *argument, const char *const *environment)
{
	dup2(out, STDOUT_FILENO);
	if (argument) /* of the service itself, the reports of a sanitizer stay visible */
		dup2(out, STDERR_FILENO);
	setenv("PORT", "0", 1);
	setenv("MANAGEMENT_PORT", "0", 1);
	setenv("LISTEN_ADDRESS", "127.0.0.1", 1);
	for (; environment && *environment; environment++)
		putenv((char *)*environment);
	execl(test_program(), test_program(), argument, (char *)NULL);
	_exit(127);
}

struct process process_run(const char *argument, const char *const *environment)
{
	struct process process = {0};
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0 || (process.pid = fork()) < 0) {
		perror("cannot start the program");
		exit(1);
	}
	if (process.pid == 0)
		run_child(ends[1], argument, environment);
	close(ends[1]);
	process.out = ends[0];
	return process;
}

bool process_wait_log(struct process *process, size_t from, const char *part)
{
	struct pollfd ready = {.fd = process->out, .events = POLLIN};
	char bytes[4096];

	while (process->log.size < from || !strstr(text_string(&process->log) + from, part)) {
		ssize_t n =
			poll(&ready, 1, READ_TIMEOUT_MS) > 0 ? read(process->out, bytes, sizeof(bytes)) : 0;

		if (n <= 0)
			return false;
		text_add(&process->log, bytes, (size_t)n);
	}
	return true;
}

static int find_number(const char *line, const char *key)
{
	const char *found = strstr(line, key);

	return found ? atoi(found + strlen(key)) : 0;
}

struct process process_serve(const char *const *environment)
{
	struct process process = process_run(NULL, environment);
	const char *line;

	if (!CHECK(process_wait_log(&process, 0, "\"msg\":\"listening\"")) ||
		!CHECK(process_wait_log(&process, 0, "management_port\":")))
		return process;
	line = strstr(process.log.data, "\"msg\":\"listening\"");
	process.port = find_number(line, "\"port\":");
	process.management_port = find_number(line, "\"management_port\":");
	return process;
}

void process_signal(const struct process *process, int number)
{
	kill(process->pid, number);
}

int process_wait(struct process *process)
{
	int status = 0;

	process_wait_log(process, process->log.size, "\n\n\n"); /* never comes: reads to the end */
	waitpid(process->pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int process_stop(struct process *process)
{
	int status;

	process_signal(process, SIGTERM);
	status = process_wait(process);
	process_release(process);
	return status;
}

void process_release(struct process *process)
{
	close(process->out);
	text_release(&process->log);
}
