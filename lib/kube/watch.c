#include "kube/watch.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypto/random.h"
#include "kube/object.h"

#include <inttypes.h>
#include <string.h>

#define RETRY_MS 1000
#define MAX_FAILURES 30

struct kube_watch {
	struct kube_client *client;
	struct kube_watch_options o;
	char *namespace_, *label_selector, *field_selector;
	char *version;     /* resourceVersion to go on from */
	char *token;       /* of the next list page */
	struct map known;  /* "namespace/name/uid" -> json_t * as last heard; NULL once deleted */
	struct map listed; /* the same of the list that comes in */
	struct kube_frames frames;
	struct kube_stream stream;
	struct kube_call *call; /* the list or the stream on its way */
	bool listing;
	bool gone; /* the server wants a new list */
	int relists;
	int failures;         /* in a row */
	int64_t resume_at_ms; /* 0: not waiting */
};

static void start_list(struct kube_watch *w);
static void start_stream(struct kube_watch *w);

static void forget(struct map *objects)
{
	for (size_t i = 0; i < objects->count; i++)
		json_decref(objects->entries[i].value);
	map_release(objects);
	*objects = (struct map){0};
}

static void remember(struct map *objects, json_t *object, bool there)
{
	AUTO_FREE char *key =
		xasprintf("%s/%s/%s", doc_text(object, "metadata.namespace", ""),
				  doc_text(object, "metadata.name", ""), doc_text(object, "metadata.uid", ""));

	json_decref(map_get(objects, key));
	map_put(objects, key, there ? json_incref(object) : NULL);
}

static void watch_free(struct kube_watch *w)
{
	forget(&w->known);
	forget(&w->listed);
	free(w->namespace_);
	free(w->label_selector);
	free(w->field_selector);
	free(w->version);
	free(w->token);
	kube_frames_release(&w->frames);
	free(w);
}

static char *base_path(const struct kube_watch *w)
{
	AUTO_FREE char *collection = kube_collection_path(w->o.resource, w->namespace_);
	AUTO(buf) struct buf path = {0};

	buf_adds(&path, collection);
	kube_query_add(&path, "labelSelector", w->label_selector);
	kube_query_add(&path, "fieldSelector", w->field_selector);
	return buf_take(&path);
}

static void set_version(struct kube_watch *w, const json_t *object)
{
	const char *version = doc_text(object, "metadata.resourceVersion", NULL);

	if (!version)
		return;
	free(w->version);
	w->version = xstrdup(version);
}

static int later(struct kube_watch *w, struct error *err)
{
	if (++w->failures > MAX_FAILURES)
		return err_wrap(err, "watching %s", w->o.resource->plural);
	w->resume_at_ms = clock_now(kube_client_clock(w->client)) + RETRY_MS;
	*err = (struct error){0};
	return 0;
}

/* A broken connection and a busy server pass; a refusal and an answer that is none do not. */
static bool is_passing(int status, const struct error *err)
{
	return err->code == ERR_NET &&
		   (status == 0 || status == 429 || status >= 500 || status / 100 == 2);
}

static int relist(struct kube_watch *w, struct error *err)
{
	if (++w->relists > KUBE_WATCH_MAX_RELISTS)
		return err_set(err, ERR_NET, "watching %s: the server forgets its history again and again",
					   w->o.resource->plural);
	free(TAKE(w->version));
	free(TAKE(w->token));
	forget(&w->listed);
	start_list(w);
	return 0;
}

/* ---- listing */

/* What went while nobody looked, then what is there. */
static int tell_list(struct kube_watch *w, struct error *err)
{
	for (size_t i = 0; i < w->known.count; i++) {
		const struct map_entry *e = &w->known.entries[i];

		if (e->value && !map_has(&w->listed, e->key) &&
			w->o.change(w->o.user, KUBE_DELETED, e->value, err) < 0)
			return -1;
	}
	forget(&w->known);
	w->known = MOVE(w->listed);
	for (size_t i = 0; i < w->known.count; i++)
		if (w->o.change(w->o.user, KUBE_LISTED, w->known.entries[i].value, err) < 0)
			return -1;
	return w->o.change(w->o.user, KUBE_SYNCED, NULL, err);
}

static void name_items(const json_t *list, json_t *item)
{
	const char *kind = doc_text(list, "kind", "");

	/* items of a list carry neither apiVersion nor kind */
	if (json_object_get(item, "kind") || !text_ends(kind, "List"))
		return;
	json_object_set_new(item, "apiVersion", json_string(doc_text(list, "apiVersion", "")));
	json_object_set_new(item, "kind", json_stringn(kind, strlen(kind) - 4));
}

