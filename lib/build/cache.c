/* A layer is a function of what goes into it: names, modes, times, content. The cache remembers
 * which blob came out, by the digest of all that, so that libraries that did not change are read
 * but not compressed again. A record is believed only while the store has the blob. */
#include "build/private.h"

#include "base/fs.h"
#include "base/mem.h"
#include "tar/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define CACHE_MIN_BYTES (1u << 20) /* of content; less is compressed in no time */
#define CACHE_MAX_RECORDS 1024     /* then it starts anew */
#define CACHE_RECORD_BYTES 4096

/* Lengths are hashed too: "ab" + "c" is not "a" + "bc". */
static void add_bytes(struct sha256 *h, const void *data, size_t len)
{
	uint64_t n = len;

	sha256_add(h, &n, sizeof(n));
	sha256_add(h, data, len);
}

static void add_text(struct sha256 *h, const char *text)
{
	add_bytes(h, text ? text : "", text ? strlen(text) : 0);
}

static int hash_content(const struct build *b, const struct tree_node *n, struct sha256 *h,
						struct error *err)
{
	AUTO_CLOSE int fd = open(n->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	AUTO_FREE char *block = xmalloc(1u << 17);
	ssize_t got;

	if (fd < 0)
		return err_errno(err, "cannot open %s", n->file);
	if (build_check_unchanged(fd, n, err) < 0)
		return -1;
	while ((got = read(fd, block, 1u << 17)) != 0) {
		if (got < 0 && errno != EINTR)
			return err_errno(err, "cannot read %s", n->file);
		if (got > 0)
			sha256_add(h, block, (size_t)got);
		if (cancel_check(b->request->cancel, err) < 0)
			return -1;
	}
	return build_check_unchanged(fd, n, err);
}

static int hash_node(const struct build *b, const char *path, struct sha256 *h, struct error *err)
{
	const struct tree_node *n = map_get(&b->tree.nodes, path);
	const int64_t numbers[] = {(int64_t)n->type, (int64_t)n->mode,       n->uid,
							   n->gid,           build_entry_time(b, n), (int64_t)n->size};

	add_text(h, path);
	add_bytes(h, numbers, sizeof(numbers));
	add_text(h, n->target);
	add_bytes(h, n->capability, n->has_capability ? sizeof(n->capability) : 0);
	if (n->type != TREE_FILE)
		return 0;
	if (n->file)
		return hash_content(b, n, h, err);
	sha256_add(h, n->data, n->size);
	return 0;
}

static uint64_t content_bytes(const struct build *b, const struct strv *paths)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < paths->count; i++)
		bytes += ((const struct tree_node *)map_get(&b->tree.nodes, paths->items[i]))->size;
	return bytes;
}

int build_cache_key(const struct build *b, const struct strv *paths, char **file, struct error *err)
{
	AUTO_PTR(sha256) struct sha256 *h = NULL;
	uint8_t sum[SHA256_BYTES];
	char hex[SHA256_HEX_LEN + 1];

	if (!b->request->cache || content_bytes(b, paths) < CACHE_MIN_BYTES)
		return 0;
	h = sha256_new();
	add_text(h, "layer " MSCTL_VERSION);
	add_bytes(h, &(int){LAYER_COMPAT}, sizeof(int));
	add_text(h, build_compression(b));
	for (size_t i = 0; i < paths->count; i++)
		if (hash_node(b, paths->items[i], h, err) < 0)
			return -1;
	sha256_end(h, sum);
	*file = xasprintf("%s/layers/%s", b->request->cache, sha256_hex(sum, hex));
	return 0;
}

bool build_cache_find(const struct build *b, const char *file, struct build_cached *out)
{
	AUTO(buf) struct buf text = {0};
	AUTO_JSON json_t *doc = NULL;
	struct error ignored = {0};
	const char *digest, *diff_id;
	int64_t size;

	if (!file || !fs_exists(file) || fs_read(file, CACHE_RECORD_BYTES, &text, &ignored) < 0 ||
		doc_json_parse(buf_span(&text), file, &doc, &ignored) < 0)
		return false;
	digest = doc_text(doc, "digest", "");
	diff_id = doc_text(doc, "diffId", "");
	size = doc_int(doc, "size", -1);
	if (!oci_is_digest(digest) || !oci_is_digest(diff_id) || size < 0 ||
		!oci_store_has(b->store, digest, (uint64_t)size))
		return false;
	memcpy(out->digest, digest, sizeof(out->digest));
	memcpy(out->diff_id, diff_id, sizeof(out->diff_id));
	out->size = (uint64_t)size;
	return true;
}

/* A cache that cannot be written makes builds slower and nothing else. */
void build_cache_keep(const struct build *b, const char *file, const struct build_cached *layer)
{
	AUTO_FREE char *dir = xasprintf("%s/layers", b->request->cache ? b->request->cache : "");
	AUTO_JSON json_t *doc = NULL;
	AUTO(buf) struct buf text = {0};
	AUTO(strv) struct strv records = {0};
	struct error ignored = {0};

	if (!file)
		return;
	if (fs_is_dir(dir) && fs_list(dir, &records, &ignored) == 0 &&
		records.count >= CACHE_MAX_RECORDS)
		fs_remove_tree(dir, &ignored);
	doc = json_pack("{s:s, s:s, s:I}", "digest", layer->digest, "diffId", layer->diff_id, "size",
					(json_int_t)layer->size);
	doc_json_write(doc, &text);
	if (fs_mkdirs(dir, 0755, &ignored) == 0)
		fs_write_atomic(file, text.data, text.len, 0644, &ignored);
}
