/* url.h - pieces of a URL (RFC 3986), http and https only. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define URL_MAX_BYTES 16384

struct url {
	char *scheme;  /* "http" or "https", lower case */
	char *host;    /* lower case; IPv6 in brackets, canonical */
	uint16_t port; /* the scheme's default when not written */
	char *path;    /* from the first '/', with the query, as written; at least "/" */
};

void url_release(struct url *u);

/* Refused: other schemes, userinfo, control bytes, spaces, backslashes, IPv4 in other spellings
 * than a.b.c.d, more than URL_MAX_BYTES. A fragment is dropped. ERR_INPUT; the message shows
 * neither userinfo nor query. */
int url_parse(const char *text, struct url *out, struct error *err);
/* Resolve a reference (absolute, "//host/...", "/path", "?query", relative) against base (RFC 3986,
 * section 5.2). */
int url_resolve(const struct url *base, const char *reference, struct url *out, struct error *err);
/* The text; the default port is left out. Caller frees. */
char *url_text(const struct url *u);
/* "https://host:port" with the default port left out: what credentials belong to. Caller frees. */
char *url_origin(const struct url *u);
/* The text without its query: what messages and logs may show. Caller frees. */
char *url_label(const struct url *u);
bool url_same_origin(const struct url *a, const struct url *b);

/* How far away the host is, told from an address or "localhost" in the URL; other names are public.
 */
enum url_reach {
	URL_PUBLIC = 0,
	URL_PRIVATE,    /* 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7 */
	URL_LINK_LOCAL, /* 169.254/16 (cloud metadata), fe80::/10, multicast, reserved */
	URL_LOOPBACK,   /* localhost, *.localhost, 127/8, 0/8, ::1, :: */
};
enum url_reach url_reach(const struct url *u);
/* Is the host localhost, 127.0.0.0/8 or [::1]? */
bool url_is_loopback(const struct url *u);
/* Append text with everything but unreserved letters percent-encoded. */
void url_encode(const char *text, struct buf *out);
