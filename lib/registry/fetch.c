/* Manifests and small blobs into memory, verified. */
#include "base/mem.h"
#include "registry/session.h"

#include <string.h>
#include <strings.h>

/* A media type without its parameters. NULL: the header is absent. Caller frees. */
static char *content_type(const struct http_response *response)
{
	const char *value = http_headers_get(&response->headers, "Content-Type");

	return value && *value ? xstrndup(value, strcspn(value, "; \t")) : NULL;
}

static int check_digests(const struct oci_ref *ref, const struct http_response *response,
						 const char is[OCI_DIGEST_LEN + 1], struct error *err)
{
	const char *said = http_headers_get(&response->headers, "Docker-Content-Digest");

	if (ref->digest && strcmp(ref->digest, is) != 0)
		return err_set(err, ERR_INPUT,
					   "the registry sent a manifest with the digest %s instead of %s", is,
					   ref->digest);
	/* other algorithms are the server's business */
	if (said && strncmp(said, "sha256:", 7) == 0 && strcmp(said, is) != 0)
		return err_set(err, ERR_INPUT,
					   "the registry says that the manifest's digest is %s, but it is %s", said,
					   is);
	return 0;
}

static bool is_schema1(const char *type)
{
	return strcasecmp(type, "application/vnd.docker.distribution.manifest.v1+json") == 0 ||
		   strcasecmp(type, "application/vnd.docker.distribution.manifest.v1+prettyjws") == 0;
}

/* Schema 1 has neither layers' sizes nor a config with a digest: there is nothing to verify by. */
static int check_type(const char *type, struct error *err)
{
	if (type && is_schema1(type)) {
		err_set(err, ERR_INPUT, "the manifest has the old Docker schema 1 (%s)", type);
		return err_hint(err, "push the image again with a tool younger than 2017");
	}
	return 0;
}

int registry_get_manifest(struct registry *r, const struct oci_ref *ref, struct oci_descriptor *d,
						  struct oci_manifest *out, struct error *err)
{
	AUTO_FREE char *rest = xasprintf("manifests/%s", ref->digest ? ref->digest
													 : ref->tag  ? ref->tag
																 : "latest");
	AUTO_FREE char *url = session_url(r, ref->name, rest);
	AUTO(http_request)
	struct http_request request = {
		.method = "GET", .url = url, .max_bytes = OCI_MAX_MANIFEST_BYTES};
	AUTO(http_response) struct http_response response = {0};
	AUTO(oci_manifest) struct oci_manifest m = {0};
	AUTO_FREE char *type = NULL;
	char is[OCI_DIGEST_LEN + 1];

	auth_want(&r->auth, ref->name, "pull", NULL);
	http_headers_add(&request.headers, "Accept", REGISTRY_MANIFEST_TYPES);
	if (session_send(r, &request, &response, err) < 0)
		return -1;
	if (response.status != 200)
		return session_status_error(r, ref->name, &request, &response, err);
	oci_digest_of(buf_str(&response.body), response.body.len, is);
	type = content_type(&response);
	if (check_digests(ref, &response, is, err) < 0 || check_type(type, err) < 0 ||
		oci_manifest_parse(buf_span(&response.body), type, "manifest", &m, err) < 0) {
		session_hint(r, err);
		return -1;
	}
	*d = (struct oci_descriptor){.media_type = xstrdup(m.media_type), .size = m.len};
	memcpy(d->digest, is, sizeof(is));
	*out = MOVE(m);
	return 0;
}

int registry_get_blob(struct registry *r, const struct oci_ref *ref, const struct oci_descriptor *d,
					  struct buf *out, struct error *err)
{
	AUTO_FREE char *rest = xasprintf("blobs/%s", d->digest);
	AUTO_FREE char *url = session_url(r, ref->name, rest);
	struct http_request request = {
		.method = "GET", .url = url, .max_bytes = OCI_MAX_MANIFEST_BYTES};
	AUTO(http_response) struct http_response response = {0};
	char is[OCI_DIGEST_LEN + 1];

	auth_want(&r->auth, ref->name, "pull", NULL);
	if (session_send(r, &request, &response, err) < 0)
		return -1;
	if (response.status != 200)
		return session_status_error(r, ref->name, &request, &response, err);
	oci_digest_of(buf_str(&response.body), response.body.len, is);
	if (strcmp(is, d->digest) != 0) {
		err_set(err, ERR_INPUT, "blob %s: the content has the digest %s", d->digest, is);
		session_hint(r, err);
		return -1;
	}
	*out = MOVE(response.body);
	return 0;
}

int registry_choose(const struct oci_manifest *index, const struct oci_platform *want,
					const char *name, const struct oci_descriptor **out, struct error *err)
{
	const struct oci_descriptor *found = oci_index_find(index, want);
	AUTO_FREE char *wanted = oci_platform_text(want);
	AUTO(buf) struct buf have = {0};

	if (found) {
		*out = found;
		return 0;
	}
	for (size_t i = 0; i < index->layer_count && have.len < 200; i++) {
		AUTO_FREE char *text =
			index->layers[i].platform.os[0] ? oci_platform_text(&index->layers[i].platform) : NULL;

		if (text && strncmp(text, "unknown/", 8) != 0)
			buf_addf(&have, "%s%s", have.len ? ", " : "", text);
	}
	err_set(err, ERR_MISSING, "%s has nothing for %s", name, wanted);
	if (have.len == 0)
		return -1;
	return err_hint(err, "choose one with --platform: %s", buf_str(&have));
}
