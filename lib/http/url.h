/* url.h - pieces of a URL (RFC 3986), http and https only. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define URL_MAX_BYTES 16384

struct url {
	char *scheme; /* "http" or "https", lower case */
	char *host;   /* lower case; IPv6 in brackets */
	uint16_t port; /* the scheme's default when not written */
	char *path;   /* from the first '/', with the query, as written; at least "/" */
};

void url_release(struct url *u);

/* Refused: other schemes, userinfo, fragments (dropped), control bytes, spaces, more than URL_MAX_BYTES. ERR_INPUT. */
int url_parse(const char *text, struct url *out, struct error *err);
/* Resolve a reference (absolute, "//host/...", "/path", "?query", relative) against base (RFC 3986, section 5.2). */
int url_resolve(const struct url *base, const char *reference, struct url *out, struct error *err);
/* The text; the default port is left out. Caller frees. */
char *url_text(const struct url *u);
/* "https://host:port" with the default port left out: what credentials belong to. Caller frees. */
char *url_origin(const struct url *u);
bool url_same_origin(const struct url *a, const struct url *b);
/* Is the host localhost, 127.0.0.0/8 or [::1]? */
bool url_is_loopback(const struct url *u);
/* Append text with everything but unreserved letters percent-encoded. */
void url_encode(const char *text, struct buf *out);
