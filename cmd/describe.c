/* msctl __describe - all command and option tables as JSON; the manual pages are made from it. */
#include "base/auto.h"
#include "cmd/out.h"

static const struct opt no_opts[] = {OPT_DONE};

static json_t *describe_options(const struct opt *opts)
{
	json_t *list = json_array();

	for (; opts->type != OPT_END; opts++) {
		json_t *o = json_pack("{s:s, s:s, s:s*}", "name", opts->name, "help", opts->help,
							  "argument", opts->argument);

		if (opts->short_name)
			json_object_set_new(o, "short", json_stringn(&opts->short_name, 1));
		json_array_append_new(list, o);
	}
	return list;
}

static int describe_run(struct ctx *ctx, const void *options, int argc, char **argv,
						struct error *err)
{
	AUTO(buf) struct buf text = {0};
	AUTO_JSON json_t *doc = json_object();
	json_t *list = json_array();

	(void)options;
	(void)argc;
	(void)argv;
	(void)err;
	json_object_set_new(doc, "version", json_string(MSCTL_VERSION));
	json_object_set_new(doc, "global", describe_options(global_opts));
	json_object_set_new(doc, "commands", list);
	for (const struct command *const *c = commands; *c; c++) {
		json_t *o;

		if ((*c)->hidden)
			continue;
		o = json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "name", (*c)->name, "summary", (*c)->summary,
					  "operands", (*c)->operands, "description", (*c)->description, "examples",
					  (*c)->examples);
		json_object_set_new(o, "options", describe_options((*c)->options));
		json_array_append_new(list, o);
	}
	doc_json_write_pretty(doc, &text);
	fputs(buf_str(&text), ctx->out);
	return 0;
}

const struct command cmd___describe = {
	.name = "__describe",
	.group = GROUP_SELF,
	.summary = "Print all command tables as JSON",
	.operands = "",
	.options = no_opts,
	.hidden = true,
	.run = describe_run,
};
