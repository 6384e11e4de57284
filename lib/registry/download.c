/* Blobs into the store, hashed while they come. */
#include "registry/download.h"

#include "base/mem.h"
#include "base/text.h"
#include "oci/config.h"

#include <inttypes.h>
#include <string.h>

#define TELL_BYTES (256u << 10)

static void tell(const struct download *x, enum progress_kind kind, const char *text, uint64_t done)
{
	AUTO_FREE char *label = blob_label(x->d);
	struct progress_event event = {
		.kind = kind,
		.id = x->d->digest,
		.label = label,
		.text = text,
		.done = done,
		.total = x->d->size,
	};

	progress_emit(x->pull->r->o.progress, &event);
}

/* A length that is not the manifest's is told before the body is read. */
static int on_start(void *user, int status, const struct http_headers *headers, uint64_t offset,
					struct error *err)
{
	struct download *x = user;
	const char *length = http_headers_get(headers, "Content-Length");
	int64_t bytes;

	(void)status;
	if (length && text_to_int(length, 0, INT64_MAX, &bytes) &&
		(uint64_t)bytes + offset != x->d->size)
		return err_set(err, ERR_INPUT,
					   "the registry sends %" PRIu64 " bytes, its manifest says %" PRIu64,
					   (uint64_t)bytes + offset, x->d->size);
	if (offset == 0 && oci_blob_writer_size(x->writer) > 0)
		return oci_blob_writer_restart(x->writer, err);
	return 0;
}

static int on_data(void *user, const void *data, size_t len, struct error *err)
{
	struct download *x = user;
	uint64_t have = oci_blob_writer_size(x->writer);

	if (len > x->d->size - have)
		return err_set(err, ERR_INPUT,
					   "the registry sends more than the %" PRIu64 " bytes of its manifest",
					   x->d->size);
	if (oci_blob_writer_add(x->writer, data, len, err) < 0)
		return -1;
	if (have + len - x->told >= TELL_BYTES) {
		x->told = have + len;
		tell(x, PROGRESS_ADVANCE, NULL, x->told);
	}
	return 0;
}

static const char *name_of(const struct download *x)
{
	return x->pull->what->from->name;
}

static int keep_config(struct download *x, struct http_response *response, struct error *err)
{
	AUTO_FREE char *name = xasprintf("config %s", x->d->digest);
	char is[OCI_DIGEST_LEN + 1];

	oci_digest_of(buf_str(&response->body), response->body.len, is);
	if (response->body.len != x->d->size || strcmp(is, x->d->digest) != 0)
		return err_set(err, ERR_INPUT, "%s: the content has the digest %s", name, is);
	if (pull_check_config(x->manifest, x->pull->expect, buf_span(&response->body), name, err) < 0)
		return -1;
	buf_release(&x->config);
	x->config = MOVE(response->body);
	return 0;
}

static int on_blob(void *user, struct http_response *response, struct error *err)
{
	struct download *x = user;

	x->job.exchange = NULL;
	if (!response)
		return -1;
	if (response->status != 200)
		return session_status_error(x->pull->r, name_of(x), &x->request, response, err);
	if (x->manifest) {
		if (keep_config(x, response, err) < 0)
			return -1;
	} else {
		if (oci_blob_writer_end(x->writer, x->d, NULL, err) < 0)
			return -1;
		oci_blob_writer_free(TAKE(x->writer));
	}
	x->pull->result->moved++;
	x->pull->result->moved_bytes += x->d->size;
	result_add(x->pull->result, x->d, "downloaded");
	tell(x, PROGRESS_DONE, "downloaded", x->d->size);
	return jobs_done(&x->pull->jobs, &x->job, err);
}

static int begin(struct job *j, struct error *err)
{
	struct download *x = (struct download *)j;
	AUTO_FREE char *rest = xasprintf("blobs/%s", x->d->digest);

	if (!x->manifest && oci_blob_writer_new(x->pull->what->store, &x->writer, err) < 0)
		return -1;
	tell(x, PROGRESS_START, NULL, 0);
	x->url = session_url(x->pull->r, name_of(x), rest);
	x->request = (struct http_request){
		.method = "GET",
		.url = x->url,
		.bulk = x->d->size > REGISTRY_BULK_BYTES,
		.timeout_ms = x->pull->r->o.timeout_ms,
	};
	if (!x->manifest) {
		x->request.start = on_start;
		x->request.data = on_data;
		x->request.sink = x;
		x->request.resume = true;
	}
	x->job.exchange = http_start(x->pull->r->client, &x->request, on_blob, x);
	return 0;
}

/* 1: the store has it, 0: it is to be fetched (or anew: what comes heals a damaged one). */
static int from_store(struct pull *p, const struct oci_manifest *m, const struct oci_descriptor *d,
					  struct error *err)
{
	bool is_config = d == &m->config;
	AUTO(buf) struct buf bytes = {0};
	struct error damaged;

	if (!oci_store_has(p->what->store, d->digest, d->size))
		return 0;
	if (is_config &&
		oci_store_read(p->what->store, d, OCI_MAX_MANIFEST_BYTES, &bytes, &damaged) < 0)
		return 0;
	if (is_config && pull_check_config(m, p->expect, buf_span(&bytes), d->digest, err) < 0)
		return -1;
	p->result->present++;
	result_add(p->result, d, "already there");
	return 1;
}

static int plan_blob(struct pull *p, struct map *seen, const struct oci_manifest *m,
					 const struct oci_descriptor *d, struct error *err)
{
	bool is_config = d == &m->config;
	int rc;

	if (!map_put(seen, d->digest, NULL))
		return 0;
	if (is_config && d->size > OCI_MAX_MANIFEST_BYTES)
		return err_set(err, ERR_INPUT, "config %s is larger than %u bytes", d->digest,
					   OCI_MAX_MANIFEST_BYTES);
	rc = from_store(p, m, d, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	p->downloads = xrealloc(p->downloads, p->count + 1, sizeof(*p->downloads));
	p->downloads[p->count++] =
		(struct download){.pull = p, .d = d, .manifest = is_config ? m : NULL};
	return 0;
}

int downloads_run(struct pull *p, struct error *err)
{
	AUTO(map) struct map seen = {0};

	for (size_t i = 0; i < p->manifests.count; i++) {
		const struct oci_manifest *m = &p->manifests.items[i];

		if (m->is_index)
			continue;
		if (plan_blob(p, &seen, m, &m->config, err) < 0)
			return -1;
		for (size_t k = 0; k < m->layer_count; k++)
			if (plan_blob(p, &seen, m, &m->layers[k], err) < 0)
				return -1;
	}
	p->jobs = (struct jobs){.r = p->r, .begin = begin};
	for (size_t i = 0; i < p->count; i++)
		list_push(&p->jobs.list, &p->downloads[i].job);
	return jobs_run(&p->jobs, err);
}

void downloads_release(struct pull *p)
{
	for (size_t i = 0; i < p->count; i++) {
		oci_blob_writer_free(p->downloads[i].writer);
		buf_release(&p->downloads[i].config);
		free(p->downloads[i].url);
	}
	free(p->downloads);
	list_release(&p->jobs.list);
}
