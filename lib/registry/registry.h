/* registry.h - one registry: who may speak to it, and images moved from and to it (OCI
 * distribution-spec v1.1).
 *
 * A `struct registry` belongs to one host. https, except for loopback hosts that answer in plain
 * http and for hosts the user named with --plain-http; never a fall-back after a failed
 * verification. The first request is the one that does the work: no ping. Credentials go to the
 * registry's origin and to a token service that belongs to it, nowhere else. Bodies are hashed
 * here, digests of others are compared, never believed.
 *
 * Errors name host, repository, request, status and what the registry said, and hint at the next
 * step: ERR_DENIED 401, 403, refused credentials, TLS verification, a redirect of credentials;
 * ERR_MISSING 404; ERR_INPUT an answer that is malformed, too large or not what its digest says;
 * ERR_NET no answer, 429, 5xx; ERR_INTERRUPTED.
 */
#pragma once

#include "base/auto.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "conf/creds.h"
#include "oci/manifest.h"
#include "oci/ref.h"
#include "oci/store.h"

#include <stdbool.h>
#include <stdint.h>

#define REGISTRY_PARALLEL 6    /* blobs on their way at once */
#define REGISTRY_MAX_UPLOADS 5 /* upload sessions tried for one blob */

struct registry;
struct http_transport;

/* All borrowed for the registry's life. */
struct registry_options {
	const char *host;          /* as in a reference; docker.io is translated */
	struct creds_store *creds; /* NULL: anonymous */
	const char *ca_file;       /* trust these roots instead of the system's. NULL: certs.d */
	bool plain_http;           /* http, although the host is not loopback */
	int64_t timeout_ms;        /* give up on everything after so long; 0: never */
	const struct clock *clock; /* NULL: the system's */
	const struct cancel *cancel;
	const struct log *log;
	const struct progress *progress;
	const char *cache_dir; /* where to remember which repository has which blob; NULL: nowhere */
	/* For unit tests; NULL: libcurl. Not freed. */
	struct http_transport *transport;
	struct http_transport *token_transport;
};

/* Asks the network nothing, except a loopback host whether it speaks TLS. ERR_INPUT: certs.d or
 * --ca is unreadable. */
int registry_open(const struct registry_options *options, struct registry **out, struct error *err);
void registry_free(struct registry *r);
DEFINE_AUTO_PTR(registry)

/* Do these credentials open the registry? ERR_DENIED when not. */
int registry_check_login(struct registry *r, const struct creds *c, struct error *err);

/* The manifest or index that ref names, verified; *d is what describes it. */
int registry_get_manifest(struct registry *r, const struct oci_ref *ref, struct oci_descriptor *d,
						  struct oci_manifest *out, struct error *err);
/* A small blob of ref's repository (a config), verified; at most OCI_MAX_MANIFEST_BYTES. */
int registry_get_blob(struct registry *r, const struct oci_ref *ref, const struct oci_descriptor *d,
					  struct buf *out, struct error *err);
/* ERR_MISSING with what there is, when the index has nothing for the platform. Borrowed. */
int registry_choose(const struct oci_manifest *index, const struct oci_platform *want,
					const char *name, const struct oci_descriptor **out, struct error *err);

/* What a transfer did. */
struct registry_result {
	struct oci_descriptor image; /* what the reference names now */
	size_t moved;                /* blobs up- or downloaded */
	size_t present;              /* blobs that were there */
	size_t mounted;              /* blobs linked from another repository */
	size_t manifests;            /* manifests moved */
	uint64_t moved_bytes;
	json_t *
		blobs; /* [{digest, size, outcome}]: "uploaded", "downloaded", "already there", "mounted" */
};

void registry_result_release(struct registry_result *r);

struct registry_push {
	struct oci_store *store;
	const struct oci_descriptor *image; /* manifest or index of the store */
	const struct oci_ref *to;
	const char *mount_from; /* repository of the same registry that may have the blobs; NULL: what
							   is remembered */
};

/* Blobs first, manifests after them, children before their index, the named one last. What is there
 * is not sent. After ERR_INTERRUPTED open uploads are cancelled. A blob of the store that turns out
 * damaged is dropped (ERR_INPUT). */
int registry_push(struct registry *r, const struct registry_push *what,
				  struct registry_result *result, struct error *err);

struct registry_pull {
	struct oci_store *store;
	const struct oci_ref *from;
	const struct oci_platform *platform; /* of an index; NULL: this machine's */
	bool all_platforms;                  /* keep the index and all that it names */
	bool keep_index; /* let the name lead to the index though one platform's image is fetched */
};

/* Into the store, named by the full reference once all of it is there and verified. After a failure
 * nothing is named; layers that came completely stay for the next try. */
int registry_pull(struct registry *r, const struct registry_pull *what,
				  struct registry_result *result, struct error *err);
