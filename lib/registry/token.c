#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"
#include "doc/json.h"
#include "registry/auth.h"

#include <string.h>

#define DEFAULT_LIFE_S 60

/* The part of a host that its neighbours share: "example.com" of "registry.example.com", and of
 * "example.com" itself. NULL: an address, one label, or a part under which anybody may have a name
 * ("co.uk"). */
static const char *parent_domain(const char *host)
{
	static const char *const shared[] = {"co",  "com", "org", "net", "ac",
										 "gov", "edu", "or",  "ne",  "go"};
	const char *first = strchr(host, '.');
	const char *second = first ? strchr(first + 1, '.') : NULL;
	const char *parent = second ? first + 1 : host;
	size_t label;

	if (!first || host[0] == '[' || strspn(host, "0123456789.") == strlen(host))
		return NULL;
	label = strcspn(parent, ".");
	if (strlen(parent + label) == 3 && !strchr(parent + label + 1, '.'))
		for (size_t i = 0; i < ARRAY_LEN(shared); i++)
			if (strlen(shared[i]) == label && memcmp(parent, shared[i], label) == 0)
				return NULL;
	return parent;
}

static bool in_domain(const char *host, const char *domain)
{
	size_t host_len = strlen(host);
	size_t len = strlen(domain);

	if (strcmp(host, domain) == 0)
		return true;
	return host_len > len && host[host_len - len - 1] == '.' &&
		   strcmp(host + host_len - len, domain) == 0;
}

static bool belongs_to(const struct url *api, const struct url *realm)
{
	const char *domain;

	if (strcmp(api->host, realm->host) == 0)
		return true;
	if (strcmp(api->scheme, "https") != 0 || strcmp(realm->scheme, "https") != 0)
		return false;
	domain = parent_domain(api->host);
	return domain && in_domain(realm->host, domain);
}

int auth_check_realm(const struct url *api, const struct url *realm, bool *with_creds,
					 struct error *err)
{
	AUTO_FREE char *origin = url_origin(realm);
	bool same_host = strcmp(api->host, realm->host) == 0;

	if (strcmp(api->scheme, "https") == 0 && strcmp(realm->scheme, "https") != 0)
		return err_set(err, ERR_DENIED, "the token service %s must use https", origin);
	if (!same_host && url_reach(realm) != URL_PUBLIC && url_reach(realm) != url_reach(api))
		return err_set(err, ERR_DENIED,
					   "the token service %s is at an address that %s may not send us to", origin,
					   api->host);
	*with_creds = belongs_to(api, realm);
	return 0;
}

/* What may stand in a header; spaces would end the token (RFC 6750, section 2.1, is stricter than
 * what is in use). */
static bool is_token(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return len > 0 && len <= AUTH_MAX_TOKEN_BYTES;
}

int auth_read_token(struct span body, const char *name, char **value, int64_t *life_ms,
					struct error *err)
{
	AUTO_JSON json_t *doc = NULL;
	const char *token;
	int64_t life;

	if (doc_json_parse(body, name, &doc, err) < 0)
		return -1;
	token = doc_text(doc, "token", "");
	if (!token[0])
		token = doc_text(doc, "access_token", "");
	if (!token[0])
		return err_set(err, ERR_INPUT, "%s holds no token", name);
	if (!is_token(token))
		return err_set(err, ERR_INPUT,
					   "%s: the token is no token: too long or with strange characters", name);
	life = doc_int(doc, "expires_in", DEFAULT_LIFE_S);
	/* services send 0 and -1, too; the bounds keep a clumsy one from making us ask for ever */
	if (life < AUTH_MIN_LIFE_MS / 1000)
		life = AUTH_MIN_LIFE_MS / 1000;
	if (life > AUTH_MAX_LIFE_MS / 1000)
		life = AUTH_MAX_LIFE_MS / 1000;
	*value = xstrdup(token);
	*life_ms = life * 1000;
	return 0;
}
