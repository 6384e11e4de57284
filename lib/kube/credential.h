/* credential.h - the Authorization of a cluster's user: static token, rotating token file, Basic,
 * or an exec credential plugin (client.authentication.k8s.io/v1 and v1beta1; client-go
 * plugin/pkg/client/auth/exec).
 *
 * A plugin is run by argv, never through a shell, when its answer is first needed, kept until it
 * expires, and run once more after a 401. Its errors are cleaned of control characters; its answer
 * never reaches a message. */
#pragma once

#include "base/cancel.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/client.h"
#include "kube/config.h"

#define KUBE_EXEC_MAX_BYTES (1u << 20)
#define KUBE_EXEC_TIMEOUT_MS 60000

struct kube_credential {
	const struct kube_config *config; /* borrowed */
	const struct clock *clock;
	const struct cancel *cancel;
	const struct progress *progress;
	char *token;                  /* what the file or the plugin said last */
	struct buf cert_pem, key_pem; /* from the plugin; empty: the configuration's */
	int64_t expires_s;            /* 0: not known */
	int64_t read_at_ms;           /* when the token file was read */
	bool asked;                   /* the plugin has answered */
};

/* Fill *c; runs the plugin, if there is one, because the connection needs its certificate.
 * ERR_MISSING: no such program (with its installHint); ERR_DENIED: it failed; ERR_INPUT: its answer
 * does not parse. */
int kube_credential_open(const struct kube_config *config, const struct clock *clock,
						 const struct cancel *cancel, const struct progress *progress,
						 struct kube_credential *c, struct error *err);
void kube_credential_release(struct kube_credential *c);

/* An http_auth `get`; user is the struct. */
int kube_credential_get(void *user, const struct http_request *request,
						const struct http_response *denied, struct buf *value, struct error *err);

/* Read one ExecCredential answer into c. For tests. */
int kube_credential_read(struct kube_credential *c, struct span answer, struct error *err);
