/* msctl build - make an image of the project, in the local store. */
#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "build/build.h"
#include "build/verify.h"
#include "cmd/build_report.h"
#include "cmd/build_watch.h"
#include "cmd/output.h"
#include "cmd/stream.h"

#include <stdlib.h>
#include <string.h>

#define TAIL_LINES 40

struct build_options {
	const char *tag;
	struct opt_list platforms;
	const char *toolchain;
	const char *sysroot;
	const char *compression;
	int64_t threads;
	bool no_steps;
	bool no_cache;
	bool explain;
	bool verify;
	bool watch;
	bool run;
	bool push;
	bool no_sbom;
	struct opt_list output;
	struct remote_options remote;
};

static const char *const compression_choices[] = {"gzip", "zstd", NULL};

static const struct opt build_opts[] = {
	OPT_STRING('t', "tag", struct build_options, tag, "REF",
			   "name of the image (default: the project's image and version)"),
	OPT_LIST(0, "platform", struct build_options, platforms, "OS/ARCH,...",
			 "the platforms to build for; several make one index (default: build.platforms)"),
	OPT_STRING(0, "toolchain", struct build_options, toolchain, "IMAGE",
			   "run the steps inside IMAGE instead of on this machine"),
	OPT_PATH(0, "sysroot", struct build_options, sysroot, "DIR",
			 "look for shared libraries below DIR", "dir"),
	OPT_CHOICE(0, "compression", struct build_options, compression, "gzip|zstd",
			   compression_choices, "how layers are compressed"),
	OPT_INT(0, "threads", struct build_options, threads, "N", 0, 64,
			"compress on N threads (default: one for each core)"),
	OPT_FLAG(0, "explain", struct build_options, explain,
			 "say of each step and layer why it was made anew, or was not"),
	OPT_FLAG(0, "no-cache", struct build_options, no_cache, "make every step and layer anew"),
	OPT_FLAG(0, "verify", struct build_options, verify,
			 "build a second time under other circumstances and compare every byte"),
	OPT_FLAG(0, "watch", struct build_options, watch, "build again whenever the sources change"),
	OPT_FLAG(0, "run", struct build_options, run,
			 "with --watch: run the image, and start it anew when it changes"),
	OPT_FLAG(0, "no-steps", struct build_options, no_steps,
			 "take what is there without running build.steps"),
	OPT_FLAG(0, "push", struct build_options, push, "copy the image to its registry, too"),
	OPT_FLAG(0, "no-sbom", struct build_options, no_sbom,
			 "with --push: leave SBOM and provenance here"),
	{OPT_TYPE_LIST, 'o', "output", offsetof(struct build_options, output), OUTPUT_ARGUMENT,
	 "table, json or yaml; or where else to write the image (may be given again)", 0, 0,
	 output_words, "file"},
	REMOTE_OPTS(struct build_options),
	OPT_DONE,
};

/* The last lines of what the steps said; shown when one fails, or at once with -v. */
struct tail {
	struct ctx *ctx;
	const struct build_options *options;
	struct stream *stream;
	char *lines[TAIL_LINES];
	size_t next;
	bool is_running; /* a step: what fails later has nothing to do with what was said */
};

static void tail_release(struct tail *t)
{
	for (size_t i = 0; i < TAIL_LINES; i++)
		free(t->lines[i]);
}

static void say(const struct tail *t, const char *word, const char *text)
{
	AUTO_FREE char *line = xasprintf("%-8s %s", word, text);

	progress_emit(&t->ctx->progress, &(struct progress_event){.kind = PROGRESS_NOTE, .text = line});
}

static void on_line(void *user, const char *line)
{
	struct tail *t = user;
	char **slot = &t->lines[t->next++ % TAIL_LINES];

	free(*slot);
	*slot = xstrdup(line);
	utf8_sanitize(*slot);
	if (t->ctx->global.verbose)
		say(t, "", *slot);
}

/* "steps    make release"; the first line of it, which may be a comment. Caller frees. */
static char *step_label(const char *step)
{
	const char *start = step + (text_starts(step, "# ") ? 2 : 0);
	AUTO_FREE char *first = xstrndup(start, strcspn(start, "\n"));

	utf8_sanitize(first);
	return xasprintf("steps    %s", first);
}

