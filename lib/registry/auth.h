/* auth.h - who we are to one registry: Basic, or Bearer tokens of the service that the registry
 * names (distribution: docs/content/spec/auth/token.md, oauth.md, scope.md). For lib/registry/ and
 * its tests.
 *
 * What is asked for is computed here, never taken over from a challenge. Tokens live in memory,
 * each for the scopes it was asked for. Credentials go to the registry's origin, and to a token
 * service on the same host name or, both over https, in the same parent domain; another service is
 * asked anonymously. */
#pragma once

#include "base/strv.h"
#include "conf/creds.h"
#include "http/challenge.h"
#include "http/client.h"

#define AUTH_MAX_TOKEN_BYTES (32u << 10)
#define AUTH_MIN_LIFE_MS 60000
#define AUTH_MAX_LIFE_MS (24 * 3600 * 1000ll)
#define AUTH_FRESH_MS 2000 /* a token this young is not asked for again */

struct auth_token {
	char *scopes; /* joined by spaces */
	char *value;  /* secret */
	int64_t since_ms;
	int64_t refresh_ms; /* from then on a new one is asked for: 80 % of its life */
};

struct auth_options {
	const char *host;          /* as the user writes it: for finding credentials and for messages */
	const struct url *api;     /* where the registry is; borrowed */
	struct creds_store *store; /* NULL: anonymous; borrowed */
	struct http_client *client; /* for asking token services; made with auth_for_tokens; borrowed */
	const struct clock *clock;
	const struct log *log;
};

struct auth {
	struct auth_options o;
	char *name;         /* repository, for path-scoped credentials; NULL */
	struct strv scopes; /* what the work at hand needs, the most important first */
	struct creds creds;
	bool looked;          /* for credentials */
	bool basic;           /* the registry asks for Basic */
	bool foreign_service; /* the token service is not given credentials */
	struct url realm;     /* host NULL: not told yet */
	char *service;
	char *extra_scope; /* a scope of the server's own kind: "aws" */
	struct auth_token *tokens;
	size_t token_count, token_cap;
	char *asking_value; /* Authorization of the token request that is under way */
};

void auth_init(struct auth *a, const struct auth_options *o);
void auth_release(struct auth *a);

/* The callbacks for the client that speaks to the registry, and for the one that speaks to token
 * services. */
struct http_auth auth_for_registry(struct auth *a);
struct http_auth auth_for_tokens(struct auth *a);

/* From now on ask for this: ACTIONS ("pull", "pull,push") on NAME, and pull on each of others
 * (NULL: none). */
void auth_want(struct auth *a, const char *name, const char *actions, const struct strv *others);
/* Use these credentials instead of looking for some. */
void auth_use(struct auth *a, const struct creds *c);
/* Were there credentials to send? */
bool auth_has_creds(const struct auth *a);

/* --- token.c --- */
/* May this realm be asked, and with credentials? ERR_DENIED when not at all: "token service must
 * use https" ... */
int auth_check_realm(const struct url *api, const struct url *realm, bool *with_creds,
					 struct error *err);
/* Read a token service's answer: the token and its life. ERR_INPUT. */
int auth_read_token(struct span body, const char *name, char **value, int64_t *life_ms,
					struct error *err);
