/* What an image says of itself (image-spec v1.1, annotations.md). */
#include "build/private.h"

#include "base/clock.h"
#include "base/mem.h"

static void annotate(json_t *annotations, const char *key, const char *value)
{
	AUTO_FREE char *full = xasprintf("org.opencontainers.image.%s", key);

	if (value && *value)
		json_object_set_new(annotations, full, json_string(value));
}

json_t *build_annotations(const struct build *b)
{
	AUTO_FREE char *source = b->stamp->repo.origin ? build_source_url(b->stamp->repo.origin) : NULL;
	json_t *a = json_object();
	char created[32];

	annotate(a, "created", clock_rfc3339(b->stamp->created, created));
	annotate(a, "revision", b->stamp->repo.commit);
	annotate(a, "source", source);
	annotate(a, "version", b->stamp->tag);
	annotate(a, "title", b->project->name);
	if (b->base.bytes) {
		char digest[OCI_DIGEST_LEN + 1];

		annotate(a, "base.name", b->project->build.base);
		annotate(a, "base.digest", oci_digest_of(b->base.bytes, b->base.len, digest));
	}
	return a;
}
