/* Where an answer may send us. libcurl's own rule would forward custom headers to anybody and
 * follow to ftp. */
#include "base/auto.h"
#include "http/exchange.h"

#include <string.h>

bool http_is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* A host on the internet has no business in our network, nor one of our network in this machine. */
static bool reach_allows(enum url_reach from, enum url_reach to)
{
	return to == URL_PUBLIC || to == from || (from == URL_LOOPBACK && to == URL_PRIVATE);
}

static int refuse(const struct url *to, const char *why, struct error *err)
{
	AUTO_FREE char *origin = url_origin(to);

	return err_set(err, ERR_DENIED, "redirect to %s refused: %s", origin, why);
}

static int check(const struct http_exchange *x, const struct url *to, const char *method,
				 struct error *err)
{
	bool same = url_same_origin(&x->first, to);

	if (strcmp(x->url.scheme, "https") == 0 && strcmp(to->scheme, "http") == 0)
		return refuse(to, "it leads from https to http", err);
	if (!reach_allows(url_reach(&x->first), url_reach(to)))
		return refuse(to, "a server may not send us to a private address", err);
	if (!same && strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		refuse(to, "a request with content does not go to another origin", err);
		return err_hint(err, "address that server directly if you trust it");
	}
	return 0;
}

int http_redirect_follow(struct http_exchange *x, const char *location, struct error *err)
{
	AUTO(url) struct url to = {0};
	const char *method = x->method;

	if (x->redirects >= HTTP_MAX_REDIRECTS)
		return err_set(err, ERR_NET, "more than %d redirects", HTTP_MAX_REDIRECTS);
	if (url_resolve(&x->url, location, &to, err) < 0) {
		err->code = ERR_NET;
		return err_wrap(err, "the server redirects to an invalid place");
	}
	if (x->response.status == 303 && strcmp(method, "HEAD") != 0)
		method = "GET";
	if (check(x, &to, method, err) < 0)
		return -1;
	if (x->response.status == 303)
		x->has_body = false;
	x->method = method;
	x->redirects++;
	x->foreign = x->foreign || !url_same_origin(&x->first, &to);
	url_release(&x->url);
	x->url = MOVE(to);
	x->host = NULL;
	return 0;
}
