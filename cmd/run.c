/* msctl run - run an image here. */
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "build/build.h"
#include "cmd/remote.h"
#include "conf/project.h"
#include "runtime/runtime.h"

#include <string.h>

#define MAX_ENV_FILE (1u << 20)

struct run_options {
	struct remote_options remote;
	struct opt_list ports;
	struct opt_list env;
	struct opt_list env_files;
	const char *user;
	const char *entrypoint;
	const char *name;
	const char *runtime;
	const char *pull;
	bool read_only;
};

static const char *const pull_choices[] = {"missing", "never", NULL};

static const struct opt run_opts[] = {
	OPT_LIST('p', "publish", struct run_options, ports, "PORT:PORT",
			 "accepted for equal numbers: the container shares the host's network"),
	OPT_LIST('e', "env", struct run_options, env, "NAME=VALUE",
			 "set a variable of the container; NAME alone takes ours"),
	OPT_LIST(0, "env-file", struct run_options, env_files, "FILE",
			 "read variables from FILE, one a line"),
	OPT_STRING('u', "user", struct run_options, user, "USER[:GROUP]", "run as somebody else"),
	OPT_STRING(0, "entrypoint", struct run_options, entrypoint, "PROGRAM",
			   "run PROGRAM instead of the image's entrypoint"),
	OPT_FLAG(0, "read-only", struct run_options, read_only, "no writing but to /tmp"),
	OPT_STRING(0, "name", struct run_options, name, "NAME", "the container's host name"),
	OPT_CHOICE(0, "pull", struct run_options, pull, "missing|never", pull_choices,
			   "fetch an image that is not here (the default), or fail"),
	OPT_PATH(0, "runtime", struct run_options, runtime, "PROGRAM", "run it with this OCI runtime",
			 "file"),
	REMOTE_OPTS(struct run_options),
	OPT_DONE,
};

static int check_port(const char *text, struct error *err)
{
	AUTO_FREE char *copy = xstrdup(text);
	char *host = copy, *inside = strchr(copy, ':');
	int64_t from, to;

	copy[strcspn(copy, "/")] = '\0';
	if (inside)
		*inside++ = '\0';
	else
		inside = host;
	if (!text_to_int(host, 1, 65535, &from) || !text_to_int(inside, 1, 65535, &to)) {
		err_set(err, ERR_USAGE, "-p %s is no pair of ports", text);
		return err_hint(err, "write it as -p 8080:8080");
	}
	if (from == to)
		return 0;
	err_set(err, ERR_USAGE, "-p %s: ports are not mapped, the container shares the host's network",
			text);
	return err_hint(err, "let the service listen on %d, for instance by a variable given with -e",
					(int)from);
}

static int add_variable(struct strv *env, const char *text, const char *where, struct error *err)
{
	const char *value;

	if (text[0] == '\0' || text[0] == '=')
		return err_set(err, ERR_USAGE, "%s: '%s' is not NAME=VALUE", where, text);
	if (strchr(text, '=')) {
		strv_add(env, text);
		return 0;
	}
	value = getenv(text);
	if (value)
		strv_addf(env, "%s=%s", text, value);
	return 0;
}

static int add_env_file(struct strv *env, const char *path, struct error *err)
{
	AUTO(buf) struct buf text = {0};
	char *line;

	if (fs_read(path, MAX_ENV_FILE, &text, err) < 0)
		return -1;
	for (line = text.data; line && *line;) {
		char *end = strchrnul(line, '\n');
		char *next = *end ? end + 1 : NULL;

		*end = '\0';
		if (line[0] != '\0' && line[0] != '#' && add_variable(env, line, path, err) < 0)
			return -1;
		line = next;
	}
	return 0;
}

static int gather_env(const struct run_options *o, struct strv *env, struct error *err)
{
	for (size_t i = 0; i < o->env_files.count; i++)
		if (add_env_file(env, o->env_files.items[i], err) < 0)
			return -1;
	for (size_t i = 0; i < o->env.count; i++)
		if (add_variable(env, o->env.items[i], "-e", err) < 0)
			return -1;
	return 0;
}

/* What msctl build names an image without -t: the project's image and version. */
static int project_ref(struct ctx *ctx, struct oci_ref *out, struct error *err)
{
	AUTO(project) struct project p = {0};

	return project_load_any(NULL, ctx->global.file, &p, err) < 0 ? -1
																 : build_reference(&p, out, err);
}

