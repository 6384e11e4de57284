#include "registry/upload.h"

#include "base/mem.h"
#include "base/text.h"

#include <string.h>

#define MAX_MOUNT_SOURCES 8         /* repositories that a token is asked for */
#define MAX_TAGS_BYTES (256u << 10) /* of an answer that only shows that the repository exists */

/* --- what there is to send --- */

static void plan_blob(struct push *p, struct map *seen, const struct oci_descriptor *d)
{
	struct oci_descriptor copy;

	if (!map_put(seen, d->digest, NULL))
		return;
	oci_descriptor_copy(d, &copy);
	list_push(&p->blobs, copy);
}

static int plan_manifest(struct push *p, struct map *seen, const struct oci_descriptor *d,
						 int depth, struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};
	struct oci_descriptor copy;

	if (!map_put(seen, d->digest, NULL))
		return 0;
	if (depth > REGISTRY_MAX_DEPTH)
		return err_set(err, ERR_INPUT, "%s: indexes are nested deeper than %d", d->digest,
					   REGISTRY_MAX_DEPTH);
	if (oci_store_manifest(p->what->store, d, &m, err) < 0) {
		if (err->code == ERR_MISSING && depth > 0)
			err_hint(err, "pull the index with --all-platforms first");
		return -1;
	}
	for (size_t i = 0; i < m.layer_count; i++) {
		if (m.is_index && plan_manifest(p, seen, &m.layers[i], depth + 1, err) < 0)
			return -1;
		if (!m.is_index)
			plan_blob(p, seen, &m.layers[i]);
	}
	if (!m.is_index)
		plan_blob(p, seen, &m.config);
	oci_descriptor_copy(d, &copy);
	free(copy.media_type);
	copy.media_type = xstrdup(m.media_type);
	list_push(&p->descriptors, copy);
	list_push(&p->manifests, MOVE(m));
	return 0;
}

static int plan(struct push *p, struct error *err)
{
	AUTO(map) struct map seen = {0};

	if (plan_manifest(p, &seen, p->what->image, 0, err) < 0)
		return -1;
	for (size_t i = 0; i < p->blobs.count; i++) {
		const struct oci_descriptor *d = &p->blobs.items[i];

		if (oci_store_has(p->what->store, d->digest, d->size))
			continue;
		err_set(err, ERR_MISSING, "the local store lacks blob %s", d->digest);
		return err_hint(err, "build or pull the image again");
	}
	return 0;
}

static void want_access(struct push *p)
{
	const char *name = p->what->to->name;
	AUTO(strv) struct strv sources = {0};

	if (p->what->mount_from)
		strv_add(&sources, p->what->mount_from);
	for (size_t i = 0; !p->what->mount_from && i < p->blobs.count; i++) {
		const char *from = mounts_find(&p->mounts, p->blobs.items[i].digest, name);

		if (from && !strv_has(&sources, from) && sources.count < MAX_MOUNT_SOURCES)
			strv_add(&sources, from);
	}
	auth_want(&p->r->auth, name, "pull,push", &sources);
}

/* --- what the registry has --- */

static char *manifest_url(const struct push *p, const char *reference)
{
	AUTO_FREE char *rest = xasprintf("manifests/%s", reference);

	return session_url(p->r, p->what->to->name, rest);
}

/* The name under which the last manifest goes up. */
static const char *top_reference(const struct push *p)
{
	return p->what->to->tag ? p->what->to->tag : p->what->image->digest;
}

/* *same: the reference names this image already. */
static int ask_manifest(struct push *p, bool *same, struct error *err)
{
	AUTO_FREE char *url = manifest_url(p, top_reference(p));
	AUTO(http_request) struct http_request request = {.method = "HEAD", .url = url};
	AUTO(http_response) struct http_response response = {0};
	const char *digest;

	http_headers_add(&request.headers, "Accept", REGISTRY_MANIFEST_TYPES);
	if (session_send(p->r, &request, &response, err) < 0)
		return -1;
	digest = http_headers_get(&response.headers, "Docker-Content-Digest");
	*same = response.status == 200 && digest && strcmp(digest, p->what->image->digest) == 0;
	if (response.status == 200 || response.status == 404 || response.status == 405)
		return response.status;
	return session_status_error(p->r, p->what->to->name, &request, &response, err);
}

/* One question that saves one for each blob. Whatever goes wrong: then the blobs are asked for. */
static bool repository_is_new(struct push *p)
{
	AUTO_FREE char *url = session_url(p->r, p->what->to->name, "tags/list?n=1");
	struct http_request request = {
		.method = "GET", .url = url, .max_bytes = MAX_TAGS_BYTES, .no_retry = true};
	AUTO(http_response) struct http_response response = {0};
	struct error ignored;

	return session_send(p->r, &request, &response, &ignored) == 0 && response.status == 404 &&
		   session_has_code(&response, "NAME_UNKNOWN");
}

