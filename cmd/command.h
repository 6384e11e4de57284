/* command.h - what a subcommand is, and what it is given.
 *
 * One file a subcommand, each exporting one `const struct command`; commands.c lists them. Parsing,
 * --help, the manual's OPTIONS and completion come from the same rows. A command builds one
 * document and names its columns; out.h prints it. */
#pragma once

#include "base/cancel.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/progress.h"

#include <stdbool.h>
#include <stdio.h>

/* Options that every command takes. */
struct global_options {
	const char *dir;      /* -C */
	const char *file;     /* -f */
	const char *env;      /* -e */
	const char *output;   /* -o table|json|yaml */
	const char *progress; /* auto, tty, plain, json, none */
	bool quiet;
	int verbose;
	bool no_color;
	bool yes;
	bool help;
	int64_t timeout_ms; /* 0: the command's own */
};

/* Made in main, passed down. Libraries get the member they need, never this. */
struct ctx {
	FILE *out; /* the answer */
	FILE *err; /* notes, progress, hints */
	struct global_options global;
	const struct clock *clock;
	const struct cancel *cancel;
	struct log log;
	struct progress progress;
	bool err_is_terminal;
	bool color;
	int exit_status; /* what a successful command ends with; only `run` sets it, to the container's
					  */
};

enum command_group {
	GROUP_START,
	GROUP_BUILD,
	GROUP_REGISTRY,
	GROUP_DEPLOY,
	GROUP_SELF,
	GROUP_COUNT,
};

struct command {
	const char *name; /* "push", or "image ls" for a subcommand of a family */
	enum command_group group;
	const char *summary;            /* one line, starts upper case, no full stop */
	const char *operands;           /* "IMAGE", "SRC DST", "" */
	int min_operands, max_operands; /* max -1: any number */
	const struct opt *options;
	size_t options_size;     /* of the struct that they fill, zeroed before */
	const char *description; /* paragraphs for help and manual; NULL: the summary says it all */
	const char *examples;    /* lines "COMMAND\n    what it does" for help and manual */
	bool stop_at_operand;    /* what follows the first operand belongs to somebody else (run) */
	bool hidden;
	/* argv[0..argc) are the operands. */
	int (*run)(struct ctx *ctx, const void *options, int argc, char **argv, struct error *err);
	/* Offer words for operand `index`; emit prints each. May be NULL. */
	void (*complete)(struct ctx *ctx, int index, void (*emit)(struct ctx *ctx, const char *word));
};

extern const struct opt global_opts[];
extern const struct command *const commands[]; /* ends with NULL */

/* Find by words: argv[0], and argv[1] for families ("image ls"). *words: how many were used. NULL
 * with *err (ERR_USAGE, "did you mean"). */
const struct command *command_find(char **argv, int argc, int *words, struct error *err);

/* A `complete`: the images of the local store. */
void complete_images(struct ctx *ctx, int index, void (*emit)(struct ctx *ctx, const char *word));

/* help.c */
void help_overview(FILE *out);
void help_command(FILE *out, const struct command *cmd);
/* All commands of a family ("image"); false if there is no such family. */
bool help_family(FILE *out, const char *family);

/* Set up what depends on the parsed global options: log, progress, colour. */
void ctx_prepare(struct ctx *ctx);
/* End a progress display. */
void ctx_finish(struct ctx *ctx);
/* Options written before the command's name ("msctl -C dir build"): parsed into ctx->global, taken
 * out of argv. Returns the new argc, or -1 with ERR_USAGE. */
int take_leading_globals(struct ctx *ctx, int argc, char **argv, struct error *err);

/* Say something to the person, on stderr, unless --quiet. */
void ctx_note(struct ctx *ctx, const char *fmt, ...) PRINTF(2, 3);
