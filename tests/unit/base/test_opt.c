#include "base/opt.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

struct values {
	bool flag;
	bool other;
	int count;
	int number;
	const char *text;
	const char *choice;
	int64_t ms;
	struct opt_list list;
};

static const char *const colors[] = {"red", "green", NULL};

static const struct opt table[] = {
	OPT_FLAG('f', "flag", struct values, flag, "a flag"),
	OPT_FLAG('g', "good", struct values, other, "another"),
	OPT_COUNT('v', "verbose", struct values, count, "more"),
	OPT_INT('n', "number", struct values, number, "N", 1, 10, "a number"),
	OPT_STRING('t', "text", struct values, text, "TEXT", "text"),
	OPT_CHOICE(0, "color", struct values, choice, "red|green", colors, "colour"),
	OPT_MS(0, "wait", struct values, ms, "TIME", "time"),
	OPT_LIST('e', "env", struct values, list, "K=V", "list"),
	OPT_DONE,
};

static int parse(struct values *v, struct error *err, char **argv)
{
	struct opt_set set = {table, v};

	return opt_parse(&set, 1, argv, false, err);
}

#define S(text) ((char *)(uintptr_t)(text))

Test(opt, all_forms)
{
	struct values v = {0};
	struct error err = {0};
	char *argv[] = {S("cmd"),       S("one"),     S("-fgvv"),  S("--number=7"),
					S("-tabc"),     S("--color"), S("red"),    S("--wait"),
					S("1m30s"),     S("two"),     S("-e"),     S("A=1"),
					S("--env=B=2"), S("--"),      S("--flag"), NULL};

	cr_assert_eq(parse(&v, &err, argv), 3, "%s", err.msg);
	cr_expect_str_eq(argv[0], "one");
	cr_expect_str_eq(argv[1], "two");
	cr_expect_str_eq(argv[2], "--flag");
	cr_expect_null(argv[3]);
	cr_expect(v.flag && v.other);
	cr_expect_eq(v.count, 2);
	cr_expect_eq(v.number, 7);
	cr_expect_str_eq(v.text, "abc");
	cr_expect_str_eq(v.choice, "red");
	cr_expect_eq(v.ms, 90000);
	cr_expect_eq(v.list.count, 2);
	cr_expect_str_eq(v.list.items[1], "B=2");
}

Test(opt, errors_name_the_option_and_help)
{
	static const struct {
		const char *arg;
		const char *msg;
		const char *hint;
	} rows[] = {
		{"--flg", "unknown option '--flg'", "did you mean '--flag'?"},
		{"-x", "unknown option '-x'", "run the command with --help for its options"},
		{"--flag=1", "option '--flag' takes no value", ""},
		{"--text", "option '--text' needs a value", "write --text TEXT"},
		{"--number=11", "option '--number' does not take '11'", "give a number from 1 to 10"},
		{"--number=", "option '--number' does not take ''", "give a number from 1 to 10"},
		{"--number=99999999999999999999", "option '--number' does not take '99999999999999999999'",
		 "give a number from 1 to 10"},
		{"--color=grn", "option '--color' does not take 'grn'", "did you mean 'green'?"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct values v = {0};
		struct error err = {0};

		cr_expect_eq(parse(&v, &err, (char *[]){S("cmd"), S(rows[i].arg), NULL}), -1);
		cr_expect_eq(err.code, ERR_USAGE);
		cr_expect_str_eq(err.msg, rows[i].msg);
		cr_expect_str_eq(err.hint, rows[i].hint);
	}
}

Test(opt, a_dash_is_an_operand)
{
	struct values v = {0};
	struct error err = {0};
	char *argv[] = {S("cmd"), S("-"), NULL};

	cr_assert_eq(parse(&v, &err, argv), 1);
	cr_expect_str_eq(argv[0], "-");
}

Test(opt, stops_at_the_first_operand_when_asked)
{
	struct values v = {0};
	struct error err = {0};
	struct opt_set set = {table, &v};
	char *argv[] = {S("run"), S("-f"), S("image"), S("-g"), S("--text"), NULL};

	cr_assert_eq(opt_parse(&set, 1, argv, true, &err), 3);
	cr_expect(v.flag);
	cr_expect(!v.other);
	cr_expect_str_eq(argv[1], "-g");
}

Test(opt, a_list_has_a_cap)
{
	struct values v = {0};
	struct error err = {0};
	char *argv[OPT_LIST_MAX + 3] = {S("cmd")};

	for (size_t i = 1; i <= OPT_LIST_MAX + 1; i++)
		argv[i] = S("-eA=1");
	cr_assert_eq(parse(&v, &err, argv), -1);
	cr_expect_eq(err.code, ERR_USAGE);
}
