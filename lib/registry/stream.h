/* stream.h - a push that begins while its image is still being made: layers go up as they come.
 *
 * A thread of its own asks the registry and sends blobs from the store; from the beginning to the
 * end the registry belongs to it. By the same rules as registry_push, and with the same requests,
 * but that layers are asked for one by one even if the image turns out to be there already. */
#pragma once

#include "registry/registry.h"

struct registry_stream;

/* what->image is not looked at; the rest, what->to with a tag, is borrowed until the stream is
 * freed. layers: what is known so far, at least one. ERR_SYS. */
int registry_stream_begin(struct registry *r, const struct registry_push *what,
						  const struct oci_descriptor *layers, size_t count,
						  struct registry_stream **out, struct error *err);
/* One more layer stands in the store. */
void registry_stream_add(struct registry_stream *s, const struct oci_descriptor *layer);
/* The image is complete: send what it still lacks. What went wrong since the beginning is said
 * here. As registry_push. */
int registry_stream_end(struct registry_stream *s, const struct oci_descriptor *image,
						struct registry_result *result, struct error *err);
/* Before its end: what is on its way is given up. */
void registry_stream_free(struct registry_stream *s);
DEFINE_AUTO_PTR(registry_stream)
