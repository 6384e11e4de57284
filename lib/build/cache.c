#include "build/cache.h"

#include "base/fs.h"
#include "base/list.h"
#include "base/mem.h"
#include "build/keep.h"
#include "build/memory.h"
#include "tar/layer.h"

#include <stdlib.h>
#include <string.h>

void build_layer_key_release(struct build_layer_key *k)
{
	inputs_release(&k->inputs);
	free(k->file);
	free(k->last);
}

/* "0 0755 0:0 1700000000 412 SHA256 CAPABILITY TARGET" */
static int add_node(const struct build *b, const char *path, struct inputs *out, struct error *err)
{
	const struct tree_node *n = map_get(&b->tree.nodes, path);
	AUTO(buf) struct buf text = {0};
	struct statindex_sum sum;
	char hex[SHA256_HEX_LEN + 1] = "-";

	if (n->type == TREE_FILE) {
		if (build_file_sum(b, n, &sum, err) < 0)
			return -1;
		sha256_hex(sum.sha256, hex);
	}
	buf_addf(&text, "%d %04o %u:%u %lld %llu %s ", (int)n->type, (unsigned)n->mode, n->uid, n->gid,
			 (long long)build_entry_time(b, n), (unsigned long long)n->size, hex);
	for (size_t i = 0; n->has_capability && i < sizeof(n->capability); i++)
		buf_addf(&text, "%02x", n->capability[i]);
	buf_addf(&text, " %s", n->target ? n->target : "");
	inputs_add(out, INPUT_FILE, path, text.data, text.len);
	return 0;
}

/* Each is looked at in its turn; those that must be read are better read all at once. */
static void read_ahead(const struct build *b, const struct strv *paths)
{
	const struct build_memory *m = b->stamp->memory;
	struct statindex *const indexes[] = {m->sums, m->own};

	for (size_t k = 0; k < sizeof(indexes) / sizeof(indexes[0]); k++) {
		LIST(struct statindex_file) files = {0};

		for (size_t i = 0; i < paths->count; i++) {
			const struct tree_node *n = map_get(&b->tree.nodes, paths->items[i]);
			struct statindex_file f = {n->file, &n->seen};

			if (n->type == TREE_FILE && n->file && build_memory_sums(m, n->file) == indexes[k])
				list_push(&files, f);
		}
		statindex_read_ahead(indexes[k], files.items, files.count, b->request->threads,
							 b->request->cancel);
		list_release(&files);
	}
}

int build_cache_key(const struct build *b, enum tree_layer layer, const struct strv *paths,
					struct build_layer_key *out, struct error *err)
{
	const struct build_memory *m = b->stamp->memory;
	AUTO(build_layer_key) struct build_layer_key k = {0};
	AUTO_FREE char *platform = oci_platform_text(&b->platform);
	AUTO_FREE char *compat = xasprintf("%d", LAYER_COMPAT);
	uint8_t key[SHA256_BYTES];
	char hex[SHA256_HEX_LEN + 1];

	build_layer_name(b, layer, k.name);
	if (m->cache) {
		for (char *p = platform; *p; p++)
			if (*p == '/')
				*p = '-';
		inputs_text(&k.inputs, INPUT_SETTING, "msctl", MSCTL_VERSION);
		inputs_text(&k.inputs, INPUT_SETTING, "the form of layers", compat);
		inputs_text(&k.inputs, INPUT_SETTING, "compression", build_compression(b));
		read_ahead(b, paths);
		for (size_t i = 0; i < paths->count; i++)
			if (add_node(b, paths->items[i], &k.inputs, err) < 0)
				return -1;
		inputs_key(&k.inputs, key);
		k.file = xasprintf("%s/layers/%s", m->cache, sha256_hex(key, hex));
		k.last = xasprintf("%s/layer-%s-%d", m->project, platform, (int)layer);
	}
	*out = MOVE(k);
	return 0;
}

static bool is_last(const struct build_layer_key *k)
{
	uint8_t sum[SHA256_BYTES], key[SHA256_BYTES];

	inputs_key(&k->inputs, key);
	return keep_sum(k->last, sum) && memcmp(sum, key, sizeof(key)) == 0;
}

static void note_last(const struct build_layer_key *k)
{
	struct error ignored = {0};

	keep_save(k->last, k->inputs.bytes.data, k->inputs.bytes.len, &ignored);
}

static void explain_miss(const struct build *b, const struct build_layer_key *k, bool is_known)
{
	AUTO_FREE char *what = xasprintf("layer %s", k->name);
	AUTO(buf) struct buf before = {0};
	AUTO_FREE char *why = NULL;

	if (!b->request->watch.explain)
		return;
	if (!k->file)
		why = xstrdup("there is no cache");
	else if (b->stamp->memory->is_forgetful)
		why = xstrdup("--no-cache");
	else if (is_known)
		why = xstrdup("its blob is gone from the store");
	else if (!keep_load(k->last, &before))
		why = xstrdup("nothing is known of an earlier build");
	else if (is_last(k))
		why = xstrdup("its record is gone from the cache");
	else
		why = inputs_reason(&before, &k->inputs.bytes);
	build_explain(b, false, what, "%s", why);
}

static void explain_hit(const struct build *b, const struct build_layer_key *k, bool is_same)
{
	AUTO_FREE char *what = xasprintf("layer %s", k->name);

	build_explain(b, true, what, is_same ? "nothing changed" : "made before from the same files");
}

bool build_cache_find(const struct build *b, const struct build_layer_key *k,
					  struct build_cached *out)
{
	AUTO(buf) struct buf bytes = {0};
	struct build_cached c;
	bool is_known, is_same;

	is_known = k->file && !b->stamp->memory->is_forgetful && keep_load(k->file, &bytes) &&
			   bytes.len == sizeof(c);
	if (is_known) {
		memcpy(&c, bytes.data, sizeof(c));
		c.digest[OCI_DIGEST_LEN] = c.diff_id[OCI_DIGEST_LEN] = '\0';
	}
	if (!is_known || !oci_is_digest(c.digest) || !oci_is_digest(c.diff_id) ||
		!oci_store_has(b->store, c.digest, c.size)) {
		explain_miss(b, k, is_known);
		return false;
	}
	is_same = is_last(k);
	explain_hit(b, k, is_same);
	if (!is_same)
		note_last(k);
	keep_touch(k->file);
	*out = c;
	return true;
}

/* A cache that cannot be written makes builds slower and nothing else. */
void build_cache_keep(const struct build_layer_key *k, const struct build_cached *layer)
{
	struct build_cached c;
	struct error ignored = {0};

	if (!k->file)
		return;
	memset(&c, 0, sizeof(c));
	memcpy(c.digest, layer->digest, sizeof(c.digest));
	memcpy(c.diff_id, layer->diff_id, sizeof(c.diff_id));
	c.size = layer->size;
	keep_save(k->file, &c, sizeof(c), &ignored);
	note_last(k);
}
