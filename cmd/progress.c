#include "cmd/progress.h"

#include "base/auto.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "doc/json.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define MAX_BARS 8
#define REDRAW_MS 80

/* A piece of work that is on the screen. */
struct bar {
	char *id;
	char *label;
	uint64_t done;
	uint64_t total;
	int64_t started_ms;
};

struct display {
	struct ctx *ctx;
	struct bar bars[MAX_BARS];
	size_t count;
	size_t drawn; /* lines on the screen now */
	int64_t drawn_ms;
	pthread_mutex_t lock; /* build and push tell at once */
};

static size_t terminal_width(const struct ctx *ctx)
{
	struct winsize size = {0};

	if (ioctl(fileno(ctx->err), TIOCGWINSZ, &size) < 0 || size.ws_col < 40)
		return 80;
	return size.ws_col;
}

static void erase(struct display *d)
{
	for (; d->drawn > 0; d->drawn--)
		fputs("\033[1A\033[2K", d->ctx->err);
}

static void draw_bar(const struct display *d, const struct bar *b, size_t width)
{
	AUTO(buf) struct buf line = {0};
	int64_t ms = clock_now(d->ctx->clock) - b->started_ms;
	char done[16];
	char total[16];

	buf_addf(&line, " %-24.24s", b->label);
	if (b->total > 0) {
		size_t cells = width > 90 ? 30 : 16;
		size_t full = (size_t)((double)cells * (double)b->done / (double)b->total);

		buf_adds(&line, " [");
		for (size_t i = 0; i < cells; i++)
			buf_addc(&line, i < full ? '=' : ' ');
		buf_addf(&line, "] %s/%s", text_size(b->done, done), text_size(b->total, total));
	} else if (b->done > 0) {
		buf_addf(&line, " %s", text_size(b->done, done));
	}
	if (ms > 500 && b->done > 0) {
		uint64_t rate = b->done * 1000 / (uint64_t)ms;

		buf_addf(&line, " %s/s", text_size(rate, done));
		if (b->total > b->done && rate > 0)
			buf_addf(&line, " %s left",
					 text_duration((int64_t)((b->total - b->done) * 1000 / rate), total));
	}
	if (line.len >= width)
		buf_cut(&line, width - 1);
	fprintf(d->ctx->err, "%s\n", buf_str(&line));
}

static void draw(struct display *d, bool force)
{
	int64_t now = clock_now(d->ctx->clock);
	size_t width;

	if (!force && now - d->drawn_ms < REDRAW_MS)
		return;
	width = terminal_width(d->ctx);
	erase(d);
	for (size_t i = 0; i < d->count; i++)
		draw_bar(d, &d->bars[i], width);
	d->drawn = d->count;
	d->drawn_ms = now;
	fflush(d->ctx->err);
}

static struct bar *find_bar(struct display *d, const char *id)
{
	for (size_t i = 0; i < d->count; i++)
		if (strcmp(d->bars[i].id, id) == 0)
			return &d->bars[i];
	return NULL;
}

static void drop_bar(struct display *d, struct bar *b)
{
	free(b->id);
	free(b->label);
	*b = d->bars[--d->count];
}

static void print_plain(struct ctx *ctx, const struct progress_event *e)
{
	AUTO_FREE char *line = NULL;
	char size[16];

	if (e->kind == PROGRESS_NOTE)
		line = xasprintf(" %s", e->text ? e->text : "");
	else if (e->kind == PROGRESS_DONE && e->total > 0)
		line = xasprintf(" %-24s %s (%s)", e->label ? e->label : "", e->text ? e->text : "done",
						 text_size(e->total, size));
	else if (e->kind == PROGRESS_DONE)
		line = xasprintf(" %-24s %s", e->label ? e->label : "", e->text ? e->text : "done");
	if (!line)
		return;
	utf8_sanitize(line);
	fprintf(ctx->err, "%s\n", line);
}

static void emit_plain(void *user, const struct progress_event *e)
{
	print_plain(user, e);
}

static void show(struct display *d, const struct progress_event *e)
{
	const char *id = e->id ? e->id : "";
	struct bar *b = find_bar(d, id);

	if (e->kind == PROGRESS_NOTE || e->kind == PROGRESS_DONE) {
		erase(d);
		print_plain(d->ctx, e);
		if (b && e->kind == PROGRESS_DONE)
			drop_bar(d, b);
		draw(d, true);
		return;
	}
	if (!b && d->count < MAX_BARS) {
		b = &d->bars[d->count++];
		*b = (struct bar){.id = xstrdup(id),
						  .label = xstrdup(e->label ? e->label : id),
						  .started_ms = clock_now(d->ctx->clock)};
		utf8_sanitize(b->label);
	}
	if (!b)
		return;
	b->done = e->done;
	b->total = e->total;
	draw(d, false);
}

static void emit_tty(void *user, const struct progress_event *e)
{
	struct display *d = user;

	pthread_mutex_lock(&d->lock);
	show(d, e);
	pthread_mutex_unlock(&d->lock);
}

static void emit_json(void *user, const struct progress_event *e)
{
	static const char *const kinds[] = {
		[PROGRESS_START] = "start",
		[PROGRESS_ADVANCE] = "advance",
		[PROGRESS_DONE] = "done",
		[PROGRESS_NOTE] = "note",
	};
	struct ctx *ctx = user;
	AUTO(buf) struct buf line = {0};
	AUTO_JSON json_t *event = json_object();

	json_object_set_new(event, "event", json_string(kinds[e->kind]));
	if (e->id)
		json_object_set_new(event, "id", json_string(e->id));
	if (e->label)
		json_object_set_new(event, "label", json_string(e->label));
	if (e->text)
		json_object_set_new(event, "text", json_string(e->text));
	if (e->total > 0 || e->done > 0) {
		json_object_set_new(event, "done", json_integer((json_int_t)e->done));
		json_object_set_new(event, "total", json_integer((json_int_t)e->total));
	}
	doc_json_write(event, &line);
	fprintf(ctx->err, "%s\n", buf_str(&line));
}

void progress_setup(struct ctx *ctx)
{
	const char *how = ctx->global.progress ? ctx->global.progress : "auto";

	if (ctx->global.quiet || strcmp(how, "none") == 0)
		return;
	if (strcmp(how, "json") == 0) {
		ctx->progress = (struct progress){emit_json, ctx};
	} else if (strcmp(how, "tty") == 0 || (strcmp(how, "auto") == 0 && ctx->err_is_terminal)) {
		struct display *d = xcalloc(1, sizeof(*d));

		d->ctx = ctx;
		pthread_mutex_init(&d->lock, NULL);
		ctx->progress = (struct progress){emit_tty, d};
	} else {
		ctx->progress = (struct progress){emit_plain, ctx};
	}
}

void progress_finish(struct ctx *ctx)
{
	struct display *d = ctx->progress.user;

	if (ctx->progress.emit != emit_tty)
		return;
	erase(d);
	while (d->count > 0)
		drop_bar(d, &d->bars[0]);
	fflush(ctx->err);
	pthread_mutex_destroy(&d->lock);
	free(d);
	ctx->progress = (struct progress){0};
}