static void on_begin(void *user, const char *step)
{
	struct tail *t = user;
	AUTO_FREE char *label = step_label(step);

	progress_emit(&t->ctx->progress,
				  &(struct progress_event){.kind = PROGRESS_START, .id = step, .label = label});
	t->is_running = true;
}

static void on_done(void *user, const char *step, int64_t ms)
{
	struct tail *t = user;
	AUTO_FREE char *label = step_label(step);
	char took[16];

	progress_emit(&t->ctx->progress, &(struct progress_event){.kind = PROGRESS_DONE,
															  .id = step,
															  .label = label,
															  .text = text_duration(ms, took)});
	t->is_running = false;
}

static void on_note(void *user, const char *text)
{
	const struct tail *t = user;

	say(t, "note", text);
}

static void on_explain(void *user, const char *what, bool was_cached, const char *why)
{
	const struct tail *t = user;
	AUTO_FREE char *text = xasprintf("%s: %s: %s", what, was_cached ? "cached" : "made", why);

	if (t->options->explain || t->ctx->global.verbose)
		say(t, "explain", text);
	else if (was_cached && text_ends(what, "steps"))
		say(t, "steps", "cached");
}

static int on_pull(void *user, const char *ref, const char *platform, struct oci_store *store,
				   struct error *err)
{
	struct tail *t = user;
	struct oci_platform want;

	if (platform[0] && oci_platform_parse(platform, &want, err) < 0)
		return -1;
	return remote_pull(t->ctx, &t->options->remote, ref, platform[0] ? &want : NULL, store, err);
}

static void on_layer(void *user, const struct oci_ref *image, const struct oci_descriptor *layer,
					 bool was_there)
{
	const struct tail *t = user;

	stream_layer(t->stream, image, layer, was_there);
}

static void show_tail(const struct tail *t)
{
	if (t->ctx->global.verbose || !t->is_running)
		return;
	if (t->next > TAIL_LINES)
		fprintf(t->ctx->err, "   (%zu earlier lines; -v shows all)\n", t->next - TAIL_LINES);
	for (size_t i = 0; i < TAIL_LINES; i++) {
		const char *line = t->lines[(t->next + i) % TAIL_LINES];

		if (line)
			fprintf(t->ctx->err, "   %s\n", line);
	}
}

static int print_result(struct ctx *ctx, const struct build_result *r,
						const struct outputs *outputs, bool is_pushed, struct error *err)
{
	if (out_is_document(ctx)) {
		AUTO_JSON json_t *doc = build_report_document(r);

		json_object_set_new(doc, "pushed", json_boolean(is_pushed));
		json_object_set_new(doc, "outputs", outputs_document(outputs));
		return out_print(ctx, doc, NULL, err);
	}
	/* a push has already answered with the reference */
	if (!is_pushed)
		fprintf(ctx->out, "%s@%s\n", r->ref, r->image.digest);
	return 0;
}

static int export(struct ctx *ctx, const struct outputs *outputs, const struct oci_image *image,
				  struct error *err)
{
	AUTO_PTR(oci_store) struct oci_store *store = NULL;

	if (outputs->items.count == 0)
		return 0;
	if (oci_store_open(NULL, &store, err) < 0)
		return -1;
	return outputs_write(ctx, outputs, store, image, err);
}

/* Nobody should wait for a build to hear that its name is bad or cannot be pushed. */
static int check_options(const struct build_options *o, const struct project *p, struct error *err)
{
	const char *text = o->tag ? o->tag : p->image;
	AUTO(oci_ref) struct oci_ref ref = {0};
	if ((o->tag ? remote_ref(text, &ref, err) : oci_ref_parse(text, &ref, err)) < 0)
		return -1;
	if (!o->push || ref.host)
		return 0;
	err_set(err, ERR_USAGE, "cannot push '%s': it names no registry", text);
	return err_hint(err, "write it as HOST/%s", text);
}

static bool writes_to_stdout(const struct opt_list *outputs)
{
	for (size_t i = 0; i < outputs->count; i++) {
		const char *path = strchr(outputs->items[i], ':');

		if (path && path[1] == '-' && (path[2] == '\0' || path[2] == ':'))
			return true;
	}
	return false;
}

