#include "http/url.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/span.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX_BYTES 255

void url_release(struct url *u)
{
	free(u->scheme);
	free(u->host);
	free(u->path);
	*u = (struct url){0};
}

/* What a message may show of a text that is no URL: neither userinfo nor query. */
static int refuse(struct error *err, const char *text, const char *why)
{
	size_t shown = strcspn(text, "?#");

	if (memchr(text, '@', shown))
		return err_set(err, ERR_INPUT, "URL %s", why);
	return err_set(err, ERR_INPUT, "URL '%.*s' %s", shown > 200 ? 200 : (int)shown, text, why);
}

static bool has_bad_bytes(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f || *text == '\\')
			return true;
	return false;
}

static char *lower(const char *text, size_t len)
{
	char *out = xstrndup(text, len);

	for (char *c = out; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return out;
}

/* The address in its one canonical spelling, in brackets; NULL when it is none. */
static char *ipv6_host(struct span host)
{
	AUTO_FREE char *inner = NULL;
	char canonical[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (host.len < 4 || host.data[host.len - 1] != ']')
		return NULL;
	inner = xstrndup(host.data + 1, host.len - 2);
	if (inet_pton(AF_INET6, inner, &address) != 1)
		return NULL;
	inet_ntop(AF_INET6, &address, canonical, sizeof(canonical));
	return xasprintf("[%s]", canonical);
}

static char *name_host(struct span host)
{
	AUTO_FREE char *name = NULL;
	struct in_addr address;

	if (host.len == 0 || host.len > HOST_MAX_BYTES || host.data[0] == '.')
		return NULL;
	for (size_t i = 0; i < host.len; i++) {
		unsigned char c = (unsigned char)host.data[i];

		if (!isalnum(c) && c != '-' && c != '.' && c != '_')
			return NULL;
		if (c == '.' && i && host.data[i - 1] == '.')
			return NULL;
	}
	name = lower(host.data, host.len);
	/* "0x7f.1" and "2130706433" are 127.0.0.1 to the resolver: only the plain spelling of an
	 * address is let in, so that the rules about addresses see what will be connected to */
	if (inet_aton(name, &address) && inet_pton(AF_INET, name, &address) != 1)
		return NULL;
	return TAKE(name);
}

static int parse_authority(struct span authority, struct url *u)
{
	const char *close = authority.len && authority.data[0] == '['
							? memchr(authority.data, ']', authority.len)
							: NULL;
	const char *from = close ? close : authority.data;
	size_t rest = authority.len - (size_t)(from - authority.data);
	const char *colon = rest ? memchr(from, ':', rest) : NULL;
	struct span host = {authority.data, authority.len};

	u->port = strcmp(u->scheme, "https") == 0 ? 443 : 80;
	if (colon) {
		AUTO_FREE char *port = NULL;
		int64_t number;

		host.len = (size_t)(colon - authority.data);
		port = xstrndup(colon + 1, authority.len - host.len - 1);
		if (*port) {
			if (!isdigit((unsigned char)*port) || !text_to_int(port, 1, 65535, &number))
				return -1;
			u->port = (uint16_t)number;
		}
	}
	u->host = close ? ipv6_host(host) : name_host(host);
	return u->host ? 0 : -1;
}

int url_parse(const char *text, struct url *out, struct error *err)
{
	AUTO(url) struct url u = {0};
	const char *rest;
	size_t authority_len;
	size_t path_len;

	if (strlen(text) > URL_MAX_BYTES)
		return err_set(err, ERR_INPUT, "URL of more than %d bytes", URL_MAX_BYTES);
	if (has_bad_bytes(text))
		return refuse(err, text, "has a space, a backslash or a control character in it");
	if (strncasecmp(text, "https://", 8) == 0)
		u.scheme = xstrdup("https");
	else if (strncasecmp(text, "http://", 7) == 0)
		u.scheme = xstrdup("http");
	else
		return refuse(err, text, "does not start with https:// or http://");
	rest = text + strlen(u.scheme) + 3;
	authority_len = strcspn(rest, "/?#");
	if (memchr(rest, '@', authority_len))
		return err_set(err, ERR_INPUT, "URL with a user name in it");
	if (parse_authority((struct span){rest, authority_len}, &u) < 0)
		return refuse(err, text, "has no valid host and port");
	rest += authority_len;
	path_len = strcspn(rest, "#");
	u.path = xasprintf("%s%.*s", *rest == '/' ? "" : "/", (int)path_len, rest);
	*out = MOVE(u);
	return 0;
}

/* RFC 3986, section 5.2.4, for the path in front of a query; in place. */
static void remove_dot_segments(char *path)
{
	size_t path_len = strcspn(path, "?");
	char *query = path + path_len;
	char *in = path;
	char *out = path;

	while (in < query) {
		char *end = in + 1;
		size_t len;

		while (end < query && *end != '/')
			end++;
		len = (size_t)(end - in); /* "/segment" */
		if (len == 3 && in[1] == '.' && in[2] == '.') {
			while (out > path && *--out != '/')
				;
			if (end == query)
				*out++ = '/';
		} else if (len == 2 && in[1] == '.') {
			if (end == query)
				*out++ = '/';
		} else {
			memmove(out, in, len);
			out += len;
		}
		in = end;
	}
	if (out == path)
		*out++ = '/';
	memmove(out, query, strlen(query) + 1);
}

static bool has_scheme(const char *reference)
{
	size_t len = strspn(reference, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
								   "0123456789+-.");

	return len > 0 && reference[len] == ':' && isalpha((unsigned char)reference[0]);
}

/* The absolute text of a reference without scheme, dots not yet removed. */
static char *merge(const struct url *base, const char *reference)
{
	AUTO_FREE char *origin = url_origin(base);
	size_t base_path = strcspn(base->path, "?");

	if (reference[0] == '/' && reference[1] == '/')
		return xasprintf("%s:%s", base->scheme, reference);
	if (reference[0] == '/')
		return xasprintf("%s%s", origin, reference);
	if (reference[0] == '\0' || reference[0] == '#')
		return xasprintf("%s%s", origin, base->path);
	if (reference[0] != '?')
		while (base_path > 0 && base->path[base_path - 1] != '/')
			base_path--;
	return xasprintf("%s%.*s%s", origin, (int)base_path, base->path, reference);
}

int url_resolve(const struct url *base, const char *reference, struct url *out, struct error *err)
{
	AUTO_FREE char *text = has_scheme(reference) ? xstrdup(reference) : merge(base, reference);
	AUTO(url) struct url u = {0};

	if (url_parse(text, &u, err) < 0)
		return -1;
	remove_dot_segments(u.path);
	*out = MOVE(u);
	return 0;
}

static bool default_port(const struct url *u)
{
	return u->port == (strcmp(u->scheme, "https") == 0 ? 443 : 80);
}

char *url_origin(const struct url *u)
{
	if (default_port(u))
		return xasprintf("%s://%s", u->scheme, u->host);
	return xasprintf("%s://%s:%u", u->scheme, u->host, u->port);
}

char *url_text(const struct url *u)
{
	AUTO_FREE char *origin = url_origin(u);

	return xasprintf("%s%s", origin, u->path);
}

char *url_label(const struct url *u)
{
	AUTO_FREE char *origin = url_origin(u);

	return xasprintf("%s%.*s", origin, (int)strcspn(u->path, "?"), u->path);
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return a->port == b->port && strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0;
}

static enum url_reach reach_ipv4(uint32_t ip)
{
	if (ip >> 24 == 127 || ip >> 24 == 0)
		return URL_LOOPBACK;
	if (ip >> 16 == 0xa9fe) /* 169.254.0.0/16, cloud metadata lives there */
		return URL_LINK_LOCAL;
	if (ip >> 24 == 10 || ip >> 20 == 0xac1 || ip >> 16 == 0xc0a8 || ip >> 22 == 0x191)
		return URL_PRIVATE; /* 10/8, 172.16/12, 192.168/16, 100.64/10 */
	return ip >> 28 >= 14 ? URL_LINK_LOCAL : URL_PUBLIC; /* multicast and reserved */
}

static enum url_reach reach_ipv6(const struct in6_addr *a)
{
	const unsigned char *b = a->s6_addr;
	uint32_t low = (uint32_t)b[12] << 24 | (uint32_t)b[13] << 16 | (uint32_t)b[14] << 8 | b[15];

	if (IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_UNSPECIFIED(a))
		return URL_LOOPBACK;
	if (IN6_IS_ADDR_V4MAPPED(a) || IN6_IS_ADDR_V4COMPAT(a) ||
		memcmp(b, "\x00\x64\xff\x9b\0\0\0\0\0\0\0\0", 12) == 0) /* 64:ff9b::/96, NAT64 */
		return reach_ipv4(low);
	if (IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_MULTICAST(a))
		return URL_LINK_LOCAL;
	return (b[0] & 0xfe) == 0xfc || IN6_IS_ADDR_SITELOCAL(a) ? URL_PRIVATE : URL_PUBLIC;
}

enum url_reach url_reach(const struct url *u)
{
	AUTO_FREE char *name = xstrdup(u->host);
	size_t len = strlen(name);
	struct in_addr v4;
	struct in6_addr v6;

	if (name[0] == '[') {
		name[len - 1] = '\0';
		return inet_pton(AF_INET6, name + 1, &v6) == 1 ? reach_ipv6(&v6) : URL_PUBLIC;
	}
	if (len && name[len - 1] == '.')
		name[len - 1] = '\0';
	if (inet_pton(AF_INET, name, &v4) == 1)
		return reach_ipv4(ntohl(v4.s_addr));
	return strcmp(name, "localhost") == 0 || text_ends(name, ".localhost") ? URL_LOOPBACK
																		   : URL_PUBLIC;
}

bool url_is_loopback(const struct url *u)
{
	return url_reach(u) == URL_LOOPBACK;
}

void url_encode(const char *text, struct buf *out)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~')
			buf_addc(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
}
