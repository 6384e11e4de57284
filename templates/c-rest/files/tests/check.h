/* check.h - the whole test framework.
 *
 *     TEST(adds_numbers)
 *     {
 *         CHECK_INT(1 + 1, 2);
 *     }
 *
 * A failed check is printed and counted, and the test goes on; REQUIRE leaves the test. Every test
 * of a program is run, or those whose name contains the word in TEST_ONLY. A test that hangs ends
 * the run. */
#pragma once

#include <stdbool.h>
#include <string.h>

struct test {
	struct test *next;
	const char *name;
	void (*run)(void);
};

#define TEST(id) \
	static void id(void); \
	__attribute__((constructor)) static void add_##id(void) \
	{ \
		static struct test test = {.name = #id, .run = id}; \
		test_add(&test); \
	} \
	static void id(void)

#define CHECK(condition) test_check((condition), __FILE__, __LINE__, #condition)
#define CHECK_INT(actual, expected) test_int((actual), (expected), __FILE__, __LINE__, #actual)
#define CHECK_STRING(actual, expected) \
	test_string((actual), (expected), __FILE__, __LINE__, #actual)
#define CHECK_CONTAINS(actual, part) test_contains((actual), (part), __FILE__, __LINE__, #actual)
#define REQUIRE(condition) \
	do { \
		if (!CHECK(condition)) \
			return; \
	} while (0)

void test_add(struct test *test);
bool test_check(bool ok, const char *file, int line, const char *what);
bool test_int(long long actual, long long expected, const char *file, int line, const char *what);
bool test_string(
	const char *actual, const char *expected, const char *file, int line, const char *what);
bool test_contains(
	const char *actual, const char *part, const char *file, int line, const char *what);

/* The command line's operand: the program under test. */
const char *test_program(void);
