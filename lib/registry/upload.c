/* One blob: (HEAD) -> POST, with mount -> PUT. docker-registry 2.8 forgets a session whose upload
 * broke off, so a failed PUT is followed by a HEAD (it may have arrived all the same) and a new
 * session, never by the old one. */
#include "registry/upload.h"

#include "base/mem.h"
#include "base/text.h"
#include "crypto/random.h"
#include "crypto/sha256.h"

#include <string.h>
#include <strings.h>

#define RETRY_BASE_MS 250
#define RETRY_AFTER_MAX_S 60
#define CANCEL_MS 1000

static int send_head(struct upload *u);
static int send_post(struct upload *u);
static int send_put(struct upload *u, struct error *err);

static void tell(const struct upload *u, enum progress_kind kind, const char *text, uint64_t done)
{
	AUTO_FREE char *label = blob_label(&u->d);
	struct progress_event event = {
		.kind = kind,
		.id = u->d.digest,
		.label = label,
		.text = text,
		.done = done,
		.total = u->d.size,
	};

	progress_emit(u->push->r->o.progress, &event);
}

static const char *name_of(const struct upload *u)
{
	return u->push->what.to->name;
}

static int refuse(const struct upload *u, const struct http_response *response, struct error *err)
{
	return session_status_error(u->push->r, name_of(u), &u->request, response, err);
}

static void prepare(struct upload *u, const char *method, char *url)
{
	http_request_release(&u->request);
	free(u->url);
	u->url = url;
	u->request = (struct http_request){
		.method = method,
		.url = url,
		.timeout_ms = u->push->r->o.timeout_ms,
	};
}

static int finish(struct upload *u, const char *outcome, size_t *counter, struct error *err)
{
	(*counter)++;
	free(u->session);
	u->session = NULL;
	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
	result_add(&u->push->result, &u->d, outcome);
	mounts_add(&u->push->mounts, u->d.digest, name_of(u));
	tell(u, PROGRESS_DONE, outcome, u->d.size);
	return jobs_done(&u->push->jobs, &u->job, err);
}

/* --- is it there? --- */

static int on_head(void *user, struct http_response *response, struct error *err)
{
	struct upload *u = user;

	u->job.exchange = NULL;
	if (!response)
		return -1;
	if (response->status == 200)
		return finish(u, "already there", &u->push->result.present, err);
	if (response->status == 404 || response->status == 405)
		return send_post(u);
	return refuse(u, response, err);
}

static int send_head(struct upload *u)
{
	AUTO_FREE char *rest = xasprintf("blobs/%s", u->d.digest);

	prepare(u, "HEAD", session_url(u->push->r, name_of(u), rest));
	u->job.exchange = http_start(u->push->r->client, &u->request, on_head, u);
	return 0;
}

/* --- an upload session --- */

/* The registry behind a proxy that does not know of it names itself with http, or without its port.
 */
static bool is_own_host(const struct url *api, const struct url *place)
{
	bool default_port = place->port == 80 || place->port == 443;

	return strcmp(api->host, place->host) == 0 && default_port && strcmp(api->scheme, "https") == 0;
}

/* Where to PUT: Location against the request, its query left as it is (distribution-spec, "Pushing
 * blobs"). */
static int take_location(struct upload *u, const struct http_response *response, struct error *err)
{
	const struct url *api = &u->push->r->api;
	const char *location = http_headers_get(&response->headers, "Location");
	AUTO(url) struct url base = {0};
	AUTO(url) struct url place = {0};

	if (!location || !*location)
		return err_set(err, ERR_INPUT, "%s began an upload but says not where (no Location)",
					   u->push->r->o.host);
	if (url_parse(response->url ? response->url : u->url, &base, err) < 0 ||
		url_resolve(&base, location, &place, err) < 0)
		return err_wrap(err, "%s began an upload at an invalid place", u->push->r->o.host);
	if (!url_same_origin(api, &place) && !is_own_host(api, &place)) {
		AUTO_FREE char *here = url_origin(api);
		AUTO_FREE char *there = url_origin(&place);

		return err_set(err, ERR_DENIED, "%s wants the upload sent to %s: refused", here, there);
	}
	AUTO_FREE char *origin = url_origin(api);

	free(u->session);
	u->session = xasprintf("%s%s", origin, place.path);
	return 0;
}

