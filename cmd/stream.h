/* stream.h - build --push: layers go up while later ones are still being made.
 *
 * The registry is asked nothing before there is a layer that the store did not have: a build that
 * changes nothing stays one request. What goes wrong on the way is said at the end, when the image
 * stands in the store. */
#pragma once

#include "base/list.h"
#include "cmd/remote.h"
#include "registry/stream.h"

struct stream {
	struct ctx *ctx;
	const struct remote_options *options;
	bool is_wanted;
	bool with_sbom;
	bool begun;
	struct oci_ref to;
	LIST(struct oci_descriptor) layers; /* known before it begins */
	struct oci_store *store;
	struct remote remote;
	struct registry_stream *stream;
	struct registry_result result;
	size_t documents; /* sent with the image */
	int64_t ms;       /* that the end took */
};

/* Also in the middle: what is on its way is given up. */
void stream_release(struct stream *s);
/* A layer of the image of that name stands in the store, before this build already or because of
 * it.
 */
void stream_layer(struct stream *s, const struct oci_ref *to, const struct oci_descriptor *layer,
				  bool was_there);
/* Push what is missing, or all. */
int stream_end(struct stream *s, const struct oci_image *image, struct error *err);
/* Say what was pushed. */
int stream_report(struct stream *s, struct error *err);
