/* creds_private.h - what the parts of creds share; for lib/conf/ only. */
#pragma once

#include "base/strv.h"
#include "conf/creds.h"
#include "doc/json.h"

#define CREDS_DOCKER_HUB "docker.io"
#define CREDS_DOCKER_HUB_KEY "https://index.docker.io/v1/"

/* Overwrite a secret and free it. NULL is fine. */
void creds_wipe(char *secret);
void creds_copy(const struct creds *from, struct creds *to);

/* The entry of auths for HOST/NAME, the most special first, and its key; NULL when there is none or
 * it is empty. */
json_t *creds_entry(const json_t *file, const char *host, const char *name, const char **key);
/* Read an entry. where: "PATH: auths.KEY", for messages. */
int creds_read_entry(const json_t *entry, const char *where, struct creds *out, struct error *err);
/* The helper that a file names for a host, or NULL. Borrowed. */
const char *creds_helper_name(const json_t *file, const char *host);

/* docker-credential-NAME. */
struct creds_helper {
	const char *name;
	const struct cancel *cancel;
};

/* Nothing found is success with username NULL. */
int creds_helper_get(const struct creds_helper *h, const char *host, struct creds *out,
					 struct error *err);
int creds_helper_store(const struct creds_helper *h, const char *host, const struct creds *c,
					   struct error *err);
/* *erased: there was something to erase. */
int creds_helper_erase(const struct creds_helper *h, const char *host, bool *erased,
					   struct error *err);
