#include "cmd/stream.h"

#include "base/mem.h"

#include <string.h>

void stream_release(struct stream *s)
{
	if (s->stream)
		registry_stream_free(s->stream);
	for (size_t i = 0; i < s->layers.count; i++)
		oci_descriptor_release(&s->layers.items[i]);
	list_release(&s->layers);
	remote_release(&s->remote);
	oci_store_free(s->store);
	oci_ref_release(&s->to);
	registry_result_release(&s->result);
	*s = (struct stream){0};
}

static int open_all(struct stream *s, const char *ref, struct error *err)
{
	remote_release(&s->remote);
	oci_store_free(TAKE(s->store));
	oci_ref_release(&s->to);
	if (remote_registry_ref(ref, &s->to, err) < 0 || oci_store_open(NULL, &s->store, err) < 0)
		return -1;
	return remote_open(s->ctx, s->options, s->to.host, &s->remote, err);
}

/* What fails here fails again at the end, and is said there. */
static void begin(struct stream *s, const struct oci_ref *to)
{
	AUTO_FREE char *ref = oci_ref_text(to);
	struct error later = {0};
	struct registry_push what = {.to = &s->to};

	s->begun = true;
	if (open_all(s, ref, &later) < 0)
		return;
	what.store = s->store;
	if (registry_stream_begin(s->remote.registry, &what, s->layers.items, s->layers.count,
							  &s->stream, &later) < 0)
		s->stream = NULL;
}

void stream_layer(struct stream *s, const struct oci_ref *to, const struct oci_descriptor *layer,
				  bool was_there)
{
	struct oci_descriptor copy;

	/* a time that the user gave is for the push: it does not run while the image is made */
	if (!s->is_wanted || !to->tag || s->ctx->global.timeout_ms > 0)
		return;
	if (s->stream) {
		registry_stream_add(s->stream, layer);
		return;
	}
	oci_descriptor_copy(layer, &copy);
	list_push(&s->layers, copy);
	if (!was_there && !s->begun)
		begin(s, to);
}

int stream_end(struct stream *s, const struct oci_image *image, struct error *err)
{
	struct registry_push what = {.image = &image->descriptor, .to = &s->to};
	int64_t begun = clock_now(s->ctx->clock);
	int rc;

	if (!s->stream && open_all(s, image->ref, err) < 0)
		return -1;
	what.store = s->store;
	rc = s->stream ? registry_stream_end(s->stream, what.image, &s->result, err)
				   : registry_push(s->remote.registry, &what, &s->result, err);
	if (rc == 0 && s->with_sbom)
		rc = remote_push_sbom(&s->remote, &what, &s->documents, err);
	s->ms = clock_now(s->ctx->clock) - begun;
	return rc;
}

int stream_report(struct stream *s, struct error *err)
{
	if (out_is_document(s->ctx))
		return 0;
	remote_note_sbom(s->ctx, s->documents);
	return remote_report(s->ctx, &s->to, &s->result, s->ms, err);
}
