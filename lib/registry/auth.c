#include "registry/auth.h"

#include "base/mem.h"
#include "crypto/base64.h"

#include <string.h>
#include <strings.h>

#define CLIENT_ID "msctl"

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

static void wipe_buf(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_release(b);
}
#define AUTO_SECRET __attribute__((cleanup(wipe_buf)))

void auth_init(struct auth *a, const struct auth_options *o)
{
	*a = (struct auth){.o = *o};
}

static void forget_tokens(struct auth *a)
{
	for (size_t i = 0; i < a->token_count; i++) {
		free(a->tokens[i].scopes);
		wipe(a->tokens[i].value);
	}
	free(a->tokens);
	a->tokens = NULL;
	a->token_count = a->token_cap = 0;
}

void auth_release(struct auth *a)
{
	forget_tokens(a);
	free(a->name);
	strv_release(&a->scopes);
	creds_release(&a->creds);
	url_release(&a->realm);
	free(a->service);
	free(a->extra_scope);
	wipe(a->asking_value);
	*a = (struct auth){0};
}

void auth_want(struct auth *a, const char *name, const char *actions, const struct strv *others)
{
	strv_release(&a->scopes);
	if (name)
		strv_addf(&a->scopes, "repository:%s:%s", name, actions);
	for (size_t i = 0; others && i < others->count; i++)
		strv_addf(&a->scopes, "repository:%s:pull", others->items[i]);
	free(a->name);
	a->name = xstrdup_opt(name);
}

void auth_use(struct auth *a, const struct creds *c)
{
	creds_release(&a->creds);
	a->creds = (struct creds){xstrdup_opt(c->username), xstrdup_opt(c->password),
							  xstrdup_opt(c->identity_token)};
	a->looked = true;
	forget_tokens(a);
}

bool auth_has_creds(const struct auth *a)
{
	return a->creds.username != NULL;
}

static int look(struct auth *a, struct error *err)
{
	if (a->looked || !a->o.store)
		return 0;
	if (creds_find(a->o.store, a->o.host, a->name, &a->creds, err) < 0)
		return -1;
	a->looked = true;
	return 0;
}

static void add_basic(const struct creds *c, struct buf *out)
{
	AUTO_SECRET struct buf plain = {0};

	buf_addf(&plain, "%s:%s", c->username, c->password ? c->password : c->identity_token);
	buf_adds(out, "Basic ");
	base64_encode(plain.data, plain.len, out);
}

static char *joined_scopes(const struct auth *a)
{
	AUTO(buf) struct buf text = {0};

	for (size_t i = 0; i < a->scopes.count; i++)
		buf_addf(&text, "%s%s", i ? " " : "", a->scopes.items[i]);
	if (a->extra_scope)
		buf_addf(&text, "%s%s", text.len ? " " : "", a->extra_scope);
	return buf_take(&text);
}

static struct auth_token *find_token(struct auth *a, const char *scopes)
{
	for (size_t i = 0; i < a->token_count; i++)
		if (strcmp(a->tokens[i].scopes, scopes) == 0)
			return &a->tokens[i];
	return NULL;
}

static void keep_token(struct auth *a, const char *scopes, char *value, int64_t life_ms)
{
	struct auth_token *t = find_token(a, scopes);
	int64_t now = clock_now(a->o.clock);

	if (!t) {
		if (a->token_count == a->token_cap) {
			a->token_cap = a->token_cap ? a->token_cap * 2 : 4;
			a->tokens = xrealloc(a->tokens, a->token_cap, sizeof(*a->tokens));
		}
		t = &a->tokens[a->token_count++];
		*t = (struct auth_token){.scopes = xstrdup(scopes)};
	}
	wipe(t->value);
	t->value = value;
	t->since_ms = now;
	t->refresh_ms = now + life_ms / 5 * 4;
}

/* --- asking a token service --- */

static void add_query(struct buf *url, const char *name, const char *value)
{
	buf_addc(url, strchr(buf_str(url), '?') ? '&' : '?');
	buf_addf(url, "%s=", name);
	url_encode(value, url);
}

