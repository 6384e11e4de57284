/* main.c - find the command, parse, run, report. */
#include "base/auto.h"
#include "base/mem.h"
#include "cmd/command.h"
#include "cmd/signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int report(const struct ctx *ctx, const struct error *err)
{
	fprintf(ctx->err, "msctl: %s\n", err->msg);
	if (err->hint[0])
		fprintf(ctx->err, "hint: %s\n", err->hint);
	return err_exit_status(err->code);
}

static int check_operands(const struct command *cmd, int n, struct error *err)
{
	if (n >= cmd->min_operands && (cmd->max_operands < 0 || n <= cmd->max_operands))
		return 0;
	err_set(err, ERR_USAGE, "'msctl %s' %s", cmd->name,
			n < cmd->min_operands ? "needs more operands" : "got too many operands");
	return err_hint(err, "usage: msctl %s [OPTIONS]%s%s", cmd->name, cmd->operands[0] ? " " : "",
					cmd->operands);
}

static int run_command(struct ctx *ctx, const struct command *cmd, char **argv, struct error *err)
{
	AUTO_FREE void *options = xcalloc(1, cmd->options_size + 1);
	struct opt_set sets[] = {{cmd->options, options}, {global_opts, &ctx->global}};
	int n = opt_parse(sets, ARRAY_LEN(sets), argv, cmd->stop_at_operand, err);

	if (n < 0)
		return -1;
	if (ctx->global.help) {
		help_command(ctx->out, cmd);
		return 0;
	}
	if (check_operands(cmd, n, err) < 0)
		return -1;
	if (ctx->global.dir && chdir(ctx->global.dir) < 0)
		return err_errno(err, "cannot enter folder %s", ctx->global.dir);
	ctx_prepare(ctx);
	if (cmd->run(ctx, options, n, argv, err) < 0)
		return -1;
	return cancel_check(ctx->cancel, err);
}

int main(int argc, char **argv)
{
	struct ctx ctx = {.out = stdout, .err = stderr, .clock = &clock_system};
	struct error err = {0};
	const struct command *cmd;
	int words = 0;
	int rc;

	ctx.cancel = signals_install();
	argc = take_leading_globals(&ctx, argc, argv, &err);
	if (argc < 0)
		return report(&ctx, &err);
	if (argc < 2) {
		help_overview(ctx.out);
		return fflush(ctx.out) == 0 ? 0 : 1;
	}
	if (argc == 3 && strcmp(argv[2], "--help") == 0 && help_family(ctx.out, argv[1]))
		return fflush(ctx.out) == 0 ? 0 : 1;
	cmd = command_find(argv + 1, argc - 1, &words, &err);
	if (!cmd)
		return report(&ctx, &err);
	rc = run_command(&ctx, cmd, argv + words, &err);
	ctx_finish(&ctx);
	if (rc < 0)
		return report(&ctx, &err);
	if (fflush(ctx.out) != 0 || ferror(ctx.out)) {
		/* who reads has seen enough: "| head" is no failure to talk about */
		if (errno == EPIPE)
			return 128 + SIGPIPE;
		err_errno(&err, "cannot write the answer");
		return report(&ctx, &err);
	}
	return ctx.exit_status;
}
