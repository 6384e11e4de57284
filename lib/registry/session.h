/* session.h - what the parts of lib/registry share: one host's client, and requests on one
 * repository. */
#pragma once

#include "base/list.h"
#include "http/client.h"
#include "http/url.h"
#include "registry/auth.h"
#include "registry/registry.h"

#define REGISTRY_MAX_CERT_BYTES (1u << 20)
#define REGISTRY_BULK_BYTES (256u << 10) /* larger bodies get a connection of their own */
/* For Accept: what oci_manifest_parse reads. */
#define REGISTRY_MANIFEST_TYPES \
	OCI_MEDIA_INDEX ", " DOCKER_MEDIA_LIST ", " OCI_MEDIA_MANIFEST ", " DOCKER_MEDIA_MANIFEST

struct registry {
	struct registry_options o;
	const struct clock *clock;
	struct url api;           /* "https://host/" */
	struct buf ca, cert, key; /* PEM, from certs.d */
	struct auth auth;
	struct http_auth auth_callback, token_callback;
	struct http_client *client;
	struct http_client *token_client;
	int64_t deadline_ms; /* 0: none */
};

/* Options of a client for this registry, everything but auth, transport and cancel. */
void session_http_options(const struct registry *r, struct http_options *out);
/* "https://host/v2/NAME/REST"; name NULL: "https://host/v2/". Caller frees. */
char *session_url(const struct registry *r, const char *name, const char *rest);
/* Fails once the time that the user gave is over. */
int session_check_time(const struct registry *r, struct error *err);
/* A small request: send and wait. Any status is success. */
int session_send(struct registry *r, const struct http_request *request,
				 struct http_response *response, struct error *err);
/* The error of an answer that is not what was hoped for: request, status, what the registry said,
 * hint. */
int session_status_error(const struct registry *r, const char *name,
						 const struct http_request *request, const struct http_response *response,
						 struct error *err);
/* A next step for an error that has none. */
void session_hint(const struct registry *r, struct error *err);
/* Does an error answer carry this code ("NAME_UNKNOWN")? */
bool session_has_code(const struct http_response *response, const char *code);

/* probe.c: does a loopback port speak TLS? Waits at most a second. */
bool probe_speaks_tls(const char *host, uint16_t port);
/* certs.c: the CA certificates and the client certificate that certs.d folders keep for a host, as
 * docker and podman do. Nothing there is success. *found: a folder exists. */
int certs_load(const char *host, struct registry *r, bool *found, struct error *err);

/* A list of things to do, several at once, each as a chain of requests. */
struct job {
	enum {
		JOB_WAITS = 0, /* not before not_before_ms */
		JOB_RUNS,
		JOB_DONE,
	} state;
	int64_t not_before_ms;
	struct http_exchange *exchange; /* its request that runs; each callback clears it first */
};

struct jobs {
	struct registry *r;
	LIST(struct job *) list;
	size_t running;
	int (*begin)(struct job *j, struct error *err); /* start the next request of a job */
	/* Adds jobs that have come; waits for some, not for long, when told to. 1: more may come; 0:
	 * that was all; -1. NULL: none come. */
	int (*feed)(void *user, bool wait, struct error *err);
	void *user;
};

/* Run all jobs to their end; begin is called for each that waits, also again for one that went back
 * to waiting. */
int jobs_run(struct jobs *set, struct error *err);
/* From a request's callback: the job is done, or waits for another try. Starts what may start now.
 */
int jobs_done(struct jobs *set, struct job *j, struct error *err);
int jobs_wait(struct jobs *set, struct job *j, int64_t delay_ms, struct error *err);

/* mounts.c: advice about which repositories of a host have a blob, kept in the cache folder. */
struct mounts {
	char *path;  /* NULL: nothing is kept */
	json_t *doc; /* {digest: [repository, ...]} */
	bool changed;
};

void mounts_load(struct mounts *m, const char *cache_dir, const char *host);
void mounts_release(struct mounts *m);
bool mounts_has(const struct mounts *m, const char *digest, const char *name);
/* A repository to mount a blob from into `into`; NULL when none is known, or `into` had the blob
 * itself. Borrowed. */
const char *mounts_find(const struct mounts *m, const char *digest, const char *into);
void mounts_add(struct mounts *m, const char *digest, const char *name);
/* Keep what is new. Failing to is nobody's problem. */
void mounts_save(struct mounts *m);

/* What became of a blob. */
void result_add(struct registry_result *result, const struct oci_descriptor *d,
				const char *outcome);
/* "layer 3f2a1c9d" for progress. Caller frees. */
char *blob_label(const struct oci_descriptor *d);
