/* upload.h - one push under way; for push.c and upload.c. */
#pragma once

#include "base/map.h"
#include "oci/graph.h"
#include "registry/session.h"

/* One blob on its way up. */
struct upload {
	struct job job; /* first */
	struct push *push;
	struct oci_descriptor d;
	char *mount_from; /* NULL: no candidate, or it was no use */
	bool skip_head;   /* the repository is new: nothing can be there */
	int tries;        /* upload sessions begun */
	int fd;
	char *url;
	char *session;               /* Location of an upload that is open */
	struct http_request request; /* the one that runs */
};

struct push {
	struct registry *r;
	struct registry_push what; /* image NULL: not known yet */
	struct registry_result result;
	struct mounts mounts;
	struct oci_graph graph;
	struct map begun;               /* digests that have an upload */
	struct jobs jobs;               /* uploads */
	char named[OCI_DIGEST_LEN + 1]; /* what the reference named when it was asked; "": nothing */
	bool repository_is_new;
};

/* --- upload.c --- */
/* Bring a blob up with the next uploads_run, unless it is on its way already. */
void uploads_add(struct push *p, const struct oci_descriptor *d);
/* Bring all up. On failure open sessions are still there. */
int uploads_run(struct push *p, struct error *err);
/* Tell the registry that open sessions will not go on. Nobody waits long, nobody minds failure. */
void uploads_cancel(struct push *p);
void uploads_release(struct push *p);

/* --- push.c --- */
void push_open(struct push *p, struct registry *r, const struct registry_push *what);
void push_release(struct push *p);
/* Ask for leave to write, and to mount these blobs from where they are known to be. */
void push_want(struct push *p, const struct oci_descriptor *blobs, size_t count);
/* The same, and ask what there is: of blobs the first that are known, more: others will follow. */
int push_ask(struct push *p, const struct oci_descriptor *blobs, size_t count, bool more,
			 struct error *err);
/* All that the image (what.image, in the graph) still lacks; result is moved out of p. */
int push_finish(struct push *p, struct registry_result *result, struct error *err);
/* Close what is open, and say what could not be done. -1. */
int push_fail(struct push *p, struct error *err);
