#include "cmd/build_watch.h"

#include "base/child.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "build/sourcewatch.h"

#include <poll.h>
#include <string.h>

#define SELF "/proc/self/exe"
#define GRACE_MS 10000

struct loop {
	struct ctx *ctx;
	const struct build_watcher *watcher;
	struct source_watch *sources;
	struct child service;
	char running[OCI_DIGEST_LEN + 1]; /* the image that the service was started from */
};

static void loop_release(struct loop *l)
{
	child_stop(&l->service, GRACE_MS);
	if (l->sources)
		source_watch_free(l->sources);
}

static void say_failure(struct ctx *ctx, const struct error *why)
{
	fprintf(ctx->err, "msctl: %s\n", why->msg);
	if (why->hint[0])
		fprintf(ctx->err, "hint: %s\n", why->hint);
}

static int start_service(struct loop *l, const struct build_result *r, struct error *err)
{
	AUTO(strv) struct strv argv = {0};

	strv_add(&argv, SELF);
	strv_add(&argv, "run");
	strv_add(&argv, "--pull=never");
	strv_add(&argv, r->ref);
	if (l->watcher->arg_count > 0)
		strv_add(&argv, "--");
	for (int i = 0; i < l->watcher->arg_count; i++)
		strv_add(&argv, l->watcher->args[i]);
	if (child_start((const char *const *)argv.items, &l->service, err) < 0)
		return -1;
	memcpy(l->running, r->image.digest, sizeof(l->running));
	ctx_note(l->ctx, " running  %s", r->ref);
	return 0;
}

/* The same image that runs already goes on running. */
static int restart_service(struct loop *l, const struct build_result *r, struct error *err)
{
	if (!l->watcher->runs)
		return 0;
	if (l->service.pid != 0 && strcmp(l->running, r->image.digest) == 0) {
		ctx_note(l->ctx, " running  %s, which did not change", r->ref);
		return 0;
	}
	if (l->service.pid != 0) {
		ctx_note(l->ctx, " stopping what runs");
		child_stop(&l->service, GRACE_MS);
	}
	return start_service(l, r, err);
}

/* -1 only for what ends the loop. */
static int build(struct loop *l, bool is_first, struct error *err)
{
	AUTO(build_result) struct build_result r = {0};
	struct error why = {0};
	int rc = l->watcher->build(l->watcher->user, &r, &why);

	fflush(l->ctx->out);
	if (rc == 0)
		rc = restart_service(l, &r, &why);
	if (rc == 0)
		return 0;
	if (why.code == ERR_INTERRUPTED || (is_first && why.code == ERR_USAGE)) {
		*err = why;
		return -1;
	}
	say_failure(l->ctx, &why);
	if (l->service.pid != 0)
		ctx_note(l->ctx, " running  what was built before");
	return 0;
}

static void say_changes(const struct loop *l, const struct source_changes *c)
{
	AUTO_FREE char *path = xstrdup(c->first);

	utf8_sanitize(path);
	if (c->count > 1)
		ctx_note(l->ctx, " changed  %s and %zu more", path, c->count - 1);
	else
		ctx_note(l->ctx, " changed  %s", path);
}

/* Until there is something to look at. */
static int wait_for_change(struct loop *l, struct error *err)
{
	const struct cancel *cancel = l->ctx->cancel;
	int status;

	for (;;) {
		struct pollfd fds[] = {
			{source_watch_fd(l->sources), POLLIN, 0},
			{cancel->fd, POLLIN, 0},
			{l->service.pid ? l->service.fd : -1, POLLIN, 0},
		};

		if (cancel_check(cancel, err) < 0)
			return -1;
		if (poll(fds, ARRAY_LEN(fds), -1) < 0)
			continue;
		if (child_has_ended(&l->service, &status))
			ctx_note(l->ctx, " ended    with status %d; the next change starts it again", status);
		if (fds[0].revents)
			return 0;
	}
}

/* The sources have changed, or a signal came. */
static int next_change(struct loop *l, struct error *err)
{
	bool is_told = false;

	for (;;) {
		AUTO(source_changes) struct source_changes c = {0};
		int rc = is_told ? source_watch_look(l->sources, l->ctx->cancel, &c, err)
						 : source_watch_built(l->sources, &c, err);

		if (rc < 0)
			return -1;
		if (c.count > 0) {
			say_changes(l, &c);
			return 0;
		}
		if (!is_told)
			ctx_note(l->ctx, " watching %s", l->watcher->dir);
		is_told = true;
		if (wait_for_change(l, err) < 0)
			return -1;
	}
}

int build_watch_run(struct ctx *ctx, const struct build_watcher *watcher, struct error *err)
{
	AUTO(loop) struct loop l = {.ctx = ctx, .watcher = watcher};

	if (source_watch_open(watcher->dir, &l.sources, err) < 0)
		return -1;
	for (bool is_first = true;; is_first = false) {
		if (build(&l, is_first, err) < 0 || next_change(&l, err) < 0)
			return -1;
		ctx_prepare(ctx);
	}
}