static int find_image(struct ctx *ctx, const struct run_options *o, struct oci_store *store,
					  const struct oci_ref *ref, struct oci_descriptor *out, struct error *err)
{
	AUTO_FREE char *text = oci_ref_text(ref);

	if (oci_store_find(store, ref, out, err) == 0)
		return 0;
	if (err->code != ERR_MISSING || !ref->host)
		return -1;
	if (o->pull && strcmp(o->pull, "never") == 0)
		return err_hint(err, "run 'msctl pull %s'", text);
	if (remote_pull(ctx, &o->remote, text, NULL, store, err) < 0)
		return -1;
	return oci_store_find(store, ref, out, err);
}

static bool is_host_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < 64 && name[0] != '-' && name[0] != '.' &&
		   strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") == len;
}

/* Everything that needs the store: it is free again when the container starts. */
static int prepare(struct ctx *ctx, const struct run_options *o, const struct oci_ref *ref,
				   const struct runtime_options *what, struct runtime_bundle **out,
				   struct error *err)
{
	AUTO_PTR(oci_store) struct oci_store *store = NULL;
	AUTO(oci_descriptor) struct oci_descriptor image = {0};
	AUTO_FREE char *name = oci_ref_text(ref);

	if (oci_store_open(NULL, &store, err) < 0 || find_image(ctx, o, store, ref, &image, err) < 0)
		return -1;
	return runtime_prepare(store, &image, name, what, out, err);
}

static int check_options(const struct run_options *o, struct error *err)
{
	for (size_t i = 0; i < o->ports.count; i++)
		if (check_port(o->ports.items[i], err) < 0)
			return -1;
	if (o->name && !is_host_name(o->name))
		return err_set(err, ERR_USAGE, "--name: '%s' is no host name", o->name);
	return 0;
}

static int run_run(struct ctx *ctx, const void *options, int argc, char **argv, struct error *err)
{
	const struct run_options *o = options;
	AUTO(oci_ref) struct oci_ref ref = {0};
	AUTO(strv) struct strv env = {0};
	AUTO_PTR(runtime_bundle) struct runtime_bundle *bundle = NULL;
	/* "run REF -- ARGS" says no more than "run REF ARGS" */
	int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
	struct runtime_options what = {
		.args = argc > first ? (const char *const *)argv + first : NULL,
		.arg_count = argc > first ? (size_t)(argc - first) : 0,
		.entrypoint = o->entrypoint,
		.user = o->user,
		.runtime = o->runtime,
		.hostname = o->name,
		.read_only = o->read_only,
		.cancel = ctx->cancel,
		.log = &ctx->log,
	};

	if (check_options(o, err) < 0 || gather_env(o, &env, err) < 0)
		return -1;
	if (argc > 0 ? remote_ref(argv[0], &ref, err) < 0 : project_ref(ctx, &ref, err) < 0)
		return -1;
	what.env = (const char *const *)env.items;
	what.env_count = env.count;
	if (prepare(ctx, o, &ref, &what, &bundle, err) < 0)
		return argc == 0 && err->code == ERR_MISSING ? err_hint(err, "run 'msctl build' first")
													 : -1;
	ctx_finish(ctx);
	return runtime_start(bundle, &ctx->exit_status, err);
}

const struct command cmd_run = {
	.name = "run",
	.group = GROUP_BUILD,
	.summary = "Run an image on this machine",
	.operands = "[IMAGE [ARG...]]",
	.min_operands = 0,
	.max_operands = -1,
	.options = run_opts,
	.options_size = sizeof(struct run_options),
	.stop_at_operand = true,
	.description =
		"Unpacks the image and runs its program through an OCI runtime, crun or runc, until it "
		"ends; the\n"
		"exit status is the program's. Without IMAGE it is the project's image; an image of a "
		"registry is\n"
		"pulled when it is not in the local store. ARGs replace the image's default arguments.\n"
		"\n"
		"The container shares the host's network, so a port that the program listens on is reached "
		"without\n"
		"mapping. It has no new privileges, few capabilities for root and none for others; an "
		"ordinary\n"
		"user's containers run in a user namespace. Signals are passed on, a second Ctrl-C kills. "
		"Nothing is left\n"
		"behind when it ends.",
	.examples = "msctl run\n"
				"    run the project's image\n"
				"msctl run -e LOG_LEVEL=debug orders:0.1.0 --check\n"
				"    run an image with a variable and an argument",
	.run = run_run,
	.complete = complete_images,
};
