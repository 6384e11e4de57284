/* creds.h - registry credentials as docker and podman keep them.
 *
 * Order of looking: $DOCKER_AUTH_CONFIG (JSON), $REGISTRY_AUTH_FILE,
 * $XDG_RUNTIME_DIR/containers/auth.json,
 * ~/.config/containers/auth.json, $DOCKER_CONFIG/config.json or ~/.docker/config.json. In a file:
 * credHelpers[host], credsStore, auths, with path-scoped keys longest first. A helper is asked once
 * per host and process. (docker/cli configfile; containers-auth.json(5); docker-credential-helpers
 * protocol.) */
#pragma once

#include "base/cancel.h"
#include "base/error.h"
#include "base/map.h"

#include <stdbool.h>

#define CREDS_MAX_FILE_BYTES (1u << 20)
#define CREDS_HELPER_TIMEOUT_MS 30000

/* A secret is wiped when released. */
struct creds {
	char *username; /* NULL: anonymous */
	char *password;
	char *identity_token; /* OAuth2 refresh token instead of a password, or NULL */
};

void creds_release(struct creds *c);

struct creds_store {
	struct map cache;            /* what helpers answered */
	const char *file;            /* --authfile, or NULL */
	const struct cancel *cancel; /* ends a helper that is waited for; may be NULL */
};

void creds_store_release(struct creds_store *s);

/* Credentials for HOST/NAME (name may be NULL). Nothing found is success with username NULL.
 * ERR_INPUT: a file or a helper's answer does not parse. */
int creds_find(struct creds_store *s, const char *host, const char *name, struct creds *out,
			   struct error *err);
/* Store or remove, in the helper that is configured for the host, else in the docker config file
 * (mode 0600, atomically, other members kept). *where: what now holds it, for the message. Caller
 * frees. */
int creds_save(struct creds_store *s, const char *host, const struct creds *c, char **where,
			   struct error *err);
int creds_erase(struct creds_store *s, const char *host, char **where, struct error *err);
