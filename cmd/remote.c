#include "cmd/remote.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "registry/referrers.h"

#include <string.h>

void remote_release(struct remote *r)
{
	if (r->registry)
		registry_free(r->registry);
	creds_store_release(&r->creds);
	free(r->cache_dir);
	*r = (struct remote){0};
}

int remote_open(struct ctx *ctx, const struct remote_options *o, const char *host,
				struct remote *out, struct error *err)
{
	struct error ignored;
	struct registry_options options;

	/* without a home there is nothing to remember in, and that is all */
	if (fs_home_dir(FS_HOME_CACHE, &out->cache_dir, &ignored) < 0)
		out->cache_dir = NULL;
	out->creds.file = o->authfile;
	out->creds.cancel = ctx->cancel;
	options = (struct registry_options){
		.host = host,
		.creds = &out->creds,
		.ca_file = o->ca,
		.plain_http = o->plain_http,
		.timeout_ms = ctx->global.timeout_ms,
		.clock = ctx->clock,
		.cancel = ctx->cancel,
		.log = &ctx->log,
		.progress = &ctx->progress,
		.cache_dir = out->cache_dir,
	};
	return registry_open(&options, &out->registry, err);
}

int remote_ref(const char *text, struct oci_ref *out, struct error *err)
{
	if (oci_ref_parse_tagged(text, out, err) == 0)
		return 0;
	if (err->code == ERR_INPUT)
		err->code = ERR_USAGE;
	return -1;
}

int remote_registry_ref(const char *text, struct oci_ref *out, struct error *err)
{
	AUTO(oci_ref) struct oci_ref ref = {0};

	if (remote_ref(text, &ref, err) < 0)
		return -1;
	if (!ref.host) {
		err_set(err, ERR_USAGE, "'%s' names no registry", text);
		return err_hint(err, "write it as HOST/%s", text);
	}
	*out = MOVE(ref);
	return 0;
}

int remote_host(const char *text, char **out, struct error *err)
{
	AUTO_FREE char *full = xasprintf("%s/library/x", text);
	AUTO(oci_ref) struct oci_ref ref = {0};
	struct error ignored;

	if (oci_ref_parse(full, &ref, &ignored) < 0 || !ref.host ||
		strcmp(ref.name, "library/x") != 0) {
		err_set(err, ERR_USAGE, "'%s' is no registry host", text);
		return err_hint(
			err, "name the host alone, without https:// and path: registry.example.com:5000");
	}
	*out = TAKE(ref.host);
	return 0;
}

int remote_pull(struct ctx *ctx, const struct remote_options *o, const char *ref,
				const struct oci_platform *platform, struct oci_store *store, struct error *err)
{
	static const struct remote_options none;
	AUTO(oci_ref) struct oci_ref from = {0};
	AUTO(remote) struct remote remote = {0};
	AUTO(registry_result) struct registry_result result = {0};
	struct registry_pull what = {
		.store = store, .from = &from, .platform = platform, .keep_index = platform != NULL};

	if (remote_registry_ref(ref, &from, err) < 0 ||
		remote_open(ctx, o ? o : &none, from.host, &remote, err) < 0)
		return -1;
	return registry_pull(remote.registry, &what, &result, err);
}

static char *pinned(const struct oci_ref *ref, const char *digest)
{
	struct oci_ref by_tag = *ref;
	AUTO_FREE char *text = NULL;

	by_tag.digest = NULL;
	text = oci_ref_text(&by_tag);
	return xasprintf("%s@%s", text, digest);
}

static size_t count_of(const struct registry_result *result, const char *outcome)
{
	const json_t *item;
	size_t n = 0;
	size_t i;

	json_array_foreach(result->blobs, i, item) n +=
		strcmp(doc_text(item, "outcome", ""), outcome) == 0;
	return n;
}

static void add_count(struct buf *line, size_t n, const char *what)
{
	if (n > 0)
		buf_addf(line, "%s%zu %s", line->len ? " · " : "", n, what);
}

static void say_counts(struct ctx *ctx, const struct registry_result *result, int64_t ms)
{
	AUTO(buf) struct buf line = {0};
	size_t uploaded = count_of(result, "uploaded");
	char size[16];
	char time[16];

	add_count(&line, result->present,
			  result->present == 1 ? "blob already there" : "blobs already there");
	add_count(&line, result->mounted, "mounted");
	add_count(&line, result->moved, uploaded ? "uploaded" : "downloaded");
	if (result->moved)
		buf_addf(&line, " (%s)", text_size(result->moved_bytes, size));
	add_count(&line, result->manifests, result->manifests == 1 ? "manifest" : "manifests");
	ctx_note(ctx, " %s    %s", buf_str(&line), text_duration(ms, time));
}

int remote_push_sbom(struct remote *r, const struct registry_push *what, size_t *documents,
					 struct error *err)
{
	AUTO_FREE char *name = oci_ref_text(what->to);

	if (registry_push_referrers(r->registry, what, documents, err) == 0)
		return 0;
	err_wrap(err, "%s is pushed, its SBOM and provenance are not", name);
	return err->hint[0] ? -1 : err_hint(err, "push again, or leave them out with --no-sbom");
}

void remote_note_sbom(struct ctx *ctx, size_t documents)
{
	if (documents > 0 && !out_is_document(ctx))
		ctx_note(ctx, " attached %zu documents", documents);
}

int remote_report(struct ctx *ctx, const struct oci_ref *ref, const struct registry_result *result,
				  int64_t ms, struct error *err)
{
	AUTO_FREE char *full = pinned(ref, result->image.digest);
	AUTO_FREE char *repository = oci_ref_repository(ref);

	if (out_is_document(ctx)) {
		AUTO_JSON json_t *doc = json_pack(
			"{s:s, s:s, s:s?, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:O?, s:I}", "reference", full,
			"repository", repository, "tag", ref->tag, "digest", result->image.digest, "mediaType",
			result->image.media_type, "size", (json_int_t)result->image.size, "moved",
			(json_int_t)result->moved, "movedBytes", (json_int_t)result->moved_bytes, "mounted",
			(json_int_t)result->mounted, "manifests", (json_int_t)result->manifests, "blobs",
			result->blobs, "durationMs", (json_int_t)ms);

		return out_print(ctx, doc, NULL, err);
	}
	ctx_note(ctx, " %s", repository);
	say_counts(ctx, result, ms);
	fprintf(ctx->out, "%s\n", full);
	return 0;
}
