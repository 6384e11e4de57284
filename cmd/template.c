/* msctl template list, msctl template show - what `msctl new` can make. */
#include "base/auto.h"
#include "cmd/out.h"
#include "scaffold/source.h"

static const struct opt no_opts[] = {OPT_DONE};

static int list_run(struct ctx *ctx, const void *options, int argc, char **argv, struct error *err)
{
	static const struct print_column columns[] = {
		{"NAME", "name"}, {"VERSION", "version"}, {"SUMMARY", "summary"}, {0}};
	AUTO(strv) struct strv names = {0};
	AUTO_JSON json_t *rows = json_array();

	(void)options;
	(void)argc;
	(void)argv;
	template_source_names(&names);
	for (size_t i = 0; i < names.count; i++) {
		AUTO(template_source) struct template_source source = {0};

		if (template_source_load(names.items[i], &source, err) < 0)
			return -1;
		json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "name", source.name, "version",
											  source.version, "summary", source.summary));
	}
	return out_print(ctx, rows, columns, err);
}

static int show_run(struct ctx *ctx, const void *options, int argc, char **argv, struct error *err)
{
	static const struct print_column columns[] = {{"VARIABLE", "name"},
												  {"TYPE", "type"},
												  {"DEFAULT", "default"},
												  {"SUMMARY", "summary"},
												  {0}};
	AUTO(template_source) struct template_source source = {0};

	(void)options;
	if (template_source_load(argc ? argv[0] : "c-rest", &source, err) < 0)
		return -1;
	if (out_is_document(ctx))
		return out_print(ctx, source.yaml.documents[0], NULL, err);
	fprintf(ctx->out, "%s %s: %s\n%zu files\n\n", source.name, source.version, source.summary,
			source.file_count);
	return out_print(ctx, source.variables, columns, err);
}

static void complete_names(struct ctx *ctx, int index,
						   void (*emit)(struct ctx *ctx, const char *word))
{
	AUTO(strv) struct strv names = {0};

	template_source_names(&names);
	for (size_t i = 0; index == 0 && i < names.count; i++)
		emit(ctx, names.items[i]);
}

const struct command cmd_template_list = {
	.name = "template list",
	.group = GROUP_START,
	.summary = "List the built-in templates",
	.operands = "",
	.options = no_opts,
	.run = list_run,
};

const struct command cmd_template_show = {
	.name = "template show",
	.group = GROUP_START,
	.summary = "Show what a template is and which variables it takes",
	.operands = "[TEMPLATE]",
	.max_operands = 1,
	.options = no_opts,
	.run = show_run,
	.complete = complete_names,
};
