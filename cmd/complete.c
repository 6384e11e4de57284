/* msctl __complete - what the shells' completion scripts ask. Prints one candidate a line,
 * "word<TAB>summary";
 * ":file" and ":dir" ask the shell for names of its own. */
#include "base/auto.h"
#include "cmd/command.h"
#include "oci/store.h"

#include <string.h>

static const struct opt no_opts[] = {OPT_DONE};

static void emit(struct ctx *ctx, const char *word)
{
	fprintf(ctx->out, "%s\n", word);
}

static void emit_options(struct ctx *ctx, const struct opt *opts)
{
	for (; opts->type != OPT_END; opts++)
		fprintf(ctx->out, "--%s\t%s\n", opts->name, opts->help);
}

/* Command names; of families the first word, or the second when the first is written. */
static void emit_commands(struct ctx *ctx, const char *family)
{
	size_t len = family ? strlen(family) : 0;
	char last[64] = "";

	for (const struct command *const *c = commands; *c; c++) {
		const char *name = (*c)->name;
		size_t first = strcspn(name, " ");

		if ((*c)->hidden)
			continue;
		if (family) {
			if (strncmp(name, family, len) == 0 && name[len] == ' ')
				fprintf(ctx->out, "%s\t%s\n", name + len + 1, (*c)->summary);
		} else if (name[first] == '\0') {
			fprintf(ctx->out, "%s\t%s\n", name, (*c)->summary);
		} else if (strlen(last) != first || strncmp(last, name, first) != 0) {
			snprintf(last, sizeof(last), "%.*s", (int)first, name);
			emit(ctx, last);
		}
	}
}

static void emit_value(struct ctx *ctx, const struct opt *o)
{
	for (const char *const *c = o->choices; c && *c; c++)
		emit(ctx, *c);
	if (o->complete)
		fprintf(ctx->out, ":%s\n", o->complete);
}

/* The option that the last whole word names and that still wants its value, or NULL. */
static const struct opt *pending(const struct command *cmd, const char *word)
{
	const struct opt *o = NULL;

	if (word[0] != '-' || strchr(word, '='))
		return NULL;
	if (word[1] == '-') {
		o = opt_find(cmd->options, word + 2, 0);
		o = o ? o : opt_find(global_opts, word + 2, 0);
	} else if (word[1] && !word[2]) {
		o = opt_find(cmd->options, NULL, word[1]);
		o = o ? o : opt_find(global_opts, NULL, word[1]);
	}
	return o && o->argument ? o : NULL;
}

static int count_operands(const struct command *cmd, int argc, char **argv)
{
	int n = 0;

	for (int i = 0; i < argc; i++) {
		if (argv[i][0] == '-')
			i += pending(cmd, argv[i]) != NULL;
		else
			n++;
	}
	return n;
}

void complete_images(struct ctx *ctx, int index,
					 void (*emit_word)(struct ctx *ctx, const char *word))
{
	AUTO_PTR(oci_store) struct oci_store *store = NULL;
	AUTO(oci_images) struct oci_images images = {0};
	struct error ignored = {0};

	(void)index;
	if (oci_store_open(NULL, &store, &ignored) < 0 || oci_store_list(store, &images, &ignored) < 0)
		return;
	for (size_t i = 0; i < images.count; i++)
		emit_word(ctx, images.items[i].ref);
}

/* argv: the words behind "msctl"; the last one is being typed. */
static int complete_run(struct ctx *ctx, const void *options, int argc, char **argv,
						struct error *err)
{
	const struct command *cmd;
	const struct opt *o;
	int words = 0;

	(void)options;
	if (argc <= 1) {
		emit_commands(ctx, NULL);
		return 0;
	}
	cmd = command_find(argv, argc - 1, &words, err);
	if (!cmd) {
		if (argc == 2)
			emit_commands(ctx, argv[0]);
		return 0;
	}
	o = argc - 1 > words ? pending(cmd, argv[argc - 2]) : NULL;
	if (o) {
		emit_value(ctx, o);
	} else if (argv[argc - 1][0] == '-') {
		emit_options(ctx, cmd->options);
		emit_options(ctx, global_opts);
	} else if (cmd->complete) {
		cmd->complete(ctx, count_operands(cmd, argc - 1 - words, argv + words), emit);
	} else {
		emit(ctx, ":file");
	}
	return 0;
}

const struct command cmd___complete = {
	.name = "__complete",
	.group = GROUP_SELF,
	.summary = "Answer a completion script",
	.operands = "WORD...",
	.max_operands = -1,
	.options = no_opts,
	.stop_at_operand = true,
	.hidden = true,
	.run = complete_run,
};
