#include "base/error.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(error, set_fills_and_returns_minus_one)
{
	struct error err = {0};

	err_hint(&err, "old hint");
	cr_assert_eq(err_set(&err, ERR_INPUT, "%s is %d", "x", 3), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect_str_eq(err.msg, "x is 3");
	cr_expect_str_eq(err.hint, "", "a new error has no old hint");
}

Test(error, wrap_puts_context_in_front)
{
	struct error err = {0};

	err_set(&err, ERR_NET, "refused");
	cr_assert_eq(err_wrap(&err, "push %s", "h/r"), -1);
	cr_expect_str_eq(err.msg, "push h/r: refused");
	cr_expect_eq(err.code, ERR_NET);
}

Test(error, long_messages_are_cut_visibly)
{
	struct error err = {0};
	char text[3000];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, ERR_SYS, "%s", text);
	cr_expect_eq(strlen(err.msg), ERR_MSG_MAX - 1);
	cr_expect_str_eq(err.msg + ERR_MSG_MAX - 4, "...");
	err_wrap(&err, "context");
	cr_expect_eq(strlen(err.msg), ERR_MSG_MAX - 1);
	cr_expect_str_eq(err.msg + ERR_MSG_MAX - 4, "...");
}

Test(error, what_servers_send_cannot_drive_the_terminal)
{
	struct error err = {0};

	err_set(&err, ERR_NET, "server said %s",
			"a\033[31mb\nc\xff\xc2\x9b"
			"d");
	cr_expect_str_eq(err.msg, "server said a?[31mb?c???d");
}

Test(error, errno_gives_the_class)
{
	struct error err = {0};

	errno = ENOENT;
	err_errno(&err, "cannot open %s", "f");
	cr_expect_eq(err.code, ERR_MISSING);
	cr_expect_str_eq(err.msg, "cannot open f: No such file or directory");
	errno = EACCES;
	err_errno(&err, "x");
	cr_expect_eq(err.code, ERR_DENIED);
	errno = EIO;
	err_errno(&err, "x");
	cr_expect_eq(err.code, ERR_SYS);
}

Test(error, exit_statuses_are_the_table)
{
	static const struct {
		enum err_code code;
		int status;
	} rows[] = {{ERR_NONE, 0},      {ERR_SYS, 1},       {ERR_USAGE, 2},        {ERR_INPUT, 3},
				{ERR_MISSING, 4},   {ERR_DENIED, 5},    {ERR_NET, 6},          {ERR_CONFLICT, 7},
				{ERR_NOT_READY, 8}, {ERR_DIFFERENT, 9}, {ERR_INTERRUPTED, 130}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(err_exit_status(rows[i].code), rows[i].status, "%s",
					 err_code_name(rows[i].code));
}