/* "linux/amd64,linux/arm64", or the option twice. */
static int add_platforms(const struct opt_list *given, struct strv *out, struct error *err)
{
	for (size_t i = 0; i < given->count; i++) {
		for (const char *text = given->items[i]; *text;) {
			AUTO_FREE char *one = xstrndup(text, strcspn(text, ","));
			struct oci_platform platform;

			if (oci_platform_parse(one, &platform, err) < 0) {
				err->code = ERR_USAGE;
				return -1;
			}
			strv_add(out, one);
			text += strlen(one) + (text[strlen(one)] == ',');
		}
	}
	return 0;
}

/* Built again, is it the same? What is not gets no name anywhere. A push may be under way: the
 * display goes on. */
static int verify(const struct tail *t, const struct build_request *request,
				  const struct build_result *r, struct error *err)
{
	const struct build_verify v = {request, r, t->ctx->global.file};

	if (build_verify(&v, err) < 0)
		return -1;
	say(t, "verified", "built twice, same digest");
	return 0;
}

/* The image stands in the store: bring it where else it is wanted. */
static int deliver(struct ctx *ctx, const struct outputs *outputs, struct stream *stream,
				   const struct build_result *r, struct error *err)
{
	const struct oci_image image = {r->ref, r->image};
	bool is_pushed = stream->is_wanted;
	struct error unpushed = {0};
	int rc = is_pushed ? stream_end(stream, &image, &unpushed) : 0;

	ctx_finish(ctx);
	if (!out_is_document(ctx))
		build_report_note(ctx, r);
	if (export(ctx, outputs, &image, err) < 0)
		return -1;
	if (rc < 0) {
		*err = unpushed;
		return -1;
	}
	if (is_pushed && stream_report(stream, err) < 0)
		return -1;
	return print_result(ctx, r, outputs, is_pushed, err);
}

/* Without a home every layer is made anew, and that is all: NULL. Caller frees. */
static char *cache_folder(void)
{
	struct error no_home = {0};
	char *dir = NULL;

	return fs_home_dir(FS_HOME_CACHE, &dir, &no_home) == 0 ? dir : NULL;
}

static int build_once(struct ctx *ctx, const struct build_options *o, const char *dir,
					  struct build_result *out, struct error *err)
{
	AUTO_FREE char *cache = cache_folder();
	AUTO(project) struct project project = {0};
	AUTO(build_result) struct build_result result = {0};
	AUTO(stream)
	struct stream stream = {
		.ctx = ctx, .options = &o->remote, .is_wanted = o->push, .with_sbom = !o->no_sbom};
	AUTO(tail) struct tail tail = {.ctx = ctx, .options = o, .stream = &stream};
	AUTO(strv) struct strv platforms = {0};
	AUTO(outputs) struct outputs outputs = {0};
	struct build_request request = {
		.project = &project,
		.cache = cache,
		.reference = o->tag,
		.toolchain = o->toolchain,
		.sysroot = o->sysroot,
		.compression = o->compression,
		.threads = (unsigned)o->threads,
		.no_steps = o->no_steps,
		.no_cache = o->no_cache,
		.clock = ctx->clock,
		.cancel = ctx->cancel,
		.log = &ctx->log,
		.watch = {.line = on_line,
				  .begin = on_begin,
				  .done = on_done,
				  .note = on_note,
				  .explain = on_explain,
				  .layer = on_layer,
				  .pull = on_pull,
				  .user = &tail},
	};

	if (project_load_any(dir, ctx->global.file, &project, err) < 0 ||
		check_options(o, &project, err) < 0 || add_platforms(&o->platforms, &platforms, err) < 0 ||
		outputs_parse(ctx, &o->output, &outputs, err) < 0)
		return -1;
	request.platforms = platforms;
	if (build_run(&request, &result, err) < 0 ||
		(o->verify && verify(&tail, &request, &result, err) < 0)) {
		stream_release(&stream);
		ctx_finish(ctx);
		if (err->code != ERR_DIFFERENT)
			show_tail(&tail);
		return -1;
	}
	if (deliver(ctx, &outputs, &stream, &result, err) < 0)
		return -1;
	*out = MOVE(result);
	return 0;
}

/* What one build of many is given. */
struct repeated {
	struct ctx *ctx;
	const struct build_options *options;
	const char *dir;
};

static int build_again(void *user, struct build_result *out, struct error *err)
{
	const struct repeated *r = user;

	return build_once(r->ctx, r->options, r->dir, out, err);
}

