#include "deploy/picture.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "kube/readiness.h"

#include <string.h>

#define MAX_SELECTOR_VALUES 40

enum feed_kind {
	FEED_LIVE,
	FEED_PARTS,
	FEED_WARNINGS,
};

struct picture_feed {
	struct deploy_picture *p;
	enum feed_kind kind;
	struct kube_watch *watch;
	bool synced;
};

static char *live_key(const char *kind, const char *namespace_, const char *name)
{
	return xasprintf("%s/%s/%s", kind, namespace_ ? namespace_ : "", name);
}

static void put_json(struct map *m, const char *key, json_t *value)
{
	json_decref(map_get(m, key));
	map_put(m, key, json_incref(value));
}

static void add_warning(struct deploy_picture *p, const json_t *event)
{
	const char *uid = doc_text(event, "involvedObject.uid", "");
	const char *when = doc_text(event, "lastTimestamp", doc_text(event, "eventTime", ""));
	struct strv *list = map_get(&p->warnings, uid);
	AUTO_FREE char *text =
		xasprintf("%s: %s", doc_text(event, "reason", "Warning"), doc_text(event, "message", ""));
	int64_t at = 0;

	/* what went wrong before this run is not its fault; clocks may differ by a little */
	if (clock_parse_rfc3339(when, &at) == 0 && at + 5 < p->started_s)
		return;
	utf8_sanitize(text);
	if (!list) {
		list = xcalloc(1, sizeof(*list));
		map_put(&p->warnings, uid, list);
	}
	if (!strv_has(list, text) && list->count < PICTURE_MAX_WARNINGS)
		strv_add(list, text);
}

static int changed(void *user, enum kube_change change, json_t *object, struct error *err)
{
	struct picture_feed *f = user;
	json_t *now = change == KUBE_DELETED ? NULL : object;

	(void)err;
	f->p->changed = true;
	if (change == KUBE_SYNCED) {
		f->synced = true;
		return 0;
	}
	if (f->kind == FEED_LIVE) {
		AUTO_FREE char *key =
			live_key(doc_text(object, "kind", ""), doc_text(object, "metadata.namespace", ""),
					 doc_text(object, "metadata.name", ""));

		put_json(&f->p->live, key, now);
	} else if (f->kind == FEED_PARTS) {
		put_json(&f->p->parts, doc_text(object, "metadata.uid", ""), now);
	} else if (now) {
		add_warning(f->p, now);
	}
	return 0;
}

/* Pods and events only tell why something is not ready; whether it is, its own status says. */
static void refused(void *user, const struct error *err)
{
	struct picture_feed *f = user;
	AUTO_FREE char *text = xasprintf("failures are not explained: %s", err->msg);

	f->synced = true;
	f->p->changed = true;
	progress_emit(f->p->s->progress, &(struct progress_event){
										 .kind = PROGRESS_NOTE, .id = "permission", .text = text});
}

static void feed(struct deploy_picture *p, enum feed_kind kind,
				 const struct kube_resource *resource, const char *namespace_, const char *labels)
{
	struct picture_feed *f;
	struct kube_watch_options o = {
		.resource = resource,
		.namespace_ = namespace_,
		.label_selector = labels,
		.field_selector = kind == FEED_WARNINGS ? "type=Warning" : NULL,
		.change = changed,
		.refused = kind == FEED_LIVE ? NULL : refused,
	};

	if (!resource)
		return;
	f = xcalloc(1, sizeof(*f));
	f->p = p;
	f->kind = kind;
	o.user = f;
	f->watch = kube_watch_start(p->s->client, &o);
	list_push(&p->feeds, f);
}

/* ---- selectors */

static const json_t *match_labels(const struct deploy_item *item)
{
	return doc_get(item->live ? item->live : item->object.doc, "spec.selector.matchLabels");
}

/* "app in (a,b)" when all workloads of the namespace share a label, else NULL. Caller frees. */
static char *common_selector(struct deploy_item **items, size_t count, const char *namespace_)
{
	const json_t *first = NULL;
	const char *key;
	json_t *ignored;

	for (size_t i = 0; i < count && !first; i++)
		if (strcmp(items[i]->object.namespace_, namespace_) == 0)
			first = match_labels(items[i]);
	json_object_foreach((json_t *)(uintptr_t)first, key, ignored)
	{
		AUTO(buf) struct buf text = {0};
		bool shared = true;
		size_t n = 0;

		buf_addf(&text, "%s in (", key);
		for (size_t i = 0; i < count && shared; i++) {
			const char *value;

			if (strcmp(items[i]->object.namespace_, namespace_) != 0)
				continue;
			value = json_string_value(json_object_get(match_labels(items[i]), key));
			shared = value && n < MAX_SELECTOR_VALUES;
			buf_addf(&text, "%s%s", n++ ? "," : "", value ? value : "");
		}
		buf_addc(&text, ')');
		if (shared)
			return buf_take(&text);
	}
	return NULL;
}

