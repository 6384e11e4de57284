#include "registry/referrers.h"

#include "base/mem.h"
#include "registry/upload.h"

#include <string.h>

/* One subject whose artifacts go up. */
struct attach {
	struct registry *r;
	const struct registry_push *what;
	struct oci_artifacts artifacts;
	char *api; /* URL that lists referrers */
	char *tag; /* URL of the index that stands in for it */
};

static void attach_release(struct attach *a)
{
	oci_artifacts_release(&a->artifacts);
	free(a->api);
	free(a->tag);
}

static bool lists(const struct oci_manifest *index, const char *digest)
{
	for (size_t i = 0; i < index->layer_count; i++)
		if (strcmp(index->layers[i].digest, digest) == 0)
			return true;
	return false;
}

static bool lists_all(const struct attach *a, const struct oci_manifest *index)
{
	for (size_t i = 0; i < a->artifacts.count; i++)
		if (!lists(index, a->artifacts.items[i].digest))
			return false;
	return true;
}

/* 1: *out is the index; 0: there is none. */
static int get_index(struct attach *a, const char *url, struct oci_manifest *out, struct error *err)
{
	AUTO(http_request)
	struct http_request request = {
		.method = "GET", .url = url, .max_bytes = OCI_MAX_MANIFEST_BYTES};
	AUTO(http_response) struct http_response response = {0};
	bool is_api = url == a->api;

	auth_want(&a->r->auth, a->what->to->name, "pull,push", NULL);
	http_headers_add(&request.headers, "Accept", OCI_MEDIA_INDEX);
	if (session_send(a->r, &request, &response, err) < 0)
		return -1;
	/* registries without this API have many ways to say so */
	if (response.status == 404 || (is_api && response.status != 200))
		return 0;
	if (response.status != 200)
		return session_status_error(a->r, a->what->to->name, &request, &response, err);
	if (oci_manifest_parse(buf_span(&response.body), OCI_MEDIA_INDEX, url, out, err) == 0)
		return 1;
	if (is_api)
		return 0;
	err_wrap(err, "cannot add referrers");
	return err_hint(err, "remove that tag, or push without them: --no-sbom");
}

/* 1: somebody lists all of them. *has_api: it was the registry itself that answered. */
static int ask(struct attach *a, bool *has_api, struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest index = {0};
	int found = get_index(a, a->api, &index, err);

	*has_api = found > 0;
	if (found == 0)
		found = get_index(a, a->tag, &index, err);
	return found > 0 ? lists_all(a, &index) : found;
}

/* All at once: their blobs side by side, then the manifests. */
static int send_artifacts(struct attach *a, struct error *err)
{
	const struct oci_descriptor *last = &a->artifacts.items[a->artifacts.count - 1];
	AUTO_FREE char *digest = xstrdup(last->digest);
	struct oci_ref ref = {a->what->to->host, a->what->to->name, NULL, digest};
	struct registry_push what = {.store = a->what->store, .image = last, .to = &ref};
	AUTO(registry_result) struct registry_result result = {0};
	AUTO(push) struct push p = {0};

	push_open(&p, a->r, &what);
	for (size_t i = 0; i < a->artifacts.count; i++)
		if (oci_graph_add(&p.graph, what.store, &a->artifacts.items[i], err) < 0)
			return push_fail(&p, err);
	push_want(&p, p.graph.blobs.items, p.graph.blobs.count);
	return push_finish(&p, &result, err) < 0 ? push_fail(&p, err) : 0;
}

/* The descriptor of an artifact in the index: with its type and its annotations. */
static int describe(const struct attach *a, const struct oci_descriptor *d, json_t **out,
					struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};
	json_t *annotations;

	if (oci_store_manifest(a->what->store, d, &m, err) < 0)
		return -1;
	annotations = json_object_get(m.json, "annotations");
	*out = json_pack("{s:s, s:s, s:I, s:s}", "mediaType", m.media_type, "digest", d->digest, "size",
					 (json_int_t)d->size, "artifactType", doc_text(m.json, "artifactType", ""));
	if (annotations)
		json_object_set(*out, "annotations", annotations);
	return 0;
}