static int build_run_command(struct ctx *ctx, const void *options, int argc, char **argv,
							 struct error *err)
{
	const struct build_options *o = options;
	struct repeated repeated = {ctx, o, argc ? argv[0] : NULL};
	AUTO(build_result) struct build_result result = {0};
	AUTO_FREE char *beside = ctx->global.file ? fs_dirname(ctx->global.file) : NULL;
	struct build_watcher watcher = {.dir = argc     ? argv[0]
										   : beside ? beside
													: ".",
									.runs = o->run,
									.args = argv + 1,
									.arg_count = argc > 1 ? argc - 1 : 0,
									.build = build_again,
									.user = &repeated};

	if (o->run && !o->watch)
		return err_set(err, ERR_USAGE, "--run goes with --watch; 'msctl run' runs an image");
	if (o->watch && writes_to_stdout(&o->output))
		return err_set(err, ERR_USAGE, "--watch makes many archives: standard output takes one");
	if (argc > 1 && !o->run)
		return err_set(err, ERR_USAGE, "more than one folder to build");
	if (o->watch)
		return build_watch_run(ctx, &watcher, err);
	return build_once(ctx, o, repeated.dir, &result, err);
}

const struct command cmd_build = {
	.name = "build",
	.group = GROUP_BUILD,
	.summary = "Make an image of the project in the local store",
	.operands = "[DIR [ARG...]]",
	.max_operands = -1,
	.options = build_opts,
	.options_size = sizeof(struct build_options),
	.description =
		"Runs build.steps of msctl.yaml and takes the files that build.copy names; without them, "
		"or without msctl.yaml, compiles with meson, CMake, autotools or make, whose files are "
		"there, and takes what is installed. Finds the shared libraries of the programs as the "
		"dynamic loader would, and writes layers, configuration and manifest, an SBOM and "
		"provenance. The same sources give the same digest, wherever and whenever they are built "
		"on machines with the same libraries.\n\n"
		"Steps are left out while nothing that msctl can see has changed since they last went "
		"well: their text and environment, every file in the project's folder, what they made, "
		"the last commit, and the toolchain image or this machine's packages and the folders of "
		"PATH. What they take from or leave elsewhere (the network, /opt, a service) is not "
		"seen: build with --no-cache then. --explain says why each step and layer was made "
		"anew.\n\n"
		"The image's time is SOURCE_DATE_EPOCH if it is set, else the time of the last commit. The "
		"last line, on standard output, is the image by name and digest.\n\n"
		"With -o the image is written to other places, too: oci:DIR[:REF] is a folder in the OCI "
		"image layout, where other images stay; oci-archive:FILE[:REF] a tar of one; "
		"docker-archive:FILE[:NAME:TAG] what docker load and podman load read. FILE - is standard "
		"output, and the answer then goes to standard error. REF, by which other tools find the "
		"image in a layout, is its tag if it is not given. The first colon ends DIR or FILE. SBOM "
		"and provenance are not written there: tools that are given a layout without a REF want "
		"one image in it. Within the project's folder it counts as a source of the next build: "
		"better write it elsewhere.\n\n"
		"With --verify the image is built a second time: from a copy of the sources in another "
		"folder, older and readable by their owner alone, with another HOME, one thread, no cache "
		"and a second later. The first byte that differs is named, with the layer, the file and "
		"the section of the program it is in, and the command ends with status 9. Sources are "
		"what git does not ignore.\n\n"
		"With --watch msctl stays and builds again whenever a file changes that git does not "
		"ignore; what the build itself writes does not count. With --run it keeps the image "
		"running, with ARGs as its arguments: a new image takes the old one's place, while after "
		"a build that failed the old one goes on. Ctrl-C ends both.",
	.examples =
		"msctl build\n    build the project in the current folder\n"
		"msctl build -t orders:test services/orders\n    build another folder under a name of "
		"your own\n"
		"msctl build --push\n    build it and copy it to the registry that its name begins with\n"
		"msctl build -o oci:image -o docker-archive:image.tar\n    write it as a folder and as a "
		"file, too\n"
		"msctl build -q -o docker-archive:- | docker load\n    hand it to another program\n"
		"msctl build --watch --run\n    build and run the service, and again after each change\n"
		"msctl build -o json\n    the digest and the layers as a document\n",
	.run = build_run_command,
};
