/* remote.h - what the commands that talk to registries share. */
#pragma once

#include "cmd/out.h"
#include "registry/registry.h"

struct remote_options {
	const char *ca;
	const char *authfile;
	bool plain_http;
};

/* Rows for a command whose options have a member `struct remote_options remote`. */
#define REMOTE_OPTS(type)                                                       \
	OPT_PATH(0, "ca", type, remote.ca, "FILE",                                  \
			 "trust the certificates in FILE instead of the system's", "file"), \
		OPT_PATH(0, "authfile", type, remote.authfile, "FILE",                  \
				 "read and keep credentials in FILE only", "file"),             \
		OPT_FLAG(0, "plain-http", type, remote.plain_http,                      \
				 "speak http without TLS; loopback hosts need no flag")

/* One registry, ready to be asked. Not to be moved once open. */
struct remote {
	struct creds_store creds;
	char *cache_dir;
	struct registry *registry;
};

void remote_release(struct remote *r);
int remote_open(struct ctx *ctx, const struct remote_options *o, const char *host,
				struct remote *out, struct error *err);

/* Parse an operand, "latest" when it has neither tag nor digest. A bad one is ERR_USAGE. */
int remote_ref(const char *text, struct oci_ref *out, struct error *err);
/* The same; an operand that names no registry is ERR_USAGE. */
int remote_registry_ref(const char *text, struct oci_ref *out, struct error *err);
/* "HOST[:PORT]", as it stands in references; Docker Hub's other names become docker.io. ERR_USAGE.
 * Caller frees. */
int remote_host(const char *text, char **out, struct error *err);
/* Fetch an image into the store, for commands that need one (a base image, something to run).
 * platform NULL: this machine's; else that one, and the name leads to the index if there is one. */
int remote_pull(struct ctx *ctx, const struct remote_options *o, const char *ref,
				const struct oci_platform *platform, struct oci_store *store, struct error *err);
/* After a push: send what the store has beside the image (SBOM, provenance), too. */
int remote_push_sbom(struct remote *r, const struct registry_push *what, size_t *documents,
					 struct error *err);
void remote_note_sbom(struct ctx *ctx, size_t documents);
/* Say what a push or pull did: lines on stderr and HOST/NAME:TAG@DIGEST on stdout, or one document.
 */
int remote_report(struct ctx *ctx, const struct oci_ref *ref, const struct registry_result *result,
				  int64_t ms, struct error *err);