static char *get_url(const struct auth *a, bool with_creds)
{
	AUTO_FREE char *base = url_text(&a->realm);
	AUTO(buf) struct buf url = {0};

	buf_adds(&url, base);
	if (a->service)
		add_query(&url, "service", a->service);
	for (size_t i = 0; i < a->scopes.count; i++)
		add_query(&url, "scope", a->scopes.items[i]);
	if (a->extra_scope)
		add_query(&url, "scope", a->extra_scope);
	add_query(&url, "client_id", CLIENT_ID);
	if (with_creds && a->creds.username[0])
		add_query(&url, "account", a->creds.username);
	return buf_take(&url);
}

/* OAuth2, for identity tokens: all scopes in one parameter. */
static void add_form(const struct auth *a, struct buf *form)
{
	AUTO_FREE char *scopes = joined_scopes(a);

	buf_adds(form, "grant_type=refresh_token&client_id=" CLIENT_ID "&service=");
	url_encode(a->service ? a->service : "", form);
	buf_adds(form, "&scope=");
	url_encode(scopes, form);
	buf_adds(form, "&refresh_token=");
	url_encode(a->creds.identity_token, form);
}

static int post_form(struct auth *a, struct http_response *response, struct error *err)
{
	AUTO_FREE char *url = url_text(&a->realm);
	AUTO_SECRET struct buf form = {0};
	AUTO(http_request)
	struct http_request request = {
		.method = "POST", .url = url, .has_body = true, .max_bytes = HTTP_MAX_TOKEN_BYTES};

	add_form(a, &form);
	request.body = (struct http_body){.data = form.data, .fd = -1, .len = form.len};
	http_headers_add(&request.headers, "Content-Type", "application/x-www-form-urlencoded");
	http_headers_add(&request.headers, "Accept", "application/json");
	return http_send(a->o.client, &request, response, err);
}

static int get_token(struct auth *a, bool with_creds, struct http_response *response,
					 struct error *err)
{
	AUTO_FREE char *url = get_url(a, with_creds);
	AUTO(http_request)
	struct http_request request = {.method = "GET", .url = url, .max_bytes = HTTP_MAX_TOKEN_BYTES};
	int rc;

	http_headers_add(&request.headers, "Accept", "application/json");
	if (with_creds) {
		AUTO_SECRET struct buf value = {0};

		add_basic(&a->creds, &value);
		a->asking_value = buf_take(&value);
	}
	rc = http_send(a->o.client, &request, response, err);
	wipe(a->asking_value);
	a->asking_value = NULL;
	return rc;
}

static int refused(const struct auth *a, bool with_creds, const struct http_response *response,
				   struct error *err)
{
	AUTO_FREE char *label = url_label(&a->realm);

	if (response->status == 400 || response->status == 401 || response->status == 403) {
		if (with_creds)
			err_set(err, ERR_DENIED, "%s refused the user name or password of '%s': %d", label,
					a->creds.username, response->status);
		else
			err_set(err, ERR_DENIED, "%s gives no token without a login: %d", label,
					response->status);
		return err_hint(err, "run 'msctl login %s'", a->o.host);
	}
	return err_set(err, ERR_NET, "token service %s answered %d", label, response->status);
}

static int fetch(struct auth *a, char **value, int64_t *life_ms, struct error *err)
{
	AUTO(http_response) struct http_response response = {0};
	AUTO_FREE char *label = url_label(&a->realm);
	AUTO_FREE char *name = xasprintf("answer of token service %s", label);
	bool with_creds = auth_has_creds(a) && !a->foreign_service;
	bool posted = with_creds && a->creds.identity_token;
	int rc;

	if (posted && post_form(a, &response, err) < 0)
		return err_wrap(err, "token service");
	/* a service without OAuth2 may still take the token as a password */
	if (!posted || response.status == 404 || response.status == 405) {
		http_response_release(&response);
		if (get_token(a, with_creds, &response, err) < 0)
			return err_wrap(err, "token service");
	}
	if (response.status != 200)
		return refused(a, with_creds, &response, err);
	rc = auth_read_token(buf_span(&response.body), name, value, life_ms, err);
	if (response.body.data)
		explicit_bzero(response.body.data, response.body.cap);
	return rc;
}

/* --- what the registry asks for --- */

/* "aws" and the like: kinds of scope that we do not compute. Scopes on repositories are ours to
 * choose. */
