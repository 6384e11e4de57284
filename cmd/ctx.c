#include "cmd/command.h"

#include "base/auto.h"
#include "base/mem.h"
#include "cmd/progress.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

void ctx_note(struct ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	if (ctx->global.quiet)
		return;
	fflush(ctx->out); /* where both go to one place they keep their order */
	va_start(ap, fmt);
	vfprintf(ctx->err, fmt, ap);
	va_end(ap);
	fputc('\n', ctx->err);
}

static void write_log(void *user, const char *line)
{
	fprintf(user, "msctl: %s\n", line);
}

void ctx_prepare(struct ctx *ctx)
{
	const char *term = getenv("TERM");
	const char *no_color = getenv("NO_COLOR");

	ctx->err_is_terminal = isatty(fileno(ctx->err)) && term && strcmp(term, "dumb") != 0;
	ctx->color = ctx->err_is_terminal && !ctx->global.no_color && !(no_color && *no_color);
	ctx->log = (struct log){ctx->global.verbose, write_log, ctx->err};
	progress_setup(ctx);
}

void ctx_finish(struct ctx *ctx)
{
	progress_finish(ctx);
}

/* Does this argument, met before the command's name, take the next one as its value? */
static bool takes_next(const char *arg)
{
	const struct opt *o =
		arg[1] == '-' ? opt_find(global_opts, arg + 2, 0) : opt_find(global_opts, NULL, arg[1]);

	if (!o || o->type == OPT_TYPE_FLAG || o->type == OPT_TYPE_COUNT)
		return false;
	return arg[1] == '-' || arg[2] == '\0';
}

int take_leading_globals(struct ctx *ctx, int argc, char **argv, struct error *err)
{
	struct opt_set set = {global_opts, &ctx->global};
	AUTO_FREE char **head = xcalloc((size_t)argc + 1, sizeof(*head));
	int n = 1;

	while (n < argc && argv[n][0] == '-' && argv[n][1] && strcmp(argv[n], "--version") != 0) {
		n += takes_next(argv[n]) ? 2 : 1;
		if (n > argc)
			n = argc;
	}
	memcpy(head, argv, (size_t)n * sizeof(*head));
	if (opt_parse(&set, 1, head, false, err) < 0)
		return -1;
	memmove(argv + 1, argv + n, (size_t)(argc - n + 1) * sizeof(*argv));
	return argc - n + 1;
}
