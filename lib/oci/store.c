#include "oci/store.h"

#include "base/fs.h"
#include "base/mem.h"
#include "oci/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#define LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}"
#define EMPTY_INDEX "{\"manifests\":[],\"mediaType\":\"" OCI_MEDIA_INDEX "\",\"schemaVersion\":2}"

char *store_blob_path(const struct oci_store *s, const char *digest)
{
	return xasprintf("%s/%s", s->blobs, oci_digest_hex(digest));
}

const char *oci_store_path(const struct oci_store *s)
{
	return s->root;
}

void oci_store_free(struct oci_store *s)
{
	if (!s)
		return;
	if (s->lease >= 0)
		close(s->lease);
	free(s->root);
	free(s->blobs);
	free(s->temp);
	free(s);
}

static int default_path(char **out, struct error *err)
{
	const char *chosen = secure_getenv("MSCTL_STORE");
	AUTO_FREE char *home = NULL;

	if (chosen && chosen[0]) {
		*out = xstrdup(chosen);
		return 0;
	}
	if (fs_home_dir(FS_HOME_DATA, &home, err) < 0)
		return -1;
	*out = xasprintf("%s/store", home);
	return 0;
}

/* A store of a later version has rules that we do not know: leave it alone. */
static int check_layout(const struct oci_store *s, const char *path, struct error *err)
{
	AUTO(buf) struct buf text = {0};
	AUTO_JSON json_t *doc = NULL;
	const char *version;

	if (fs_read_settled(path, 4096, &text, err) < 0 ||
		doc_json_parse(buf_span(&text), path, &doc, err) < 0)
		return err_hint(err, "use another store with MSCTL_STORE, or remove this one");
	version = doc_text(doc, "imageLayoutVersion", "");
	if (strcmp(version, "1.0.0") == 0)
		return 0;
	err_set(err, ERR_INPUT, "%s: image layout version '%s' is not supported", s->root, version);
	return err_hint(err, "use another store with MSCTL_STORE, or a newer msctl");
}

static int create_file(const char *path, const char *content, struct error *err)
{
	return fs_exists(path) ? 0 : fs_write_atomic(path, content, strlen(content), 0644, err);
}

/* index.json first: a folder is a layout only once oci-layout is there. Two processes that create
 * the same store write the same bytes, and the index is locked so that an image named meanwhile
 * stays. */
static int create(const struct oci_store *s, const char *layout, struct error *err)
{
	AUTO_FREE char *index = fs_join(s->root, "index.json");
	AUTO_CLOSE int lock = -1;

	if (store_index_lock(s, &lock, err) < 0 || create_file(index, EMPTY_INDEX, err) < 0)
		return -1;
	return create_file(layout, LAYOUT, err);
}

static int prepare(struct oci_store *s, struct error *err)
{
	AUTO_FREE char *layout = fs_join(s->root, "oci-layout");
	AUTO_FREE char *lock = fs_join(s->root, "lock");

	if (fs_mkdirs(s->root, 0700, err) < 0)
		return -1;
	if (fs_exists(layout) && check_layout(s, layout, err) < 0)
		return -1;
	if (fs_mkdirs(s->blobs, 0755, err) < 0 || fs_mkdirs(s->temp, 0700, err) < 0 ||
		fs_lock(lock, false, true, &s->lease, err) < 0)
		return -1;
	return fs_exists(layout) ? 0 : create(s, layout, err);
}

int oci_store_open(const char *path, struct oci_store **out, struct error *err)
{
	AUTO_PTR(oci_store) struct oci_store *s = xcalloc(1, sizeof(*s));

	s->lease = -1;
	if (path)
		s->root = xstrdup(path);
	else if (default_path(&s->root, err) < 0)
		return -1;
	s->blobs = fs_join(s->root, "blobs/sha256");
	s->temp = fs_join(s->root, "tmp");
	if (prepare(s, err) < 0)
		return err_wrap(err, "cannot open the image store");
	*out = TAKE(s);
	return 0;
}

int store_lease_exclusive(struct oci_store *s, struct error *err)
{
	if (flock(s->lease, LOCK_EX | LOCK_NB) == 0)
		return 0;
	/* converting gave the shared lock up before it asked for the other one */
	store_lease_shared(s);
	err_set(err, ERR_CONFLICT, "the image store %s is in use by another msctl", s->root);
	return err_hint(err, "try again when it has ended");
}

void store_lease_shared(struct oci_store *s)
{
	while (flock(s->lease, LOCK_SH) < 0 && errno == EINTR)
		;
}

bool oci_store_has(const struct oci_store *s, const char *digest, uint64_t size)
{
	AUTO_FREE char *path = store_blob_path(s, digest);
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
}

void oci_store_drop_broken(const struct oci_store *s, const char *digest)
{
	AUTO_FREE char *path = store_blob_path(s, digest);

	unlink(path);
}

static int broken(const struct oci_store *s, const char *digest, const char *how, struct error *err)
{
	oci_store_drop_broken(s, digest);
	err_set(err, ERR_INPUT, "%s in the image store is damaged (%s) and was removed", digest, how);
	return err_hint(err, "pull or build the image again");
}

int oci_store_open_blob(const struct oci_store *s, const struct oci_descriptor *d, int *fd,
						struct error *err)
{
	AUTO_FREE char *path = store_blob_path(s, d->digest);
	AUTO_CLOSE int blob = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (blob < 0 && errno == ENOENT) {
		err_set(err, ERR_MISSING, "%s is not in the image store", d->digest);
		return err_hint(err, "pull or build the image again");
	}
	if (blob < 0 || fstat(blob, &st) < 0)
		return err_errno(err, "cannot open %s", path);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != d->size)
		return broken(s, d->digest, "it has another size", err);
	*fd = TAKE_FD(blob);
	return 0;
}

int oci_store_read(const struct oci_store *s, const struct oci_descriptor *d, size_t max_bytes,
				   struct buf *out, struct error *err)
{
	AUTO(buf) struct buf b = {0};
	AUTO_CLOSE int fd = -1;
	char digest[OCI_DIGEST_LEN + 1];

	if (d->size > max_bytes)
		return err_set(err, ERR_INPUT, "%s is larger than %zu bytes", d->digest, max_bytes);
	if (oci_store_open_blob(s, d, &fd, err) < 0 ||
		fs_read_fd(fd, d->digest, max_bytes, &b, err) < 0)
		return -1;
	if (strcmp(oci_digest_of(b.data, b.len, digest), d->digest) != 0)
		return broken(s, d->digest, "its content has another digest", err);
	*out = MOVE(b);
	return 0;
}

int oci_store_manifest(struct oci_store *s, const struct oci_descriptor *d,
					   struct oci_manifest *out, struct error *err)
{
	AUTO(buf) struct buf bytes = {0};
	AUTO_FREE char *name = xasprintf("manifest %s", d->digest);

	if (oci_store_read(s, d, OCI_MAX_MANIFEST_BYTES, &bytes, err) < 0)
		return -1;
	return oci_manifest_parse(buf_span(&bytes), d->media_type, name, out, err);
}
