/* msctl image gc - keep the local store and what builds remember within bounds. */
#include "base/auto.h"
#include "base/fs.h"
#include "base/text.h"
#include "build/collect.h"
#include "cmd/out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct gc_options {
	const char *max_bytes;
	const char *max_files;
	bool all_cache;
};

static const struct opt gc_opts[] = {
	OPT_STRING(0, "max-bytes", struct gc_options, max_bytes, "SIZE",
			   "cap for the store and the cache together: 500M, 10G, 2Gi (default: 20Gi)"),
	OPT_STRING(0, "max-files", struct gc_options, max_files, "N",
			   "the same for the number of files (default: 200000)"),
	OPT_FLAG(0, "all-cache", struct gc_options, all_cache, "remove all that builds remember"),
	OPT_DONE,
};

/* "10G", "2Gi", "500MB", "0" */
static bool parse_size(const char *text, uint64_t *out)
{
	static const char units[] = "KMGT";
	char *end = NULL;
	uint64_t n, step;
	const char *unit;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno)
		return false;
	unit = *end ? strchr(units, *end == 'k' ? 'K' : *end) : NULL;
	if (unit) {
		end++;
		step = *end == 'i' ? 1024 : 1000;
		end += *end == 'i';
		for (const char *u = units; u <= unit; u++)
			if (__builtin_mul_overflow(n, step, &n))
				return false;
	}
	if (*end == 'B')
		end++;
	*out = n;
	return *end == '\0';
}

static int parse_options(const struct gc_options *o, struct build_collect *what, struct error *err)
{
	int64_t files = COLLECT_MAX_FILES;

	what->max_bytes = COLLECT_MAX_BYTES;
	if (o->max_bytes && !parse_size(o->max_bytes, &what->max_bytes)) {
		err_set(err, ERR_USAGE, "--max-bytes: '%s' is no size", o->max_bytes);
		return err_hint(err, "write a number of bytes, or one with K, M, G, T, Ki, Mi, Gi, Ti");
	}
	if (o->max_files && !text_to_int(o->max_files, 0, INT64_MAX, &files)) {
		err_set(err, ERR_USAGE, "--max-files: '%s' is no number", o->max_files);
		return err_hint(err, "write how many files there may be");
	}
	what->max_files = (uint64_t)files;
	what->all_cache = o->all_cache;
	return 0;
}

static json_t *weight(const struct build_weight *w)
{
	return json_pack("{s:I, s:I}", "bytes", (json_int_t)w->bytes, "files", (json_int_t)w->files);
}

static int report(struct ctx *ctx, const struct build_collect *what,
				  const struct build_collected *c, struct error *err)
{
	char freed[16], store[16], cache[16];

	if (out_is_document(ctx)) {
		AUTO_JSON json_t *doc =
			json_pack("{s:o, s:o, s:o, s:I, s:I}", "freed", weight(&c->freed), "store",
					  weight(&c->store), "cache", weight(&c->cache), "maxBytes",
					  (json_int_t)what->max_bytes, "maxFiles", (json_int_t)what->max_files);

		return out_print(ctx, doc, NULL, err);
	}
	fprintf(ctx->out, "%s freed\n", text_size(c->freed.bytes, freed));
	ctx_note(ctx, "the store has %s in %llu files, the cache %s in %llu",
			 text_size(c->store.bytes, store), (unsigned long long)c->store.files,
			 text_size(c->cache.bytes, cache), (unsigned long long)c->cache.files);
	return 0;
}

/* Whoever set no cap is told of what there is, and that is all. */
static int collect(struct ctx *ctx, const struct gc_options *o, struct build_collect *what,
				   struct error *err)
{
	AUTO_PTR(oci_store) struct oci_store *store = NULL;
	AUTO_FREE char *cache = NULL;
	struct build_collected c = {0};
	struct error why = {0}, no_home;

	if (fs_home_dir(FS_HOME_CACHE, &cache, &no_home) == 0)
		what->cache = cache;
	if (oci_store_open(NULL, &store, err) < 0)
		return -1;
	if (build_collect(store, what, &c, &why) < 0) {
		if (why.code != ERR_DENIED || c.store.files == 0 || o->max_bytes || o->max_files) {
			*err = why;
			return -1;
		}
		ctx_note(ctx, "%s", why.msg);
	}
	return report(ctx, what, &c, err);
}

static int gc_run(struct ctx *ctx, const void *options, int argc, char **argv, struct error *err)
{
	struct build_collect what = {0};

	(void)argc;
	(void)argv;
	return parse_options(options, &what, err) < 0 ? -1 : collect(ctx, options, &what, err);
}

const struct command cmd_image_gc = {
	.name = "image gc",
	.group = GROUP_BUILD,
	.summary = "Remove what no image of the local store needs",
	.operands = "",
	.options = gc_opts,
	.options_size = sizeof(struct gc_options),
	.description =
		"Removes blobs that no name reaches and what dead processes left. If the store and what "
		"builds remember are more than the caps together, that goes which builds did not use for "
		"longest, until they are not. Named images stay: if they alone are more than a cap that "
		"was given, that is an error which names the largest. Builds keep to the default caps by "
		"themselves, and may run meanwhile.",
	.examples = "msctl image gc --max-bytes 5G\n    let no more than that be on the disk\n"
				"msctl image gc --all-cache\n    the next build makes every layer anew\n",
	.run = gc_run,
};
