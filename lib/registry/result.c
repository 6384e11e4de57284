#include "base/mem.h"
#include "base/text.h"
#include "oci/digest.h"
#include "registry/session.h"

#include <string.h>

void registry_result_release(struct registry_result *r)
{
	oci_descriptor_release(&r->image);
	json_decref(r->blobs);
	*r = (struct registry_result){0};
}

void result_add(struct registry_result *result, const struct oci_descriptor *d, const char *outcome)
{
	if (!result->blobs)
		result->blobs = json_array();
	json_array_append_new(result->blobs, json_pack("{s:s, s:I, s:s}", "digest", d->digest, "size",
												   (json_int_t)d->size, "outcome", outcome));
}

char *blob_label(const struct oci_descriptor *d)
{
	const char *kind = d->media_type && strstr(d->media_type, "config")                   ? "config"
					   : d->media_type && strcmp(d->media_type, DOCKER_MEDIA_CONFIG) == 0 ? "config"
					   : oci_is_manifest_type(d->media_type) ? "manifest"
					   : oci_is_index_type(d->media_type)    ? "index"
															 : "layer";

	return xasprintf("%s %.8s", kind, oci_digest_hex(d->digest));
}
