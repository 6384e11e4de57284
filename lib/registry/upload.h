/* upload.h - one push under way; for push.c and upload.c. */
#pragma once

#include "base/list.h"
#include "registry/session.h"

/* One blob on its way up. */
struct upload {
	struct job job; /* first */
	struct push *push;
	const struct oci_descriptor *d;
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
	const struct registry_push *what;
	struct registry_result *result;
	struct mounts mounts;
	LIST(struct oci_manifest) manifests;     /* children before their index, the named one last */
	LIST(struct oci_descriptor) descriptors; /* of manifests */
	LIST(struct oci_descriptor) blobs;
	struct upload *uploads; /* one a blob */
	struct jobs jobs;
	bool repository_is_new;
};

/* Bring all blobs up. On failure open sessions are still in p->uploads. */
int uploads_run(struct push *p, struct error *err);
/* Tell the registry that open sessions will not go on. Nobody waits long, nobody minds failure. */
void uploads_cancel(struct push *p);
void uploads_release(struct push *p);
