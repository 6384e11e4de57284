#include "registry/upload.h"

#include "base/mem.h"
#include "base/text.h"

#include <string.h>

#define MAX_MOUNT_SOURCES 8         /* repositories that a token is asked for */
#define MAX_TAGS_BYTES (256u << 10) /* of an answer that only shows that the repository exists */

void push_want(struct push *p, const struct oci_descriptor *blobs, size_t count)
{
	const char *name = p->what.to->name;
	AUTO(strv) struct strv sources = {0};

	if (p->what.mount_from)
		strv_add(&sources, p->what.mount_from);
	for (size_t i = 0; !p->what.mount_from && i < count; i++) {
		const char *from = mounts_find(&p->mounts, blobs[i].digest, name);

		if (from && !strv_has(&sources, from) && sources.count < MAX_MOUNT_SOURCES)
			strv_add(&sources, from);
	}
	auth_want(&p->r->auth, name, "pull,push", &sources);
}

/* --- what the registry has --- */

static char *manifest_url(const struct push *p, const char *reference)
{
	AUTO_FREE char *rest = xasprintf("manifests/%s", reference);

	return session_url(p->r, p->what.to->name, rest);
}

/* The name under which the last manifest goes up. */
static const char *top_reference(const struct push *p)
{
	return p->what.to->tag ? p->what.to->tag : p->what.image->digest;
}

/* What does the reference name? Returns the status of the answer. */
static int ask_manifest(struct push *p, struct error *err)
{
	AUTO_FREE char *url = manifest_url(p, top_reference(p));
	AUTO(http_request) struct http_request request = {.method = "HEAD", .url = url};
	AUTO(http_response) struct http_response response = {0};
	const char *digest;

	http_headers_add(&request.headers, "Accept", REGISTRY_MANIFEST_TYPES);
	if (session_send(p->r, &request, &response, err) < 0)
		return -1;
	digest = http_headers_get(&response.headers, "Docker-Content-Digest");
	if (response.status == 200 && digest && oci_is_digest(digest))
		memcpy(p->named, digest, sizeof(p->named));
	if (response.status == 200 || response.status == 404 || response.status == 405)
		return response.status;
	return session_status_error(p->r, p->what.to->name, &request, &response, err);
}

/* One question that saves one for each blob. Whatever goes wrong: then the blobs are asked for. */
static bool repository_is_new(struct push *p)
{
	AUTO_FREE char *url = session_url(p->r, p->what.to->name, "tags/list?n=1");
	struct http_request request = {
		.method = "GET", .url = url, .max_bytes = MAX_TAGS_BYTES, .no_retry = true};
	AUTO(http_response) struct http_response response = {0};
	struct error ignored;

	return session_send(p->r, &request, &response, &ignored) == 0 && response.status == 404 &&
		   session_has_code(&response, "NAME_UNKNOWN");
}

/* Would it save requests to know? Not for one blob, and not where blobs were seen before. */
static bool worth_asking(const struct push *p, const struct oci_descriptor *blobs, size_t count,
						 bool more)
{
	const char *name = p->what.to->name;
	size_t n = more;

	for (size_t i = 0; !p->what.mount_from && i < count; i++) {
		if (mounts_has(&p->mounts, blobs[i].digest, name))
			return false;
		n += !mounts_find(&p->mounts, blobs[i].digest, name);
	}
	return !p->what.mount_from && n > 1;
}

int push_ask(struct push *p, const struct oci_descriptor *blobs, size_t count, bool more,
			 struct error *err)
{
	int status;

	push_want(p, blobs, count);
	status = ask_manifest(p, err);
	if (status < 0)
		return -1;
	p->repository_is_new =
		status == 404 && worth_asking(p, blobs, count, more) && repository_is_new(p);
	return 0;
}

/* --- sending --- */

