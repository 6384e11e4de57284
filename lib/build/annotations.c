/* What an image says of itself (image-spec v1.1, annotations.md). */
#include "build/private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "supply/license.h"

#include <string.h>

#define PREFIX "org.opencontainers.image."

static void annotate(json_t *annotations, const char *key, const char *value)
{
	AUTO_FREE char *full = xasprintf(PREFIX "%s", key);

	if (value && *value)
		json_object_set_new(annotations, full, json_string(value));
}

char *build_base_name(const struct build *b)
{
	AUTO(oci_ref) struct oci_ref ref = {0};
	struct error ignored = {0};

	if (!b->base.bytes)
		return NULL;
	if (oci_ref_parse_tagged(b->project->build.base, &ref, &ignored) < 0)
		return xstrdup(b->project->build.base);
	return oci_ref_text(&ref);
}

json_t *build_annotations(const struct build *b)
{
	AUTO_FREE char *source = b->stamp->repo.origin ? build_source_url(b->stamp->repo.origin) : NULL;
	AUTO_FREE char *base = build_base_name(b);
	json_t *a = json_object();
	char created[32];

	annotate(a, "created", clock_rfc3339(b->stamp->created, created));
	annotate(a, "revision", b->stamp->repo.commit);
	annotate(a, "source", source);
	annotate(a, "version", b->stamp->tag);
	annotate(a, "title", b->project->name);
	annotate(a, "licenses", b->project->license);
	if (b->base.bytes) {
		char digest[OCI_DIGEST_LEN + 1];

		annotate(a, "base.name", base);
		annotate(a, "base.digest", oci_digest_of(b->base.bytes, b->base.len, digest));
	}
	return a;
}

/* What a base says of itself is not true of what is made from it. */
static json_t *labels_of_base(const struct build *b)
{
	json_t *labels = b->base_config.labels ? json_deep_copy(b->base_config.labels) : json_object();
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(labels, next, key, value) if (strncmp(key, PREFIX, strlen(PREFIX)) ==
														   0) json_object_del(labels, key);
	return labels;
}

json_t *build_labels(const struct build *b)
{
	AUTO_JSON json_t *annotations = build_annotations(b);
	json_t *labels = labels_of_base(b);

	json_object_update(labels, annotations);
	if (b->project->build.labels)
		json_object_update(labels, b->project->build.labels);
	return labels;
}

int build_check_license(const struct project *p, struct error *err)
{
	if (!p->license || license_check(p->license, err) == 0)
		return 0;
	return err_wrap(err, "%s: license", p->file);
}