static int on_post(void *user, struct http_response *response, struct error *err)
{
	struct upload *u = user;
	bool mounting = u->mount_from != NULL;

	u->job.exchange = NULL;
	if (!response)
		return -1;
	free(u->mount_from);
	u->mount_from = NULL;
	if (response->status == 201 && mounting)
		return finish(u, "mounted", &u->push->result.mounted, err);
	if (response->status == 202) {
		if (take_location(u, response, err) < 0)
			return -1;
		return send_put(u, err);
	}
	if (mounting) /* some refuse the mount where they would take the upload */
		return send_post(u);
	return refuse(u, response, err);
}

static int send_post(struct upload *u)
{
	AUTO(buf) struct buf rest = {0};

	buf_adds(&rest, "blobs/uploads/");
	if (u->mount_from) {
		buf_adds(&rest, "?mount=");
		buf_adds(&rest, u->d.digest);
		buf_adds(&rest, "&from=");
		url_encode(u->mount_from, &rest);
	}
	prepare(u, "POST", session_url(u->push->r, name_of(u), buf_str(&rest)));
	u->request.has_body = true;
	u->request.body.fd = -1;
	u->job.exchange = http_start(u->push->r->client, &u->request, on_post, u);
	return 0;
}

/* --- the content --- */

static void on_sent(void *user, uint64_t done, uint64_t total)
{
	(void)total;
	tell(user, PROGRESS_ADVANCE, NULL, done);
}

/* The registry says that the content is not what its digest says: is it our file? */
static int check_own(struct upload *u, struct error *err)
{
	AUTO_PTR(sha256) struct sha256 *hash = sha256_new();
	AUTO_FREE char *piece = xmalloc(1 << 16);
	uint8_t sum[SHA256_BYTES];
	char is[OCI_DIGEST_LEN + 1];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(u->fd, piece, 1 << 16, at)) > 0) {
		sha256_add(hash, piece, (size_t)n);
		at += n;
	}
	sha256_end(hash, sum);
	if (n == 0 && strcmp(oci_digest_from(sum, is), u->d.digest) == 0)
		return 0;
	oci_store_drop_broken(u->push->what.store, u->d.digest);
	err_set(err, ERR_INPUT, "blob %s of the local store is damaged; it was removed", u->d.digest);
	return err_hint(err, "build or pull the image again");
}

static int64_t delay_ms(const struct upload *u, const struct http_response *response)
{
	int64_t delay = (int64_t)random_below((uint64_t)RETRY_BASE_MS << u->tries);
	const char *after = response ? http_headers_get(&response->headers, "Retry-After") : NULL;
	int64_t seconds;

	if (after && text_to_int(after, 0, RETRY_AFTER_MAX_S, &seconds) && seconds * 1000 > delay)
		return seconds * 1000;
	return delay;
}

static int try_again(struct upload *u, const struct http_response *response, struct error *err)
{
	free(u->session);
	u->session = NULL;
	u->skip_head = false;
	log_line(u->push->r->o.log, 1, "upload of %s broke off, beginning anew", u->d.digest);
	return jobs_wait(&u->push->jobs, &u->job, delay_ms(u, response), err);
}

static bool may_pass(const struct http_response *response)
{
	switch (response->status) {
	case 404: /* the session is gone */
	case 408:
	case 416:
	case 429:
		return true;
	case 400:
		return session_has_code(response, "BLOB_UPLOAD_INVALID") ||
			   session_has_code(response, "BLOB_UPLOAD_UNKNOWN");
	default:
		return response->status >= 500;
	}
}

static int check_answer(const struct upload *u, const struct http_response *response,
						struct error *err)
{
	const char *said = http_headers_get(&response->headers, "Docker-Content-Digest");

	if (said && oci_is_digest(said) && strcmp(said, u->d.digest) != 0)
		return err_set(err, ERR_INPUT, "%s stored blob %s as %s", u->push->r->o.host, u->d.digest,
					   said);
	return 0;
}

