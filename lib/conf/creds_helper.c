#include "base/auto.h"
#include "base/mem.h"
#include "base/proc.h"
#include "conf/creds_private.h"

#include <ctype.h>
#include <string.h>

/* What helpers print, on stdout and with a failing status, when they have nothing for a server. */
static const char not_found[] = "credentials not found";

static const char *server_of(const char *host)
{
	return strcmp(host, CREDS_DOCKER_HUB) == 0 ? CREDS_DOCKER_HUB_KEY : host;
}

static bool is_plain_name(const char *name)
{
	if (!*name)
		return false;
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			return false;
	return true;
}

static void wipe_buf(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
}

static void result_wipe(struct proc_result *r)
{
	wipe_buf(&r->out);
	proc_result_release(r);
}

static int run_helper(const struct creds_helper *h, const char *verb, struct span input,
					  struct proc_result *result, struct error *err)
{
	AUTO_FREE char *program = xasprintf("docker-credential-%s", h->name);
	const char *argv[] = {program, verb, NULL};
	struct proc_spec spec = {
		.argv = argv,
		.in = PROC_BUFFER,
		.out = PROC_BUFFER,
		.err_out = PROC_BUFFER,
		.input = input,
		.max_output = CREDS_MAX_FILE_BYTES,
		.timeout_ms = CREDS_HELPER_TIMEOUT_MS,
		.cancel = h->cancel,
	};

	if (!is_plain_name(h->name))
		return err_set(err, ERR_INPUT, "'%s' is no name of a credential helper", h->name);
	if (proc_run(&spec, result, err) < 0) {
		if (err->code == ERR_INTERRUPTED)
			return -1;
		err_wrap(err, "cannot ask the credential helper");
		return err_hint(err, "install %s or remove it from the docker configuration", program);
	}
	return 0;
}

/* Only the first line, and never what a successful helper said: that is the secret. */
static int helper_failed(const char *helper, const char *verb, const char *host,
						 const struct proc_result *r, struct error *err)
{
	const char *said = r->err_out.len ? buf_str(&r->err_out) : buf_str(&r->out);
	char how[64];

	proc_describe(r, how);
	return err_set(err, ERR_DENIED,
				   "credential helper docker-credential-%s could not %s for %s: it %s%s%.*s",
				   helper, verb, host, how, *said ? ": " : "", (int)strcspn(said, "\r\n"), said);
}

static int read_answer(const char *helper, struct span answer, struct creds *out, struct error *err)
{
	struct fields {
		const char *username, *secret;
	} f = {0};
	static const struct doc_field table[] = {
		DOC_FIELD(struct fields, username, "Username", DOC_TEXT, false),
		DOC_FIELD(struct fields, secret, "Secret", DOC_TEXT, false),
		DOC_FIELDS_END,
	};
	AUTO_FREE char *name = xasprintf("answer of docker-credential-%s", helper);
	AUTO_JSON json_t *doc = NULL;
	struct doc_context where = {.name = name};

	if (doc_json_parse(answer, name, &doc, err) < 0)
		return -1;
	if (!json_is_object(doc))
		return err_set(err, ERR_INPUT, "%s is no JSON object", name);
	if (doc_read(doc, table, &where, &f, err) < 0)
		return -1;
	if (!f.secret || !*f.secret)
		return 0;
	if (f.username && strcmp(f.username, "<token>") == 0) {
		*out = (struct creds){.username = xstrdup(f.username), .identity_token = xstrdup(f.secret)};
		return 0;
	}
	*out = (struct creds){.username = xstrdup(f.username ? f.username : ""),
						  .password = xstrdup(f.secret)};
	return 0;
}

int creds_helper_get(const struct creds_helper *h, const char *host, struct creds *out,
					 struct error *err)
{
	__attribute__((cleanup(result_wipe))) struct proc_result r = {0};

	if (run_helper(h, "get", span_of(server_of(host)), &r, err) < 0)
		return -1;
	if (r.exit_status != 0)
		return strstr(buf_str(&r.out), not_found) ? 0
												  : helper_failed(h->name, "get", host, &r, err);
	return read_answer(h->name, buf_span(&r.out), out, err);
}

int creds_helper_store(const struct creds_helper *h, const char *host, const struct creds *c,
					   struct error *err)
{
	__attribute__((cleanup(result_wipe))) struct proc_result r = {0};
	AUTO_JSON json_t *doc = json_pack("{s:s, s:s, s:s}", "ServerURL", server_of(host), "Username",
									  c->identity_token ? "<token>" : c->username, "Secret",
									  c->identity_token ? c->identity_token : c->password);
	AUTO(buf) struct buf input = {0};
	int rc;

	if (!doc)
		return err_set(err, ERR_INPUT, "the password for %s is no valid UTF-8", host);
	doc_json_write(doc, &input);
	rc = run_helper(h, "store", buf_span(&input), &r, err);
	wipe_buf(&input);
	if (rc < 0)
		return -1;
	return r.exit_status == 0 ? 0 : helper_failed(h->name, "store", host, &r, err);
}

int creds_helper_erase(const struct creds_helper *h, const char *host, bool *erased,
					   struct error *err)
{
	__attribute__((cleanup(result_wipe))) struct proc_result r = {0};

	if (run_helper(h, "erase", span_of(server_of(host)), &r, err) < 0)
		return -1;
	if (r.exit_status != 0 && !strstr(buf_str(&r.out), not_found))
		return helper_failed(h->name, "erase", host, &r, err);
	*erased = r.exit_status == 0;
	return 0;
}