static void take_scope(struct auth *a, const char *scope)
{
	if (!scope || !*scope || strchr(scope, ':') ||
		(a->extra_scope && strcmp(a->extra_scope, scope) == 0))
		return;
	free(a->extra_scope);
	a->extra_scope = xstrdup(scope);
}

static int take_bearer(struct auth *a, const struct challenge *c, struct error *err)
{
	const char *realm = challenge_param(c, "realm");
	const char *service = challenge_param(c, "service");
	AUTO(url) struct url url = {0};
	bool with_creds = false;

	if (!realm || !*realm)
		return err_set(err, ERR_INPUT, "%s asks for a token, but names no token service",
					   a->o.host);
	if (url_resolve(a->o.api, realm, &url, err) < 0)
		return err_wrap(err, "token service of %s", a->o.host);
	if (auth_check_realm(a->o.api, &url, &with_creds, err) < 0)
		return -1;
	a->foreign_service = !with_creds;
	url_release(&a->realm);
	a->realm = MOVE(url);
	free(a->service);
	a->service = xstrdup_opt(service);
	take_scope(a, challenge_param(c, "scope"));
	a->basic = false;
	return 1;
}

/* 1 when a challenge was understood, 0 when there is none for us. */
static int take_challenge(struct auth *a, const struct http_response *denied, struct error *err)
{
	AUTO(challenges) struct challenges all = {0};
	const struct challenge *c;

	for (size_t i = 0; i < denied->headers.count; i++)
		if (strcasecmp(denied->headers.items[i].name, "WWW-Authenticate") == 0 &&
			challenges_parse(denied->headers.items[i].value, &all, err) < 0)
			return err_wrap(err, "%s: WWW-Authenticate", a->o.host);
	c = challenges_find(&all, "bearer");
	if (c)
		return take_bearer(a, c, err);
	if (!challenges_find(&all, "basic"))
		return 0;
	a->basic = true;
	return 1;
}

static int give_basic(struct auth *a, struct buf *value, struct error *err)
{
	if (look(a, err) < 0)
		return -1;
	if (!auth_has_creds(a))
		return 0;
	add_basic(&a->creds, value);
	return 1;
}

/* A token that is young enough is given again: many requests may be denied for the same old one. */
static int give_bearer(struct auth *a, bool was_denied, struct buf *value, struct error *err)
{
	AUTO_FREE char *scopes = joined_scopes(a);
	struct auth_token *t = find_token(a, scopes);
	int64_t now = clock_now(a->o.clock);
	char *fresh = NULL;
	int64_t life_ms = 0;

	if (t && (was_denied ? now - t->since_ms < AUTH_FRESH_MS : now < t->refresh_ms)) {
		buf_addf(value, "Bearer %s", t->value);
		return 1;
	}
	if (look(a, err) < 0 || fetch(a, &fresh, &life_ms, err) < 0)
		return -1;
	if (a->foreign_service && auth_has_creds(a))
		log_line(a->o.log, 1, "token service %s does not belong to %s: asked without credentials",
				 a->realm.host, a->o.host);
	buf_addf(value, "Bearer %s", fresh);
	keep_token(a, scopes, fresh, life_ms);
	return 1;
}

static int authorize(void *user, const struct http_request *request,
					 const struct http_response *denied, struct buf *value, struct error *err)
{
	struct auth *a = user;
	AUTO(url) struct url url = {0};
	int rc;

	if (url_parse(request->url, &url, err) < 0)
		return -1;
	if (!url_same_origin(&url, a->o.api))
		return 0;
	if (denied) {
		rc = take_challenge(a, denied, err);
		if (rc <= 0)
			return rc;
	}
	if (a->basic)
		return give_basic(a, value, err);
	if (a->realm.host)
		return give_bearer(a, denied != NULL, value, err);
	return 0;
}

static int authorize_token(void *user, const struct http_request *request,
						   const struct http_response *denied, struct buf *value, struct error *err)
{
	const struct auth *a = user;

	(void)request;
	(void)err;
	if (denied || !a->asking_value)
		return 0;
	buf_adds(value, a->asking_value);
	return 1;
}

struct http_auth auth_for_registry(struct auth *a)
{
	return (struct http_auth){authorize, a};
}

struct http_auth auth_for_tokens(struct auth *a)
{
	return (struct http_auth){authorize_token, a};
}