static int on_put(void *user, struct http_response *response, struct error *err)
{
	struct upload *u = user;
	bool last = u->tries >= REGISTRY_MAX_UPLOADS;

	u->job.exchange = NULL;
	if (!response)
		return err->code == ERR_NET && !last ? try_again(u, NULL, err) : -1;
	if (response->status >= 200 && response->status < 300) {
		if (check_answer(u, response, err) < 0)
			return -1;
		u->push->result.moved_bytes += u->d.size;
		return finish(u, "uploaded", &u->push->result.moved, err);
	}
	if (response->status == 400 && check_own(u, err) < 0)
		return -1;
	if (may_pass(response) && !last)
		return try_again(u, response, err);
	return refuse(u, response, err);
}

static int send_put(struct upload *u, struct error *err)
{
	AUTO(buf) struct buf url = {0};

	u->tries++;
	if (u->fd < 0 && oci_store_open_blob(u->push->what.store, &u->d, &u->fd, err) < 0)
		return -1;
	buf_addf(&url, "%s%sdigest=", u->session, strchr(u->session, '?') ? "&" : "?");
	url_encode(u->d.digest, &url);
	prepare(u, "PUT", buf_take(&url));
	http_headers_add(&u->request.headers, "Content-Type", "application/octet-stream");
	u->request.has_body = true;
	u->request.body = (struct http_body){.fd = u->fd, .len = u->d.size};
	u->request.bulk = u->d.size > REGISTRY_BULK_BYTES;
	u->request.no_retry = true;
	u->request.sent = on_sent;
	u->request.sent_user = u;
	u->job.exchange = http_start(u->push->r->client, &u->request, on_put, u);
	return 0;
}

static int begin(struct job *j, struct error *err)
{
	struct upload *u = (struct upload *)j;

	(void)err;
	if (u->tries == 0)
		tell(u, PROGRESS_START, NULL, 0);
	if (u->mount_from || u->skip_head)
		return send_post(u);
	return send_head(u);
}

void uploads_add(struct push *p, const struct oci_descriptor *d)
{
	const char *from = p->what.mount_from ? p->what.mount_from
										  : mounts_find(&p->mounts, d->digest, p->what.to->name);
	struct upload *u;

	if (!map_put(&p->begun, d->digest, NULL))
		return;
	u = xcalloc(1, sizeof(*u));
	u->push = p;
	u->mount_from = xstrdup_opt(from);
	u->skip_head = p->repository_is_new;
	u->fd = -1;
	oci_descriptor_copy(d, &u->d);
	list_push(&p->jobs.list, &u->job);
}

int uploads_run(struct push *p, struct error *err)
{
	p->jobs.r = p->r;
	p->jobs.begin = begin;
	return jobs_run(&p->jobs, err);
}

static struct upload *upload_of(const struct push *p, size_t i)
{
	return (struct upload *)p->jobs.list.items[i];
}

static int ignore_answer(void *user, struct http_response *response, struct error *err)
{
	(void)user;
	(void)response;
	(void)err;
	return 0;
}

void uploads_cancel(struct push *p)
{
	AUTO_PTR(http_client) struct http_client *client = NULL;
	struct http_options options;
	struct error ignored;
	size_t open = 0;

	for (size_t i = 0; i < p->jobs.list.count; i++)
		open += upload_of(p, i)->session != NULL;
	session_http_options(p->r, &options);
	options.auth = &p->r->auth_callback;
	options.transport = p->r->o.transport;
	options.max_tries = 1;
	options.connect_timeout_ms = CANCEL_MS;
	options.deadline_ms = 0; /* it may be over: that is no reason to leave sessions open */
	/* a client of its own: the other one is not to send anything after Ctrl-C */
	if (open == 0 || http_client_new(&options, &client, &ignored) < 0)
		return;
	for (size_t i = 0; i < p->jobs.list.count; i++) {
		struct http_request request = {
			.method = "DELETE",
			.url = upload_of(p, i)->session,
			.timeout_ms = CANCEL_MS,
			.no_retry = true,
		};

		if (request.url)
			http_start(client, &request, ignore_answer, NULL);
	}
	http_run(client, CANCEL_MS, &ignored);
}

void uploads_release(struct push *p)
{
	for (size_t i = 0; i < p->jobs.list.count; i++) {
		struct upload *u = upload_of(p, i);

		http_request_release(&u->request);
		if (u->fd >= 0)
			close(u->fd);
		oci_descriptor_release(&u->d);
		free(u->mount_from);
		free(u->session);
		free(u->url);
		free(u);
	}
	list_release(&p->jobs.list);
	map_release(&p->begun);
	p->jobs.running = 0;
}
