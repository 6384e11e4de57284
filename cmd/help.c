/* help.c - help text from the tables. */
#include "cmd/command.h"

#include "base/auto.h"
#include "base/buf.h"
#include "base/text.h"

#include <string.h>

#define HELP_WIDTH 90

static const char *const group_titles[GROUP_COUNT] = {
	[GROUP_START] = "Start a service",
	[GROUP_BUILD] = "Build and run images",
	[GROUP_REGISTRY] = "Work with registries",
	[GROUP_DEPLOY] = "Deploy to Kubernetes",
	[GROUP_SELF] = "msctl itself",
};

void help_overview(FILE *out)
{
	fprintf(out, "msctl takes a C microservice from an empty folder to production.\n\n"
				 "Usage: msctl COMMAND [OPTIONS] [OPERANDS]\n");
	for (int g = 0; g < GROUP_COUNT; g++) {
		fprintf(out, "\n%s\n", group_titles[g]);
		for (const struct command *const *c = commands; *c; c++)
			if ((int)(*c)->group == g && !(*c)->hidden)
				fprintf(out, "  %-16s %s\n", (*c)->name, (*c)->summary);
	}
	fprintf(out, "\nNew here?  msctl new NAME  ·  msctl build  ·  msctl run\n"
				 "More:      msctl help COMMAND  ·  msctl doctor\n");
}

bool help_family(FILE *out, const char *family)
{
	size_t len = strlen(family);
	bool found = false;

	for (const struct command *const *c = commands; *c; c++) {
		if (strncmp((*c)->name, family, len) != 0 || (*c)->name[len] != ' ')
			continue;
		if (!found)
			fprintf(out, "Usage: msctl %s SUBCOMMAND [OPTIONS]\n\n", family);
		fprintf(out, "  %-16s %s\n", (*c)->name, (*c)->summary);
		found = true;
	}
	return found;
}

/* Paragraphs filled to HELP_WIDTH columns; an empty line stays one. */
static void print_filled(FILE *out, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t word = strcspn(text, " \n");

		if (column > 0 && column + 1 + word > HELP_WIDTH) {
			fputc('\n', out);
			column = 0;
		}
		fprintf(out, "%s%.*s", column ? " " : "", (int)word, text);
		column += word + (column > 0);
		text += word;
		if (text[0] == '\n' && text[1] == '\n') {
			fputs("\n\n", out);
			column = 0;
		}
		text += strspn(text, " \n");
	}
	fputc('\n', out);
}

static void print_examples(FILE *out, const char *text)
{
	while (*text) {
		size_t line = strcspn(text, "\n");

		fprintf(out, "  %.*s\n", (int)line, text);
		text += line + (text[line] == '\n');
	}
}

/* own: a command's table, whose letters win; NULL for that table itself. */
static void print_option(FILE *out, const struct opt *o, const struct opt *own)
{
	AUTO(buf) struct buf left = {0};

	if (o->short_name && !(own && opt_find(own, NULL, o->short_name)))
		buf_addf(&left, "-%c, ", o->short_name);
	else
		buf_adds(&left, "    ");
	buf_addf(&left, "--%s", o->name);
	if (o->argument)
		buf_addf(&left, " %s", o->argument);
	if (left.len > 28)
		fprintf(out, "  %s\n  %-28s %s\n", buf_str(&left), "", o->help);
	else
		fprintf(out, "  %-28s %s\n", buf_str(&left), o->help);
}

static void print_options(FILE *out, const char *title, const struct opt *opts,
						  const struct opt *own)
{
	if (opts->type == OPT_END)
		return;
	fprintf(out, "\n%s\n", title);
	for (; opts->type != OPT_END; opts++)
		if (!own || !opt_find(own, opts->name, 0))
			print_option(out, opts, own);
}

void help_command(FILE *out, const struct command *cmd)
{
	fprintf(out, "%s.\n\nUsage: msctl %s [OPTIONS]%s%s\n", cmd->summary, cmd->name,
			cmd->operands[0] ? " " : "", cmd->operands);
	if (cmd->description) {
		fputc('\n', out);
		print_filled(out, cmd->description);
	}
	print_options(out, "Options", cmd->options, NULL);
	print_options(out, "Options of every command", global_opts, cmd->options);
	if (cmd->examples) {
		fputs("\nExamples\n", out);
		print_examples(out, cmd->examples);
	}
}

static const struct opt no_opts[] = {OPT_DONE};

static int help_run(struct ctx *ctx, const void *options, int argc, char **argv, struct error *err)
{
	const struct command *cmd;
	int words = 0;

	(void)options;
	if (argc == 0) {
		help_overview(ctx->out);
		return 0;
	}
	if (argc == 1 && help_family(ctx->out, argv[0]))
		return 0;
	cmd = command_find(argv, argc, &words, err);
	if (!cmd)
		return -1;
	help_command(ctx->out, cmd);
	return 0;
}

static void help_complete(struct ctx *ctx, int index,
						  void (*emit)(struct ctx *ctx, const char *word))
{
	for (const struct command *const *c = commands; index == 0 && *c; c++)
		if (!(*c)->hidden)
			emit(ctx, (*c)->name);
}

const struct command cmd_help = {
	.name = "help",
	.group = GROUP_SELF,
	.summary = "Show help for a command",
	.operands = "[COMMAND]",
	.max_operands = 2,
	.options = no_opts,
	.run = help_run,
	.complete = help_complete,
};
