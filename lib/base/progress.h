/* progress.h - how a library tells how far it is. The receiver decides what it looks like. */
#pragma once

#include <stdint.h>

enum progress_kind {
	PROGRESS_START,   /* work on `id` begins; total may be 0 for unknown */
	PROGRESS_ADVANCE, /* done of total */
	PROGRESS_DONE,    /* finished; text says how: "uploaded", "already there", "mounted" */
	PROGRESS_NOTE,    /* one line for the user: "waiting 20s: rate limited by HOST" */
};

struct progress_event {
	enum progress_kind kind;
	const char *id;    /* stable for one piece of work (a digest, an object's name) */
	const char *label; /* what a person reads: "layer 3f2a1c9d", "Deployment/orders" */
	const char *text;
	uint64_t done;
	uint64_t total;
};

/* A NULL progress or emit means nobody looks. All pointers are borrowed for the call. */
struct progress {
	void (*emit)(void *user, const struct progress_event *event);
	void *user;
};

static inline void progress_emit(const struct progress *p, const struct progress_event *event)
{
	if (p && p->emit)
		p->emit(p->user, event);
}
