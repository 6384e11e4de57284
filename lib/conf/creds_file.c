#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/creds_private.h"
#include "crypto/base64.h"

#include <string.h>

/* "https://index.docker.io/v1/" -> "docker.io", "http://host:5000/" -> "host:5000", "host/ns"
 * stays. Caller frees. */
static char *plain_key(const char *key)
{
	const char *from = key;
	size_t len;

	if (text_starts(from, "https://"))
		from += strlen("https://");
	else if (text_starts(from, "http://"))
		from += strlen("http://");
	len = strlen(from);
	while (len > 0 && from[len - 1] == '/')
		len--;
	/* API versions that older clients wrote behind the host */
	if (len > 3 && (memcmp(from + len - 3, "/v1", 3) == 0 || memcmp(from + len - 3, "/v2", 3) == 0))
		len -= 3;
	if ((len == strlen("index.docker.io") && memcmp(from, "index.docker.io", len) == 0) ||
		(len == strlen("registry-1.docker.io") && memcmp(from, "registry-1.docker.io", len) == 0))
		return xstrdup(CREDS_DOCKER_HUB);
	return xstrndup(from, len);
}

/* docker leaves {} behind where a helper has the secret. */
static bool has_secret(const json_t *entry)
{
	static const char *const members[] = {"auth", "password", "identitytoken"};

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (doc_text(entry, members[i], "")[0])
			return true;
	return false;
}

static json_t *find_key(json_t *auths, const char *wanted, const char **key)
{
	const char *k;
	json_t *entry;

	json_object_foreach(auths, k, entry)
	{
		AUTO_FREE char *plain = plain_key(k);

		if (strcmp(plain, wanted) == 0 && has_secret(entry)) {
			*key = k;
			return entry;
		}
	}
	return NULL;
}

json_t *creds_entry(const json_t *file, const char *host, const char *name, const char **key)
{
	json_t *auths = json_object_get(file, "auths");
	AUTO_FREE char *scope = name ? xasprintf("%s/%s", host, name) : xstrdup(host);

	for (;;) {
		json_t *entry = find_key(auths, scope, key);
		char *slash = strrchr(scope, '/');

		if (entry || !slash)
			return entry;
		*slash = '\0';
	}
}

static int bad_entry(const char *where, struct error *err)
{
	err_set(err, ERR_INPUT, "%s.auth is not base64 of USER:PASSWORD", where);
	return err_hint(err, "log in again once the entry is removed from the file");
}

static int read_auth(const char *auth, const char *where, struct creds *out, struct error *err)
{
	AUTO(buf) struct buf plain = {0};
	struct error ignored;
	const char *colon;
	size_t len;

	if (base64_decode(auth, strlen(auth), &plain, &ignored) < 0)
		return bad_entry(where, err);
	/* some writers pad with NULs; one within would cut the password */
	for (len = plain.len; len > 0 && plain.data[len - 1] == '\0';)
		len--;
	colon = strchr(buf_str(&plain), ':');
	if (colon && strlen(plain.data) == len) {
		out->username = xstrndup(plain.data, (size_t)(colon - plain.data));
		out->password = xstrdup(colon + 1);
	}
	if (plain.data)
		explicit_bzero(plain.data, plain.cap);
	return out->password ? 0 : bad_entry(where, err);
}

int creds_read_entry(const json_t *entry, const char *where, struct creds *out, struct error *err)
{
	AUTO(creds) struct creds c = {0};
	const char *auth = doc_text(entry, "auth", "");
	const char *token = doc_text(entry, "identitytoken", "");

	if (auth[0]) {
		if (read_auth(auth, where, &c, err) < 0)
			return -1;
	} else {
		c.username = xstrdup(doc_text(entry, "username", ""));
		c.password = xstrdup(doc_text(entry, "password", ""));
	}
	if (token[0])
		c.identity_token = xstrdup(token);
	*out = MOVE(c);
	return 0;
}

const char *creds_helper_name(const json_t *file, const char *host)
{
	json_t *helpers = json_object_get(file, "credHelpers");
	const char *key;
	json_t *value;

	json_object_foreach(helpers, key, value)
	{
		AUTO_FREE char *plain = plain_key(key);

		if (strcmp(plain, host) == 0)
			return json_string_value(value);
	}
	key = json_string_value(json_object_get(file, "credsStore"));
	return key && *key ? key : NULL;
}