/* Would it save requests to know? Not for one blob, and not where blobs were seen before. */
static bool worth_asking(const struct push *p)
{
	const char *name = p->what->to->name;
	size_t n = 0;

	for (size_t i = 0; !p->what->mount_from && i < p->blobs.count; i++) {
		if (mounts_has(&p->mounts, p->blobs.items[i].digest, name))
			return false;
		n += !mounts_find(&p->mounts, p->blobs.items[i].digest, name);
	}
	return n > 1;
}

/* --- sending --- */

/* 0; 1 when the registry lacks a blob after all. */
static int send_manifest(struct push *p, size_t i, struct error *err)
{
	const struct oci_manifest *m = &p->manifests.items[i];
	const struct oci_descriptor *d = &p->descriptors.items[i];
	AUTO_FREE char *url =
		manifest_url(p, i + 1 == p->manifests.count ? top_reference(p) : d->digest);
	AUTO(http_request)
	struct http_request request = {.method = "PUT", .url = url, .has_body = true};
	AUTO(http_response) struct http_response response = {0};
	const char *said;

	request.body = (struct http_body){.data = m->bytes, .fd = -1, .len = m->len};
	http_headers_add(&request.headers, "Content-Type", m->media_type);
	if (session_send(p->r, &request, &response, err) < 0)
		return -1;
	if (session_has_code(&response, "MANIFEST_BLOB_UNKNOWN")) {
		session_status_error(p->r, p->what->to->name, &request, &response, err);
		return 1;
	}
	if (response.status < 200 || response.status > 299)
		return session_status_error(p->r, p->what->to->name, &request, &response, err);
	said = http_headers_get(&response.headers, "Docker-Content-Digest");
	if (said && oci_is_digest(said) && strcmp(said, d->digest) != 0)
		return err_set(err, ERR_INPUT, "%s stored manifest %s as %s", p->r->o.host, d->digest,
					   said);
	p->result->manifests++;
	return 0;
}

static int send_manifests(struct push *p, struct error *err)
{
	p->result->manifests = 0;
	for (size_t i = 0; i < p->manifests.count; i++) {
		int rc = send_manifest(p, i, err);

		if (rc != 0)
			return rc;
	}
	return 0;
}

static void forget_counts(struct registry_result *result)
{
	registry_result_release(result);
}

static int send_all(struct push *p, struct error *err)
{
	int rc;

	if (uploads_run(p, err) < 0)
		return -1;
	rc = send_manifests(p, err);
	if (rc <= 0)
		return rc;
	/* a blob was collected as garbage between our question and the manifest: once more, asking for
	 * each */
	uploads_release(p);
	forget_counts(p->result);
	p->repository_is_new = false;
	mounts_release(&p->mounts);
	mounts_load(&p->mounts, NULL, p->r->o.host);
	if (uploads_run(p, err) < 0)
		return -1;
	return send_manifests(p, err) == 0 ? 0 : -1;
}

static int push(struct push *p, struct error *err)
{
	bool same = false;
	int status;

	if (plan(p, err) < 0)
		return -1;
	want_access(p);
	status = ask_manifest(p, &same, err);
	if (status < 0)
		return -1;
	for (size_t i = 0; same && i < p->blobs.count; i++) {
		p->result->present++;
		result_add(p->result, &p->blobs.items[i], "already there");
		mounts_add(&p->mounts, p->blobs.items[i].digest, p->what->to->name);
	}
	if (!same) {
		p->repository_is_new = status == 404 && worth_asking(p) && repository_is_new(p);
		if (send_all(p, err) < 0)
			return -1;
	}
	oci_descriptor_copy(p->what->image, &p->result->image);
	return 0;
}

static void push_release(struct push *p)
{
	uploads_release(p);
	for (size_t i = 0; i < p->manifests.count; i++)
		oci_manifest_release(&p->manifests.items[i]);
	for (size_t i = 0; i < p->descriptors.count; i++)
		oci_descriptor_release(&p->descriptors.items[i]);
	for (size_t i = 0; i < p->blobs.count; i++)
		oci_descriptor_release(&p->blobs.items[i]);
	list_release(&p->manifests);
	list_release(&p->descriptors);
	list_release(&p->blobs);
	mounts_release(&p->mounts);
}

int registry_push(struct registry *r, const struct registry_push *what,
				  struct registry_result *result, struct error *err)
{
	AUTO(registry_result) struct registry_result done = {0};
	AUTO(push) struct push p = {.r = r, .what = what, .result = &done};

	mounts_load(&p.mounts, r->o.cache_dir, r->o.host);
	if (push(&p, err) < 0) {
		AUTO_FREE char *ref = oci_ref_text(what->to);

		uploads_cancel(&p);
		session_hint(r, err);
		return err_wrap(err, "cannot push %s", ref);
	}
	mounts_save(&p.mounts);
	*result = MOVE(done);
	return 0;
}
