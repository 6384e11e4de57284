/* Garbage collection by mark and sweep, and the check of everything reachable. */
#include "oci/store.h"

#include "base/fs.h"
#include "base/map.h"
#include "base/mem.h"
#include "oci/store_private.h"

#include <errno.h>
#include <string.h>

#define MAX_NESTING 8 /* indexes within indexes */

/* One walk over everything that the index reaches. visit gets each descriptor once; required is
 * false for what an image may lack (a platform that was never pulled). */
struct walk {
	struct oci_store *store;
	struct map seen;
	int (*visit)(void *user, const struct oci_descriptor *d, bool required, struct error *err);
	void *user;
};

static int walk_descriptor(struct walk *w, const struct oci_descriptor *d, bool required, int depth,
						   struct error *err);

static int walk_manifest(struct walk *w, const struct oci_descriptor *d, int depth,
						 struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};
	struct error ignored = {0};

	/* absent or damaged: its children cannot be known, and nobody can use them through it */
	if (oci_store_manifest(w->store, d, &m, &ignored) < 0)
		return ignored.code == ERR_MISSING || ignored.code == ERR_INPUT
				   ? 0
				   : err_set(err, ignored.code, "%s", ignored.msg);
	if (!m.is_index && walk_descriptor(w, &m.config, true, depth + 1, err) < 0)
		return -1;
	for (size_t i = 0; i < m.layer_count; i++)
		if (walk_descriptor(w, &m.layers[i], !m.is_index, depth + 1, err) < 0)
			return -1;
	return 0;
}

static int walk_descriptor(struct walk *w, const struct oci_descriptor *d, bool required, int depth,
						   struct error *err)
{
	if (!map_put(&w->seen, d->digest, NULL))
		return 0;
	if (w->visit && w->visit(w->user, d, required, err) < 0)
		return -1;
	if (depth > MAX_NESTING ||
		(!oci_is_index_type(d->media_type) && !oci_is_manifest_type(d->media_type)))
		return 0;
	return walk_manifest(w, d, depth, err);
}

static int walk_all(struct walk *w, struct error *err)
{
	AUTO_JSON json_t *index = NULL;
	json_t *entry;
	size_t i;

	if (store_index_read(w->store, &index, err) < 0)
		return -1;
	json_array_foreach(json_object_get(index, "manifests"), i, entry)
	{
		AUTO(oci_descriptor) struct oci_descriptor d = {0};
		const char *name;

		if (store_index_entry(entry, &name, &d) && walk_descriptor(w, &d, true, 0, err) < 0)
			return -1;
	}
	return 0;
}

/* Remove the files of a folder that keep does not hold. */
static int remove_files(const char *dir, const struct map *keep, uint64_t *freed, struct error *err)
{
	AUTO(strv) struct strv names = {0};

	if (fs_list(dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		AUTO_FREE char *path = fs_join(dir, names.items[i]);
		AUTO_FREE char *digest = xasprintf("sha256:%s", names.items[i]);
		struct stat st;

		if ((keep && map_has(keep, digest)) || lstat(path, &st) < 0 || S_ISDIR(st.st_mode))
			continue;
		if (unlink(path) < 0 && errno != ENOENT)
			return err_errno(err, "cannot remove %s", path);
		*freed += (uint64_t)st.st_size;
	}
	return 0;
}

int store_sweep(struct oci_store *s, uint64_t *freed, struct error *err)
{
	struct walk w = {.store = s};
	uint64_t sum = 0;
	/* the lease is exclusive, so every temporary file belongs to a process that has died */
	int rc = walk_all(&w, err) < 0 || remove_files(s->blobs, &w.seen, &sum, err) < 0 ||
					 remove_files(s->temp, NULL, &sum, err) < 0
				 ? -1
				 : 0;

	map_release(&w.seen);
	if (rc == 0 && freed)
		*freed = sum;
	return rc;
}

int oci_store_gc(struct oci_store *s, uint64_t *freed, struct error *err)
{
	int rc;

	if (store_lease_exclusive(s, err) < 0)
		return -1;
	rc = store_sweep(s, freed, err);
	store_lease_shared(s);
	return rc;
}

int oci_store_weigh(const struct oci_store *s, uint64_t *bytes, uint64_t *files, struct error *err)
{
	const char *const dirs[] = {s->blobs, s->temp};
	uint64_t sum = 0, count = 0;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		AUTO(strv) struct strv names = {0};

		if (fs_list(dirs[i], &names, err) < 0)
			return -1;
		for (size_t k = 0; k < names.count; k++) {
			AUTO_FREE char *path = fs_join(dirs[i], names.items[k]);
			struct stat st;

			if (lstat(path, &st) < 0)
				continue;
			sum += (uint64_t)st.st_size;
			count++;
		}
	}
	*bytes = sum;
	*files = count;
	return 0;
}

struct check {
	const struct oci_store *store;
	size_t checked;
	size_t broken;
	char buffer[64 * 1024];
};

static int hash_file(struct check *c, int fd, const struct oci_descriptor *d,
					 char digest[OCI_DIGEST_LEN + 1], struct error *err)
{
	AUTO_PTR(sha256) struct sha256 *hash = sha256_new();
	uint8_t sum[SHA256_BYTES];

	for (;;) {
		ssize_t n = read(fd, c->buffer, sizeof(c->buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "cannot read %s", d->digest);
		if (n == 0)
			break;
		sha256_add(hash, c->buffer, (size_t)n);
	}
	sha256_end(hash, sum);
	oci_digest_from(sum, digest);
	return 0;
}

static int check_blob(void *user, const struct oci_descriptor *d, bool required, struct error *err)
{
	struct check *c = user;
	AUTO_CLOSE int fd = -1;
	char digest[OCI_DIGEST_LEN + 1];
	struct error why = {0};

	if (oci_store_open_blob(c->store, d, &fd, &why) < 0) {
		if (why.code != ERR_MISSING && why.code != ERR_INPUT)
			return err_set(err, why.code, "%s", why.msg);
		c->broken += required || why.code == ERR_INPUT;
		return 0;
	}
	c->checked++;
	if (hash_file(c, fd, d, digest, err) < 0)
		return -1;
	if (strcmp(digest, d->digest) == 0)
		return 0;
	oci_store_drop_broken(c->store, d->digest);
	c->broken++;
	return 0;
}

int oci_store_verify(struct oci_store *s, size_t *checked, size_t *broken, struct error *err)
{
	AUTO_FREE struct check *c = xcalloc(1, sizeof(*c));
	struct walk w = {.store = s, .visit = check_blob, .user = c};
	int rc;

	c->store = s;
	rc = walk_all(&w, err);
	map_release(&w.seen);
	if (rc < 0)
		return -1;
	*checked = c->checked;
	*broken = c->broken;
	return 0;
}
