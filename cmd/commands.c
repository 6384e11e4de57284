#include "cmd/command.h"

#include "base/text.h"

#include <string.h>

/* help shows them by group and, within a group, in this order */
#define COMMANDS(X)  \
	X(new)           \
	X(template_list) \
	X(template_show) \
	X(doctor)        \
	X(build)         \
	X(sbom)          \
	X(run)           \
	X(image_ls)      \
	X(image_inspect) \
	X(image_diff)    \
	X(image_rm)      \
	X(image_gc)      \
	X(image_verify)  \
	X(push)          \
	X(pull)          \
	X(inspect)       \
	X(login)         \
	X(logout)        \
	X(deploy)        \
	X(apply)         \
	X(status)        \
	X(delete)        \
	X(completion)    \
	X(help)          \
	X(version)       \
	X(__complete)    \
	X(__describe)    \
	X(__man)

#define DECLARE(name) extern const struct command cmd_##name;
#define REFER(name) &cmd_##name,

COMMANDS(DECLARE)

const struct command *const commands[] = {COMMANDS(REFER) NULL};

const struct opt global_opts[] = {
	{OPT_TYPE_STRING, 'C', "directory", offsetof(struct global_options, dir), "DIR",
	 "work in DIR instead of the current folder", 0, 0, NULL, "dir"},
	{OPT_TYPE_STRING, 'f', "file", offsetof(struct global_options, file), "FILE",
	 "read this project file instead of msctl.yaml", 0, 0, NULL, "file"},
	OPT_STRING('e', "env", struct global_options, env, "ENV", "the environment of msctl.yaml"),
	OPT_CHOICE('o', "output", struct global_options, output, "table|json|yaml",
			   ((const char *const[]){"table", "json", "yaml", NULL}), "how to print the answer"),
	OPT_CHOICE(0, "progress", struct global_options, progress, "auto|tty|plain|json|none",
			   ((const char *const[]){"auto", "tty", "plain", "json", "none", NULL}),
			   "how to show progress"),
	OPT_FLAG('q', "quiet", struct global_options, quiet, "print nothing but the answer and errors"),
	OPT_COUNT('v', "verbose", struct global_options, verbose,
			  "say what is done; twice: every request"),
	OPT_FLAG(0, "no-color", struct global_options, no_color, "no colours"),
	OPT_FLAG('y', "yes", struct global_options, yes, "answer yes to every question"),
	OPT_MS(0, "timeout", struct global_options, timeout_ms, "TIME",
		   "give up on servers after TIME (30s, 5m)"),
	OPT_FLAG('h', "help", struct global_options, help, "show this help"),
	OPT_DONE,
};

static bool is_family(const char *word)
{
	size_t len = strlen(word);

	for (const struct command *const *c = commands; *c; c++)
		if (strncmp((*c)->name, word, len) == 0 && (*c)->name[len] == ' ')
			return true;
	return false;
}

static const struct command *find_exact(const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

static void suggest(const char *name, struct error *err)
{
	const char *names[128] = {NULL};
	size_t n = 0;
	const char *near;

	for (const struct command *const *c = commands; *c && n < 127; c++)
		if (!(*c)->hidden)
			names[n++] = (*c)->name;
	near = text_nearest(name, names);
	err_set(err, ERR_USAGE, "no command named '%s'", name);
	if (near)
		err_hint(err, "did you mean 'msctl %s'?", near);
	else
		err_hint(err, "run 'msctl help' for the list");
}

const struct command *command_find(char **argv, int argc, int *words, struct error *err)
{
	char two[128];
	/* what people type first at a tool that they do not know */
	const struct command *found =
		find_exact(strcmp(argv[0], "--version") == 0 ? "version" : argv[0]);

	*words = 1;
	if (found)
		return found;
	if (argc > 1 && is_family(argv[0])) {
		snprintf(two, sizeof(two), "%s %s", argv[0], argv[1]);
		*words = 2;
		found = find_exact(two);
		if (found)
			return found;
		suggest(two, err);
		return NULL;
	}
	if (is_family(argv[0])) {
		err_set(err, ERR_USAGE, "'msctl %s' needs a subcommand", argv[0]);
		err_hint(err, "run 'msctl help %s' for the list", argv[0]);
		return NULL;
	}
	suggest(argv[0], err);
	return NULL;
}
