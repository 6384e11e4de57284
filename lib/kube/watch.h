/* watch.h - keep a picture of a collection: list it, then follow its changes
 * (kubernetes.io: reference/using-api/api-concepts, "Efficient detection of changes").
 *
 * One stream a collection. A normal end or a broken connection continues from the last
 * resourceVersion, without a pause after a normal end; 410 Gone (as a status or as an ERROR event)
 * lists anew, at most KUBE_WATCH_MAX_RELISTS times in a row, and so does an ERROR event about the
 * server's own trouble; what the new list lacks is told as deleted. Bookmarks move the
 * resourceVersion. resourceVersions are only compared for equality. */
#pragma once

#include "kube/client.h"
#include "kube/discovery.h"

#define KUBE_WATCH_MAX_FRAME (4u << 20)
#define KUBE_WATCH_MAX_RELISTS 3
#define KUBE_WATCH_POLL_MS 2000
#define KUBE_LIST_PAGE 500

enum kube_change {
	KUBE_LISTED, /* there, added or modified */
	KUBE_DELETED,
	KUBE_SYNCED, /* the list is complete (object NULL) */
};

/* ---- frames: newline-delimited JSON in pieces of any size */
struct kube_frames {
	struct buf partial;
};

void kube_frames_release(struct kube_frames *f);
/* Feed a piece; frame is called for each complete line. ERR_INPUT: a frame over
 * KUBE_WATCH_MAX_FRAME or not a watch event. */
int kube_frames_feed(struct kube_frames *f, const void *data, size_t len,
					 int (*frame)(void *user, const char *type, json_t *object, struct error *err),
					 void *user, struct error *err);

/* ---- one collection */
struct kube_watch;

struct kube_watch_options {
	const struct kube_resource *resource; /* borrowed */
	const char *namespace_;               /* NULL: all, or cluster scoped */
	const char *label_selector;           /* NULL: none */
	const char *field_selector;           /* NULL: none */
	/* Borrowed object. Returns -1 with *err to end kube_run. */
	int (*change)(void *user, enum kube_change change, json_t *object, struct error *err);
	/* Called once when the server does not let us look; nothing is told after it. NULL: a
	 * refusal ends kube_run. */
	void (*refused)(void *user, const struct error *err);
	void *user;
};

/* Starts listing; everything happens in kube_run. An error that is not passing (403, 404, 401) ends
 * kube_run. Who may list but not watch is served by a list every KUBE_WATCH_POLL_MS. */
struct kube_watch *kube_watch_start(struct kube_client *c,
									const struct kube_watch_options *options);
void kube_watch_stop(struct kube_watch *w);
/* Continue streams that wait for their time; call it between runs. */
void kube_watch_tick(struct kube_watch *w);
