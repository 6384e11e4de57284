#include "tests/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TEST_SECONDS 60

static struct test *first;
static struct test **last = &first;
static const char *program;
static const char *volatile running = "";
static int failures;

void test_add(struct test *test)
{
	*last = test;
	last = &test->next;
}

const char *test_program(void)
{
	return program;
}

bool test_check(bool ok, const char *file, int line, const char *what)
{
	if (!ok) {
		failures++;
		printf("%s:%d: failed: %s\n", file, line, what);
	}
	return ok;
}

bool test_int(long long actual, long long expected, const char *file, int line, const char *what)
{
	if (actual != expected) {
		failures++;
		printf("%s:%d: %s is %lld, not %lld\n", file, line, what, actual, expected);
	}
	return actual == expected;
}

bool test_string(
	const char *actual, const char *expected, const char *file, int line, const char *what)
{
	bool ok = actual && strcmp(actual, expected) == 0;

	if (!ok) {
		failures++;
		printf("%s:%d: %s is '%s', not '%s'\n", file, line, what, actual ? actual : "(null)",
			expected);
	}
	return ok;
}

bool test_contains(
	const char *actual, const char *part, const char *file, int line, const char *what)
{
	bool ok = actual && strstr(actual, part);

	if (!ok) {
		failures++;
		printf("%s:%d: %s has no '%s': %s\n", file, line, what, part, actual ? actual : "(null)");
	}
	return ok;
}

static void on_alarm(int number)
{
	static const char end[] = ": took too long\n";

	(void)number;
	if (write(STDOUT_FILENO, running, strlen(running)) < 0 ||
		write(STDOUT_FILENO, end, sizeof(end) - 1) < 0)
		_exit(2);
	_exit(1);
}

int main(int argc, char **argv)
{
	const char *only = getenv("TEST_ONLY");
	int count = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, on_alarm);
	program = argc > 1 ? argv[1] : NULL;
	for (struct test *test = first; test; test = test->next) {
		int before = failures;

		if (only && !strstr(test->name, only))
			continue;
		running = test->name;
		alarm(TEST_SECONDS);
		test->run();
		count++;
		if (failures > before) {
			failed++;
			printf("FAILED %s\n", test->name);
		}
	}
	printf("%d tests, %d failed\n", count, failed);
	return failed > 0 || count == 0;
}