/* 0; 1 when the registry lacks a blob after all. */
static int send_manifest(struct push *p, size_t i, struct error *err)
{
	const struct oci_manifest *m = &p->graph.manifests.items[i];
	const struct oci_descriptor *d = &p->graph.descriptors.items[i];
	AUTO_FREE char *url =
		manifest_url(p, i + 1 == p->graph.manifests.count ? top_reference(p) : d->digest);
	AUTO(http_request)
	struct http_request request = {.method = "PUT", .url = url, .has_body = true};
	AUTO(http_response) struct http_response response = {0};
	const char *said;

	request.body = (struct http_body){.data = m->bytes, .fd = -1, .len = m->len};
	http_headers_add(&request.headers, "Content-Type", m->media_type);
	if (session_send(p->r, &request, &response, err) < 0)
		return -1;
	if (session_has_code(&response, "MANIFEST_BLOB_UNKNOWN")) {
		session_status_error(p->r, p->what.to->name, &request, &response, err);
		return 1;
	}
	if (response.status < 200 || response.status > 299)
		return session_status_error(p->r, p->what.to->name, &request, &response, err);
	said = http_headers_get(&response.headers, "Docker-Content-Digest");
	if (said && oci_is_digest(said) && strcmp(said, d->digest) != 0)
		return err_set(err, ERR_INPUT, "%s stored manifest %s as %s", p->r->o.host, d->digest,
					   said);
	p->result.manifests++;
	return 0;
}

static int send_manifests(struct push *p, struct error *err)
{
	p->result.manifests = 0;
	for (size_t i = 0; i < p->graph.manifests.count; i++) {
		int rc = send_manifest(p, i, err);

		if (rc != 0)
			return rc;
	}
	return 0;
}

static int send_blobs(struct push *p, struct error *err)
{
	for (size_t i = 0; i < p->graph.blobs.count; i++)
		uploads_add(p, &p->graph.blobs.items[i]);
	return uploads_run(p, err);
}

static int send_all(struct push *p, struct error *err)
{
	int rc;

	if (send_blobs(p, err) < 0)
		return -1;
	rc = send_manifests(p, err);
	if (rc <= 0)
		return rc;
	/* a blob was collected as garbage between our question and the manifest: once more, asking for
	 * each */
	uploads_release(p);
	registry_result_release(&p->result);
	p->repository_is_new = false;
	mounts_release(&p->mounts);
	mounts_load(&p->mounts, NULL, p->r->o.host);
	if (send_blobs(p, err) < 0)
		return -1;
	return send_manifests(p, err) == 0 ? 0 : -1;
}

/* The reference names this image already, so its blobs are there. */
static void count_present(struct push *p)
{
	for (size_t i = 0; i < p->graph.blobs.count; i++) {
		const struct oci_descriptor *d = &p->graph.blobs.items[i];

		if (map_has(&p->begun, d->digest))
			continue;
		p->result.present++;
		result_add(&p->result, d, "already there");
		mounts_add(&p->mounts, d->digest, p->what.to->name);
	}
}

void push_open(struct push *p, struct registry *r, const struct registry_push *what)
{
	p->r = r;
	p->what = *what;
	mounts_load(&p->mounts, r->o.cache_dir, r->o.host);
}

void push_release(struct push *p)
{
	uploads_release(p);
	oci_graph_release(&p->graph);
	registry_result_release(&p->result);
	mounts_release(&p->mounts);
}

int push_finish(struct push *p, struct registry_result *result, struct error *err)
{
	if (strcmp(p->named, p->what.image->digest) == 0)
		count_present(p);
	else if (send_all(p, err) < 0)
		return -1;
	oci_descriptor_copy(p->what.image, &p->result.image);
	mounts_save(&p->mounts);
	*result = MOVE(p->result);
	return 0;
}

int push_fail(struct push *p, struct error *err)
{
	AUTO_FREE char *ref = oci_ref_text(p->what.to);

	uploads_cancel(p);
	session_hint(p->r, err);
	return err_wrap(err, "cannot push %s", ref);
}

int registry_push(struct registry *r, const struct registry_push *what,
				  struct registry_result *result, struct error *err)
{
	AUTO(push) struct push p = {0};

	push_open(&p, r, what);
	if (oci_graph_add(&p.graph, what->store, what->image, err) < 0 ||
		push_ask(&p, p.graph.blobs.items, p.graph.blobs.count, false, err) < 0 ||
		push_finish(&p, result, err) < 0)
		return push_fail(&p, err);
	return 0;
}
