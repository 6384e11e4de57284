/* msctl completion - print a shell's completion script. */
#include "cmd/command.h"

#include <string.h>

/* The scripts themselves, taken into the binary by the assembler. */
#define EMBED(symbol, file)                                                              \
	__asm__(".section .rodata\n.balign 16\n" #symbol ": .incbin \"" file "\"\n.byte 0\n" \
			".previous\n");                                                              \
	extern const char symbol[]

EMBED(completion_script_bash, "completions/msctl.bash");
EMBED(completion_script_zsh, "completions/_msctl");
EMBED(completion_script_fish, "completions/msctl.fish");

static const struct {
	const char *shell;
	const char *script;
} scripts[] = {
	{"bash", completion_script_bash},
	{"zsh", completion_script_zsh},
	{"fish", completion_script_fish},
};

static const struct opt no_opts[] = {OPT_DONE};

static int completion_run(struct ctx *ctx, const void *options, int argc, char **argv,
						  struct error *err)
{
	(void)options;
	(void)argc;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
		if (strcmp(scripts[i].shell, argv[0]) == 0) {
			fputs(scripts[i].script, ctx->out);
			return 0;
		}
	err_set(err, ERR_USAGE, "no completion for the shell '%s'", argv[0]);
	return err_hint(err, "give bash, zsh or fish");
}

static void completion_complete(struct ctx *ctx, int index,
								void (*emit)(struct ctx *ctx, const char *word))
{
	for (size_t i = 0; index == 0 && i < ARRAY_LEN(scripts); i++)
		emit(ctx, scripts[i].shell);
}

const struct command cmd_completion = {
	.name = "completion",
	.group = GROUP_SELF,
	.summary = "Print the completion script of a shell",
	.operands = "SHELL",
	.min_operands = 1,
	.max_operands = 1,
	.options = no_opts,
	.examples = "msctl completion bash >~/.local/share/bash-completion/completions/msctl\n"
				"    complete in bash from the next shell on",
	.run = completion_run,
	.complete = completion_complete,
};
