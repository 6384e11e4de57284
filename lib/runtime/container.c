/* What running a container and ending it have in common, whoever waits for it. */
#include "runtime/private.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"
#include "doc/json.h"

#include <string.h>

#define MAX_LOG_BYTES (1u << 20)

const char *const bundle_runtime_env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};

/* Options of the runtime itself, before its subcommand. */
static void add_globals(const struct runtime_bundle *b, struct strv *argv)
{
	strv_add(argv, b->runtime);
	strv_add(argv, "--root");
	strv_add(argv, b->state);
	strv_add(argv, "--log");
	strv_add(argv, b->log_path);
	strv_add(argv, "--log-format");
	strv_add(argv, "json");
	if (b->is_crun)
		strv_add(argv, "--cgroup-manager=disabled");
}

void bundle_run_argv(const struct runtime_bundle *b, struct strv *argv)
{
	add_globals(b, argv);
	strv_add(argv, "run");
	strv_add(argv, "--bundle");
	strv_add(argv, b->dir);
	strv_add(argv, "--pid-file");
	strv_add(argv, b->pid_path);
	strv_add(argv, b->id);
}

pid_t bundle_container_pid(const struct runtime_bundle *b)
{
	AUTO(buf) struct buf text = {0};
	struct error ignored;
	int64_t pid;

	if (fs_read(b->pid_path, 64, &text, &ignored) < 0 ||
		!text_to_int(buf_str(&text), 2, INT32_MAX, &pid))
		return -1;
	return (pid_t)pid;
}

/* Whatever is left of it, if the runtime did not get to tidy up. */
void bundle_delete_container(const struct runtime_bundle *b)
{
	AUTO_FREE char *state = fs_join(b->state, b->id);
	AUTO(strv) struct strv argv = {0};
	AUTO(proc_result) struct proc_result result = {0};
	struct proc_spec spec = {.env = bundle_runtime_env,
							 .clean_env = true,
							 .in = PROC_NULL,
							 .out = PROC_NULL,
							 .err_out = PROC_NULL,
							 .timeout_ms = 10000};
	struct error ignored;

	if (!fs_exists(state))
		return;
	add_globals(b, &argv);
	strv_add(&argv, "delete");
	strv_add(&argv, "--force");
	strv_add(&argv, b->id);
	spec.argv = (const char *const *)argv.items;
	proc_run(&spec, &result, &ignored);
}

/* The last thing that the runtime wrote into its log: one JSON object a line. */
static void last_message(const struct runtime_bundle *b, struct buf *out)
{
	AUTO(buf) struct buf text = {0};
	struct error ignored;
	char *line;

	if (fs_read(b->log_path, MAX_LOG_BYTES, &text, &ignored) < 0 || text.len == 0)
		return;
	for (line = text.data; line && *line;) {
		AUTO_JSON json_t *entry = NULL;
		char *end = strchrnul(line, '\n');

		if (doc_json_parse((struct span){line, (size_t)(end - line)}, "log", &entry, &ignored) ==
				0 &&
			doc_text(entry, "msg", NULL)) {
			buf_cut(out, 0);
			buf_adds(out, doc_text(entry, "msg", ""));
		}
		line = *end ? end + 1 : NULL;
	}
}

int bundle_check_started(const struct runtime_bundle *b, int status, struct error *err)
{
	AUTO(buf) struct buf message = {0};

	/* the pid file appears once the container's program is about to start */
	if (status == 0 || fs_exists(b->pid_path))
		return 0;
	last_message(b, &message);
	err_set(err, ERR_SYS, "%s cannot start the container (status %d): %s", b->runtime, status,
			message.len ? buf_str(&message) : "it does not say why");
	return err_hint(err, "run 'msctl doctor' to see what this machine permits");
}
