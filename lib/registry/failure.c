/* What a registry says when it refuses (distribution-spec, "Error Codes"), and what to do about it.
 */
#include "base/mem.h"
#include "doc/json.h"
#include "registry/session.h"

#include <string.h>

#define MAX_SAID 300

/* The first of {"errors": [{code, message}]}; some servers send {"error": ...}, proxies send pages.
 * NULL: nothing to be read. */
static json_t *parse_body(const struct http_response *response)
{
	json_t *doc = NULL;
	struct error ignored;

	if (response->body.len == 0 ||
		doc_json_parse(buf_span(&response->body), "answer", &doc, &ignored) < 0)
		return NULL;
	return doc;
}

bool session_has_code(const struct http_response *response, const char *code)
{
	AUTO_JSON json_t *doc = parse_body(response);
	json_t *errors = doc ? doc_get(doc, "errors") : NULL;
	json_t *item;
	size_t i;

	json_array_foreach(errors, i,
					   item) if (strcmp(doc_text(item, "code", ""), code) == 0) return true;
	return false;
}

static void add_said(const struct http_response *response, struct error *err)
{
	AUTO_JSON json_t *doc = parse_body(response);
	const char *code = doc_text(doc, "errors.0.code", "");
	const char *message = doc_text(doc, "errors.0.message", "");
	AUTO_FREE char *before = xstrdup(err->msg);

	if (!code[0] && !message[0])
		message = doc_text(doc, "error", doc_text(doc, "message", ""));
	if (!code[0] && !message[0])
		return;
	err_set(err, err->code, "%s: %.64s%s%.*s", before, code, code[0] && message[0] ? ": " : "",
			MAX_SAID, message);
}

static int hint_denied(const struct registry *r, const char *name, struct error *err)
{
	if (!auth_has_creds(&r->auth))
		return err_hint(err, "run 'msctl login %s'", r->o.host);
	return err_hint(err, "run 'msctl login %s' with an account that may do this to %s", r->o.host,
					name ? name : "it");
}

static int hint(const struct registry *r, const char *name, const struct http_response *response,
				struct error *err)
{
	switch (response->status) {
	case 401:
	case 403:
		return hint_denied(r, name, err);
	case 404:
		if (session_has_code(response, "NAME_UNKNOWN"))
			return err_hint(err, "check the name: %s has no repository %s, or does not show it",
							r->o.host, name ? name : "");
		return err_hint(err, "check the name, the tag, and whether you may see them");
	case 405:
		return err_hint(err, "%s does not allow this; it may be read-only", r->o.host);
	case 413:
		return err_hint(err, "%s, or a proxy before it, takes no body of this size", r->o.host);
	case 429:
		return err_hint(err, "%s limits the rate: wait, or log in to be allowed more", r->o.host);
	default:
		if (response->status >= 500)
			return err_hint(err, "the fault is on the side of %s: try again later", r->o.host);
		return err_hint(err, "%s does not take this; its log may say why", r->o.host);
	}
}

/* Is it a host for no other reason than an upper-case letter, as in "Shop/orders"? */
static bool is_host_by_case(const char *host)
{
	return !strpbrk(host, ".:") && strpbrk(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

void session_hint(const struct registry *r, struct error *err)
{
	if (err->code == ERR_NET && is_host_by_case(r->o.host)) {
		err_hint(
			err,
			"'%s' is taken as a registry host because of its upper-case letter; write names of "
			"images in lower case",
			r->o.host);
		return;
	}
	if (err->hint[0])
		return;
	if (err->code == ERR_NET)
		err_hint(err, "check %s and the network, then run the command again", r->o.host);
	else if (err->code == ERR_INPUT)
		err_hint(
			err,
			"%s sent something that is not what it should be: try again, then ask those who run it",
			r->o.host);
	else if (err->code == ERR_DENIED)
		err_hint(err, "ask those who run %s", r->o.host);
}

int session_status_error(const struct registry *r, const char *name,
						 const struct http_request *request, const struct http_response *response,
						 struct error *err)
{
	http_status_error(request, response, err);
	add_said(response, err);
	hint(r, name, response, err);
	return -1;
}