static int listed(void *user, int status, json_t *doc, struct error *err)
{
	struct kube_watch *w = user;
	const json_t *items = json_object_get(doc, "items");
	const char *token = doc_text(doc, "metadata.continue", "");

	w->call = NULL;
	if (err->code != ERR_NONE) {
		if (status == 410)
			return relist(w, err);
		if (is_passing(status, err))
			return later(w, err);
		if (status != 403 || !w->o.refused)
			return -1;
		w->o.refused(w->o.user, err);
		return 0;
	}
	w->failures = 0;
	for (size_t i = 0; i < json_array_size(items); i++) {
		name_items(doc, json_array_get(items, i));
		remember(&w->listed, json_array_get(items, i), true);
	}
	free(TAKE(w->token));
	if (*token) {
		w->token = xstrdup(token);
		start_list(w);
		return 0;
	}
	set_version(w, doc);
	w->listing = false;
	if (tell_list(w, err) < 0)
		return -1;
	start_stream(w);
	return 0;
}

static void start_list(struct kube_watch *w)
{
	AUTO_FREE char *base = base_path(w);
	AUTO(buf) struct buf path = {0};

	w->listing = true;
	buf_adds(&path, base);
	buf_addf(&path, "%climit=%d", strchr(base, '?') ? '&' : '?', KUBE_LIST_PAGE);
	kube_query_add(&path, "continue", w->token);
	w->call = kube_start(w->client, &(struct kube_request){.path = buf_str(&path)}, listed, w);
}

/* ---- following */

static int on_frame(void *user, const char *type, json_t *object, struct error *err)
{
	struct kube_watch *w = user;

	if (strcmp(type, "ERROR") == 0) {
		int code = (int)doc_int(object, "code", 500);

		/* the server's own trouble ends the stream, not the wait */
		w->gone = code == 410 || code == 429 || code >= 500;
		return w->gone
				   ? 0
				   : kube_status_error(w->client, "GET", w->o.resource->plural, code, object, err);
	}
	set_version(w, object);
	w->relists = 0;
	if (strcmp(type, "ADDED") == 0 || strcmp(type, "MODIFIED") == 0) {
		remember(&w->known, object, true);
		return w->o.change(w->o.user, KUBE_LISTED, object, err);
	}
	if (strcmp(type, "DELETED") == 0) {
		remember(&w->known, object, false);
		return w->o.change(w->o.user, KUBE_DELETED, object, err);
	}
	return 0; /* BOOKMARK, and what newer servers may add */
}

static int on_data(void *user, const void *data, size_t len, struct error *err)
{
	struct kube_watch *w = user;

	w->failures = 0;
	return kube_frames_feed(&w->frames, data, len, on_frame, w, err);
}

static int on_done(void *user, int status, struct error *err)
{
	struct kube_watch *w = user;

	w->call = NULL;
	buf_cut(&w->frames.partial, 0);
	if (w->gone || status == 410) {
		w->gone = false;
		*err = (struct error){0};
		return relist(w, err);
	}
	if (err->code == ERR_NONE) {
		start_stream(w);
		return 0;
	}
	if (status == 403) {
		w->listing = true;
		w->resume_at_ms = clock_now(kube_client_clock(w->client)) + KUBE_WATCH_POLL_MS;
		return 0;
	}
	return is_passing(status, err) ? later(w, err) : -1;
}

static void start_stream(struct kube_watch *w)
{
	AUTO_FREE char *base = base_path(w);
	AUTO(buf) struct buf path = {0};

	buf_adds(&path, base);
	/* spread, so that a thousand clients do not come back in one second */
	buf_addf(&path, "%cwatch=1&allowWatchBookmarks=true&timeoutSeconds=%" PRIu64,
			 strchr(base, '?') ? '&' : '?', 300 + random_below(300));
	kube_query_add(&path, "resourceVersion", w->version);
	w->stream = (struct kube_stream){on_data, on_done, w};
	w->call = kube_start_stream(w->client, buf_str(&path), true, &w->stream);
}

struct kube_watch *kube_watch_start(struct kube_client *c, const struct kube_watch_options *options)
{
	struct kube_watch *w = xcalloc(1, sizeof(*w));

	w->client = c;
	w->o = *options;
	w->namespace_ = xstrdup_opt(options->namespace_);
	w->label_selector = xstrdup_opt(options->label_selector);
	w->field_selector = xstrdup_opt(options->field_selector);
	start_list(w);
	return w;
}

void kube_watch_stop(struct kube_watch *w)
{
	if (w->call)
		kube_stop(w->client, w->call);
	watch_free(w);
}

void kube_watch_tick(struct kube_watch *w)
{
	if (!w->resume_at_ms || clock_now(kube_client_clock(w->client)) < w->resume_at_ms)
		return;
	w->resume_at_ms = 0;
	if (w->listing)
		start_list(w);
	else
		start_stream(w);
}
