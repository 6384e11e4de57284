/* opt.h - option tables. One row gives parsing, --help, the manual's OPTIONS and completion.
 *
 * A command keeps its options in a plain struct; a row names the member by offset. Strings are
 * borrowed from argv. Accepted: -x, -xVALUE, -x VALUE, -abc (flags), --name, --name=VALUE,
 * --name VALUE, operands between options, "--" ends options, "-" is an operand. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum opt_type {
	OPT_END = 0,
	OPT_TYPE_FLAG,   /* bool; with choices, --name=CHOICE says the same as --name */
	OPT_TYPE_COUNT,  /* int, raised by each use (-vv) */
	OPT_TYPE_STRING, /* const char * */
	OPT_TYPE_INT,    /* int, within [min, max] */
	OPT_TYPE_MS,     /* int64_t milliseconds, written as a duration: 30s, 5m */
	OPT_TYPE_LIST,   /* struct opt_list: may be given again */
	OPT_TYPE_CHOICE, /* const char *, one of choices */
};

#define OPT_LIST_MAX 64

struct opt_list {
	const char *items[OPT_LIST_MAX];
	size_t count;
};

struct opt {
	enum opt_type type;
	char short_name; /* 0: none */
	const char *name;
	size_t offset;
	const char *argument;       /* placeholder in help: "OS/ARCH"; NULL for flags */
	const char *help;           /* lower case, no full stop */
	int min, max;               /* OPT_TYPE_INT */
	const char *const *choices; /* ends with NULL */
	const char *complete;       /* what completion offers: "file", "dir", "image", "context" ... */
};

#define OPT_FLAG(c, n, type, member, h)                                        \
	{                                                                          \
		OPT_TYPE_FLAG, c, n, offsetof(type, member), NULL, h, 0, 0, NULL, NULL \
	}
#define OPT_COUNT(c, n, type, member, h)                                        \
	{                                                                           \
		OPT_TYPE_COUNT, c, n, offsetof(type, member), NULL, h, 0, 0, NULL, NULL \
	}
#define OPT_STRING(c, n, type, member, a, h)                                  \
	{                                                                         \
		OPT_TYPE_STRING, c, n, offsetof(type, member), a, h, 0, 0, NULL, NULL \
	}
#define OPT_PATH(c, n, type, member, a, h, what)                              \
	{                                                                         \
		OPT_TYPE_STRING, c, n, offsetof(type, member), a, h, 0, 0, NULL, what \
	}
#define OPT_INT(c, n, type, member, a, lo, hi, h)                            \
	{                                                                        \
		OPT_TYPE_INT, c, n, offsetof(type, member), a, h, lo, hi, NULL, NULL \
	}
#define OPT_MS(c, n, type, member, a, h)                                  \
	{                                                                     \
		OPT_TYPE_MS, c, n, offsetof(type, member), a, h, 0, 0, NULL, NULL \
	}
#define OPT_LIST(c, n, type, member, a, h)                                  \
	{                                                                       \
		OPT_TYPE_LIST, c, n, offsetof(type, member), a, h, 0, 0, NULL, NULL \
	}
#define OPT_CHOICE(c, n, type, member, a, list, h)                            \
	{                                                                         \
		OPT_TYPE_CHOICE, c, n, offsetof(type, member), a, h, 0, 0, list, NULL \
	}
#define OPT_DONE                                          \
	{                                                     \
		OPT_END, 0, NULL, 0, NULL, NULL, 0, 0, NULL, NULL \
	}

/* A table with the struct that it fills. */
struct opt_set {
	const struct opt *opts;
	void *values;
};

/* Parse argv[1..] against all sets (count of them; earlier sets win on equal names); operands move
 * to argv[0..n) and argv[n] becomes NULL. stop_at_operand: everything from the first operand on is
 * an operand. Returns the number of operands, or -1 with ERR_USAGE: unknown option (with the
 * nearest name), missing or unexpected value, number out of range, value not among the choices. */
int opt_parse(const struct opt_set *sets, size_t count, char **argv, bool stop_at_operand,
			  struct error *err);

/* The row of a name (without dashes) or, with name NULL, of a letter; NULL if there is none. */
const struct opt *opt_find(const struct opt *opts, const char *name, char short_name);