/* The index with what it lacks; old is zeroed when there is none yet. */
static int extend(const struct attach *a, const struct oci_manifest *old, struct buf *out,
				  struct error *err)
{
	AUTO_JSON json_t *doc = NULL;

	if (old->json)
		doc = json_deep_copy(old->json);
	else
		doc = json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2, "mediaType", OCI_MEDIA_INDEX,
						"manifests");
	for (size_t i = 0; i < a->artifacts.count; i++) {
		json_t *entry = NULL;

		if (lists(old, a->artifacts.items[i].digest))
			continue;
		if (describe(a, &a->artifacts.items[i], &entry, err) < 0)
			return -1;
		json_array_append_new(json_object_get(doc, "manifests"), entry);
	}
	doc_json_write(doc, out);
	return 0;
}

static int put_index(struct attach *a, const struct buf *bytes, struct error *err)
{
	AUTO(http_request)
	struct http_request request = {.method = "PUT", .url = a->tag, .has_body = true};
	AUTO(http_response) struct http_response response = {0};

	request.body = (struct http_body){.data = bytes->data, .fd = -1, .len = bytes->len};
	http_headers_add(&request.headers, "Content-Type", OCI_MEDIA_INDEX);
	if (session_send(a->r, &request, &response, err) < 0)
		return -1;
	if (response.status < 200 || response.status > 299)
		return session_status_error(a->r, a->what->to->name, &request, &response, err);
	return 0;
}

/* Two that write at once would lose one another's entries: each reads again until its own are
 * there. */
static int update_tag(struct attach *a, struct error *err)
{
	for (int i = 0; i <= REGISTRY_TAG_TRIES; i++) {
		AUTO(oci_manifest) struct oci_manifest old = {0};
		AUTO(buf) struct buf bytes = {0};
		int found = get_index(a, a->tag, &old, err);

		if (found < 0)
			return -1;
		if (found > 0 && lists_all(a, &old))
			return 0;
		if (i < REGISTRY_TAG_TRIES &&
			(extend(a, &old, &bytes, err) < 0 || put_index(a, &bytes, err) < 0))
			return -1;
	}
	err_set(err, ERR_CONFLICT, "%s does not keep what was added to it", a->tag);
	return err_hint(err, "push again when nobody else does");
}

static int attach_all(struct attach *a, struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest index = {0};
	bool has_api;
	int found = ask(a, &has_api, err);

	if (found != 0)
		return found < 0 ? -1 : 0;
	if (send_artifacts(a, err) < 0)
		return -1;
	if (has_api) {
		found = get_index(a, a->api, &index, err);
		if (found < 0)
			return -1;
		if (found > 0 && lists_all(a, &index))
			return 0;
	}
	return update_tag(a, err);
}

static int push_subject(struct registry *r, const struct registry_push *what, const char *subject,
						size_t *count, struct error *err)
{
	AUTO(attach) struct attach a = {.r = r, .what = what};
	AUTO_FREE char *api = xasprintf("referrers/%s", subject);
	AUTO_FREE char *tag = xasprintf("manifests/sha256-%s", oci_digest_hex(subject));

	if (oci_store_artifacts(what->store, subject, &a.artifacts, err) < 0)
		return -1;
	if (a.artifacts.count == 0)
		return 0;
	a.api = session_url(r, what->to->name, api);
	a.tag = session_url(r, what->to->name, tag);
	if (attach_all(&a, err) < 0)
		return -1;
	*count += a.artifacts.count;
	return 0;
}

int registry_push_referrers(struct registry *r, const struct registry_push *what, size_t *count,
							struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};
	size_t sent = 0;

	if (push_subject(r, what, what->image->digest, &sent, err) < 0)
		return -1;
	if (oci_is_index_type(what->image->media_type) &&
		oci_store_manifest(what->store, what->image, &m, err) < 0)
		return -1;
	for (size_t i = 0; i < m.layer_count; i++)
		if (push_subject(r, what, m.layers[i].digest, &sent, err) < 0)
			return -1;
	*count = sent;
	return 0;
}
