/* msctl __man - manual pages (man(7) macros) from the command tables: one page a command, and the
 * parts of msctl(1) that are tables. */
#include "cmd/command.h"

#include <ctype.h>
#include <string.h>

static const struct opt no_opts[] = {OPT_DONE};

/* Text with roff's special characters escaped. */
static void put(FILE *out, const char *text)
{
	bool at_start = true;

	for (; *text; text++) {
		if (at_start && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
		at_start = *text == '\n';
	}
}

static void put_options(FILE *out, const struct opt *opts)
{
	for (; opts->type != OPT_END; opts++) {
		fputs(".TP\n", out);
		if (opts->short_name)
			fprintf(out, "\\fB\\-%c\\fR, ", opts->short_name);
		fputs("\\fB\\-\\-", out);
		put(out, opts->name);
		fputs("\\fR", out);
		if (opts->argument) {
			fputs(" \\fI", out);
			put(out, opts->argument);
			fputs("\\fR", out);
		}
		fputc('\n', out);
		put(out, opts->help);
		fputs("\n", out);
	}
}

static void put_paragraphs(FILE *out, const char *text)
{
	fputs(".PP\n", out);
	for (; *text; text++) {
		if (text[0] == '\n' && text[1] == '\n') {
			fputs("\n.PP\n", out);
			text++;
			continue;
		}
		put(out, (char[]){*text, '\0'});
	}
	fputc('\n', out);
}

static void put_name(FILE *out, const struct command *cmd, char between)
{
	fputs("msctl", out);
	fputc(between, out);
	for (const char *p = cmd->name; *p; p++)
		fputc(*p == ' ' ? between : *p, out);
}

static void man_page(FILE *out, const struct command *cmd)
{
	fputs(".TH ", out);
	for (const char *p = "msctl-"; *p; p++)
		fputc(toupper((unsigned char)*p), out);
	for (const char *p = cmd->name; *p; p++)
		fputc(*p == ' ' ? '-' : toupper((unsigned char)*p), out);
	fprintf(out, " 1 \"\" \"msctl %s\" \"msctl\"\n.SH NAME\n", MSCTL_VERSION);
	put_name(out, cmd, '-');
	fprintf(out, " \\- %c", tolower((unsigned char)cmd->summary[0]));
	put(out, cmd->summary + 1);
	fputs("\n.SH SYNOPSIS\n\\fB", out);
	put_name(out, cmd, ' ');
	fputs("\\fR [\\fIOPTIONS\\fR] ", out);
	put(out, cmd->operands);
	fputs("\n.SH DESCRIPTION\n", out);
	put_paragraphs(out, cmd->description ? cmd->description : cmd->summary);
	if (cmd->options->type != OPT_END) {
		fputs(".SH OPTIONS\n", out);
		put_options(out, cmd->options);
	}
	fputs(".PP\nOptions of every command are in \\fBmsctl\\fR(1).\n", out);
	if (cmd->examples) {
		fputs(".SH EXAMPLES\n.nf\n", out);
		put(out, cmd->examples);
		fputs("\n.fi\n", out);
	}
	fputs(".SH SEE ALSO\n\\fBmsctl\\fR(1), \\fBmsctl.yaml\\fR(5)\n", out);
}

static void man_commands(FILE *out)
{
	for (const struct command *const *c = commands; *c; c++) {
		if ((*c)->hidden)
			continue;
		fputs(".TP\n\\fB", out);
		put_name(out, *c, '-');
		fputs("\\fR(1)\n", out);
		put(out, (*c)->summary);
		fputc('\n', out);
	}
}

static void man_list(FILE *out)
{
	for (const struct command *const *c = commands; *c; c++)
		if (!(*c)->hidden)
			fprintf(out, "%s\n", (*c)->name);
}

static int man_run(struct ctx *ctx, const void *options, int argc, char **argv, struct error *err)
{
	const struct command *cmd;
	int words = 0;

	(void)options;
	if (argc == 0) {
		man_list(ctx->out);
	} else if (strcmp(argv[0], "COMMANDS") == 0) {
		man_commands(ctx->out);
	} else if (strcmp(argv[0], "OPTIONS") == 0) {
		put_options(ctx->out, global_opts);
	} else {
		cmd = command_find(argv, argc, &words, err);
		if (!cmd)
			return -1;
		man_page(ctx->out, cmd);
	}
	return 0;
}

const struct command cmd___man = {
	.name = "__man",
	.group = GROUP_SELF,
	.summary = "Print a manual page",
	.operands = "[COMMAND | COMMANDS | OPTIONS]",
	.max_operands = 2,
	.options = no_opts,
	.hidden = true,
	.run = man_run,
};
