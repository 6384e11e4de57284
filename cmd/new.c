/* msctl new - scaffold a service from a template. */
#include "base/auto.h"
#include "cmd/out.h"
#include "scaffold/scaffold.h"
#include "scaffold/source.h"

#include <string.h>

struct new_options {
	const char *template_;
	struct opt_list set;
	bool no_git;
};

static const struct opt new_opts[] = {
	OPT_STRING('t', "template", struct new_options, template_, "TEMPLATE",
			   "built-in template, or a folder (default: c-rest)"),
	OPT_LIST(0, "set", struct new_options, set, "NAME=VALUE", "answer a question of the template"),
	OPT_FLAG(0, "no-git", struct new_options, no_git, "do not make a git repository"),
	OPT_DONE,
};

static int new_run(struct ctx *ctx, const void *options, int argc, char **argv, struct error *err)
{
	const struct new_options *o = options;
	AUTO(scaffold_result) struct scaffold_result result = {0};
	struct scaffold_request request = {
		.template_ = o->template_ ? o->template_ : "c-rest",
		.name = argv[0],
		.target = argc > 1 ? argv[1] : argv[0],
		.set = o->set.items,
		.set_count = o->set.count,
		.git = !o->no_git,
		.cancel = ctx->cancel,
	};

	if (scaffold_new(&request, &result, err) < 0)
		return -1;
	if (out_is_document(ctx)) {
		AUTO_JSON json_t *doc =
			json_pack("{s:s, s:s, s:s, s:s, s:I}", "name", request.name, "folder", request.target,
					  "template", result.template_name, "templateVersion", result.template_version,
					  "files", (json_int_t)result.files);

		return out_print(ctx, doc, NULL, err);
	}
	fprintf(ctx->out, "created %s from template %s (%zu files%s)\n", request.target,
			result.template_name, result.files, request.git ? ", 1 commit" : "");
	ctx_note(ctx, "next: cd %s · msctl build · msctl run · msctl deploy", request.target);
	return 0;
}

const struct command cmd_new = {
	.name = "new",
	.group = GROUP_START,
	.summary = "Scaffold a service from a template",
	.operands = "NAME [DIR]",
	.min_operands = 1,
	.max_operands = 2,
	.options = new_opts,
	.options_size = sizeof(struct new_options),
	.description =
		"Renders a template into the folder DIR (default: NAME) and makes it a git repository "
		"with one commit. DIR must not exist, or be empty. NAME is a DNS label: it becomes the "
		"name of the program, the image and the Kubernetes objects.",
	.examples = "msctl new orders\n    a REST service in ./orders\n"
				"msctl new orders --set image=registry.example.com/shop/orders --set port=8081\n"
				"    with another image name and port\n"
				"msctl new orders -t ./our-template\n    from a template of your own",
	.run = new_run,
};
