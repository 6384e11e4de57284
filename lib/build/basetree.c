#include "build/basetree.h"

#include "base/mem.h"
#include "build/keep.h"
#include "build/memory.h"

#include <stdlib.h>
#include <string.h>

/* Before each path and target, which follow without NUL. */
struct packed {
	int64_t mtime_s;
	uint32_t type, mode, uid, gid, layer;
	uint32_t path, target; /* lengths; target: UINT32_MAX: NULL */
};

/* NULL: nothing is remembered. Caller frees. */
static char *record_file(const struct build *b)
{
	const struct build_memory *m = b->stamp->memory;
	AUTO_PTR(sha256) struct sha256 *h = sha256_new();
	uint8_t sum[SHA256_BYTES];
	char hex[SHA256_HEX_LEN + 1];

	if (!m->cache)
		return NULL;
	sha256_add(h, MSCTL_VERSION, sizeof(MSCTL_VERSION));
	for (size_t i = 0; i < b->base.layer_count; i++)
		sha256_add(h, b->base.layers[i].digest, OCI_DIGEST_LEN);
	for (size_t i = 0; i < b->base_config.diff_ids.count; i++)
		sha256_add(h, b->base_config.diff_ids.items[i], OCI_DIGEST_LEN);
	sha256_end(h, sum);
	return xasprintf("%s/bases/%s", m->cache, sha256_hex(sum, hex));
}

static bool has_layers(const struct build *b)
{
	for (size_t i = 0; i < b->base.layer_count; i++)
		if (!oci_store_has(b->store, b->base.layers[i].digest, b->base.layers[i].size))
			return false;
	return true;
}

static bool take_text(struct span *rest, uint32_t len, char **out)
{
	if (len > rest->len)
		return false;
	*out = xstrndup(rest->data, len);
	*rest = (struct span){rest->data + len, rest->len - len};
	return true;
}

/* The node goes into the tree as soon as there is one, and is freed with it. */
static bool take_node(struct span *rest, struct tree *t)
{
	AUTO_FREE char *path = NULL;
	struct tree_node *n;
	struct packed p;

	if (rest->len < sizeof(p))
		return false;
	memcpy(&p, rest->data, sizeof(p));
	*rest = (struct span){rest->data + sizeof(p), rest->len - sizeof(p)};
	if (p.type > TREE_FILE || !take_text(rest, p.path, &path) || map_has(&t->nodes, path))
		return false;
	n = xcalloc(1, sizeof(*n));
	n->type = (enum tree_type)p.type;
	n->layer = TREE_BASE;
	n->base_layer = p.layer;
	n->mode = p.mode;
	n->uid = p.uid;
	n->gid = p.gid;
	n->mtime_s = p.mtime_s;
	map_put(&t->nodes, path, n);
	return p.target == UINT32_MAX || take_text(rest, p.target, &n->target);
}

bool build_base_tree_load(struct build *b)
{
	AUTO_FREE char *file = record_file(b);
	AUTO(buf) struct buf bytes = {0};
	struct span rest;

	if (!file || b->stamp->memory->is_forgetful || !has_layers(b) || !keep_load(file, &bytes))
		return false;
	rest = buf_span(&bytes);
	while (rest.len > 0)
		if (!take_node(&rest, &b->tree)) {
			tree_release(&b->tree);
			return false;
		}
	keep_touch(file);
	return true;
}

void build_base_tree_keep(const struct build *b)
{
	AUTO_FREE char *file = record_file(b);
	AUTO(buf) struct buf bytes = {0};
	struct error ignored = {0};

	if (!file)
		return;
	for (size_t i = 0; i < b->tree.nodes.count; i++) {
		const struct map_entry *e = &b->tree.nodes.entries[i];
		const struct tree_node *n = e->value;
		struct packed p;

		if (!n)
			continue;
		memset(&p, 0, sizeof(p));
		p = (struct packed){.mtime_s = n->mtime_s,
							.type = n->type,
							.mode = n->mode,
							.uid = n->uid,
							.gid = n->gid,
							.layer = n->base_layer,
							.path = (uint32_t)strlen(e->key),
							.target = n->target ? (uint32_t)strlen(n->target) : UINT32_MAX};
		buf_add(&bytes, &p, sizeof(p));
		buf_adds(&bytes, e->key);
		buf_adds(&bytes, n->target ? n->target : "");
	}
	if (bytes.len < KEEP_MAX_BYTES)
		keep_save(file, bytes.data, bytes.len, &ignored);
}

void build_explain_base(const struct build *b)
{
	const struct build_memory *m = b->stamp->memory;
	AUTO_FREE char *platform = oci_platform_text(&b->platform);
	AUTO_FREE char *what = xasprintf("base %s", b->project->build.base);
	AUTO_FREE char *file = NULL;
	AUTO(inputs) struct inputs now = {0};
	AUTO(buf) struct buf before = {0};
	char digest[OCI_DIGEST_LEN + 1];
	struct error ignored = {0};

	if (!m->project)
		return;
	for (char *p = platform; *p; p++)
		if (*p == '/')
			*p = '-';
	file = xasprintf("%s/base-%s", m->project, platform);
	oci_digest_of(b->base.bytes, b->base.len, digest);
	inputs_text(&now, INPUT_SETTING, "the name", b->project->build.base);
	inputs_text(&now, INPUT_SETTING, "its digest", digest);
	if (keep_load(file, &before) && before.len == now.bytes.len &&
		memcmp(before.data, now.bytes.data, before.len) == 0) {
		build_explain(b, true, what, "it is %s, as before", digest);
		return;
	}
	if (before.len > 0) {
		AUTO_FREE char *why = inputs_reason(&before, &now.bytes);

		build_explain(b, false, what, "%s", why);
	} else {
		build_explain(b, false, what, "nothing is known of an earlier build");
	}
	keep_save(file, now.bytes.data, now.bytes.len, &ignored);
}