/* ---- opening and closing */

static bool has_kind(struct deploy_item **items, size_t count, const char *namespace_,
					 const char *kind)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(items[i]->object.kind, kind) == 0 &&
			strcmp(items[i]->object.namespace_, namespace_) == 0)
			return true;
	return false;
}

static void open_namespace(struct deploy_picture *p, struct deploy_item **items, size_t count,
						   const char *namespace_)
{
	const struct kube_discovery *d = &p->s->discovery;
	AUTO_FREE char *labels = common_selector(items, count, namespace_);

	feed(p, FEED_PARTS, kube_discovery_find(d, "v1", "Pod"), namespace_, labels);
	if (has_kind(items, count, namespace_, "Deployment"))
		feed(p, FEED_PARTS, kube_discovery_find(d, "apps/v1", "ReplicaSet"), namespace_, labels);
	feed(p, FEED_WARNINGS, kube_discovery_find(d, "v1", "Event"), namespace_, NULL);
}

int deploy_picture_open(struct deploy_picture *p, struct deploy_session *s,
						struct deploy_item **items, size_t count, struct error *err)
{
	const struct clock *clock = kube_client_clock(s->client);
	AUTO_FREE char *selector = deploy_selector(s);
	AUTO(strv) struct strv wanted = {0};

	p->s = s;
	p->started_s = clock->wall_s(clock->user);
	strv_add(&wanted, "v1");
	strv_add(&wanted, "apps/v1");
	if (kube_discovery_want(s->client, &wanted, &s->discovery, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct kube_object *o = &items[i]->object;
		bool place_seen = false;
		bool namespace_seen = false;

		for (size_t k = 0; k < i; k++) {
			bool same = strcmp(items[k]->object.namespace_, o->namespace_) == 0;

			namespace_seen = namespace_seen || same;
			place_seen = place_seen || (same && items[k]->object.resource == o->resource);
		}
		if (!place_seen)
			feed(p, FEED_LIVE, o->resource, o->namespace_, selector);
		if (!namespace_seen)
			open_namespace(p, items, count, o->namespace_);
	}
	return 0;
}

void deploy_picture_tick(struct deploy_picture *p)
{
	for (size_t i = 0; i < p->feeds.count; i++)
		kube_watch_tick(p->feeds.items[i]->watch);
}

bool deploy_picture_is_synced(const struct deploy_picture *p)
{
	for (size_t i = 0; i < p->feeds.count; i++)
		if (!p->feeds.items[i]->synced)
			return false;
	return true;
}

void deploy_picture_close(struct deploy_picture *p)
{
	for (size_t i = 0; i < p->feeds.count; i++) {
		kube_watch_stop(p->feeds.items[i]->watch);
		free(p->feeds.items[i]);
	}
	list_release(&p->feeds);
}

void deploy_picture_release(struct deploy_picture *p)
{
	deploy_picture_close(p);
	for (size_t i = 0; i < p->live.count; i++)
		json_decref(p->live.entries[i].value);
	for (size_t i = 0; i < p->parts.count; i++)
		json_decref(p->parts.entries[i].value);
	for (size_t i = 0; i < p->warnings.count; i++) {
		strv_release(p->warnings.entries[i].value);
		free(p->warnings.entries[i].value);
	}
	map_release(&p->live);
	map_release(&p->parts);
	map_release(&p->warnings);
}

/* ---- looking */

json_t *deploy_picture_live(const struct deploy_picture *p, const struct deploy_item *item)
{
	AUTO_FREE char *key = live_key(item->object.kind, item->object.namespace_, item->object.name);

	return map_has(&p->live, key) ? map_get(&p->live, key) : item->live;
}

const struct strv *deploy_picture_warnings(const struct deploy_picture *p, const json_t *object)
{
	return map_get(&p->warnings, doc_text(object, "metadata.uid", "?"));
}

static bool is_controlled_by(const json_t *part, const char *uid)
{
	const json_t *owners = doc_get(part, "metadata.ownerReferences");

	for (size_t i = 0; i < json_array_size(owners); i++)
		if (strcmp(doc_text(json_array_get(owners, i), "uid", ""), uid) == 0)
			return true;
	return false;
}

void deploy_picture_each(const struct deploy_picture *p, const char *kind, const json_t *owner,
						 void (*visit)(void *user, json_t *part), void *user)
{
	const char *uid = doc_text(owner, "metadata.uid", "?");

	for (size_t i = 0; i < p->parts.count; i++) {
		json_t *part = p->parts.entries[i].value;

		if (part && strcmp(doc_text(part, "kind", ""), kind) == 0 && is_controlled_by(part, uid))
			visit(user, part);
	}
}
