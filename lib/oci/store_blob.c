#include "oci/store.h"

#include "base/fs.h"
#include "base/mem.h"
#include "oci/store_private.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define BUFFER_BYTES (256u * 1024)

struct oci_blob_writer {
	struct oci_store *store;
	struct sha256 *hash;
	char *temp; /* NULL once it is renamed */
	int fd;
	uint64_t size;
	size_t buffered;
	char buffer[BUFFER_BYTES];
};

int oci_blob_writer_new(struct oci_store *s, struct oci_blob_writer **out, struct error *err)
{
	AUTO_FREE char *temp = xasprintf("%s/blob-XXXXXX", s->temp);
	AUTO_CLOSE int fd = mkostemp(temp, O_CLOEXEC);
	struct oci_blob_writer *w;

	if (fd < 0)
		return err_errno(err, "cannot create a file in %s", s->temp);
	w = xmalloc(sizeof(*w)); /* not zeroed: the buffer is large */
	w->store = s;
	w->hash = sha256_new();
	w->temp = TAKE(temp);
	w->fd = TAKE_FD(fd);
	w->size = 0;
	w->buffered = 0;
	*out = w;
	return 0;
}

void oci_blob_writer_free(struct oci_blob_writer *w)
{
	if (!w)
		return;
	if (w->temp)
		unlink(w->temp);
	close(w->fd);
	sha256_free(w->hash);
	free(w->temp);
	free(w);
}

uint64_t oci_blob_writer_size(const struct oci_blob_writer *w)
{
	return w->size;
}

const char *oci_blob_writer_digest(const struct oci_blob_writer *w, char digest[OCI_DIGEST_LEN + 1])
{
	uint8_t sum[SHA256_BYTES];

	sha256_peek(w->hash, sum);
	return oci_digest_from(sum, digest);
}

static int flush_buffer(struct oci_blob_writer *w, struct error *err)
{
	size_t len = w->buffered;

	w->buffered = 0;
	return fs_write_fd(w->fd, w->temp, w->buffer, len, err);
}

int oci_blob_writer_add(struct oci_blob_writer *w, const void *data, size_t len, struct error *err)
{
	if (len > OCI_MAX_BLOB_BYTES - w->size)
		return err_set(err, ERR_INPUT, "blob is larger than %llu bytes", OCI_MAX_BLOB_BYTES);
	if (w->buffered + len > sizeof(w->buffer) && flush_buffer(w, err) < 0)
		return -1;
	if (len > sizeof(w->buffer)) {
		if (fs_write_fd(w->fd, w->temp, data, len, err) < 0)
			return -1;
	} else if (len > 0) {
		memcpy(w->buffer + w->buffered, data, len);
		w->buffered += len;
	}
	sha256_add(w->hash, data, len);
	w->size += len;
	return 0;
}

int store_writer_start_sync(struct oci_blob_writer *w, struct error *err)
{
	if (flush_buffer(w, err) < 0)
		return -1;
	/* advice: a file system that cannot is synced at the end all the same */
	(void)sync_file_range(w->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return 0;
}

int oci_blob_writer_restart(struct oci_blob_writer *w, struct error *err)
{
	uint8_t unused[SHA256_BYTES];

	if (ftruncate(w->fd, 0) < 0 || lseek(w->fd, 0, SEEK_SET) < 0)
		return err_errno(err, "cannot empty %s", w->temp);
	sha256_end(w->hash, unused);
	w->size = 0;
	w->buffered = 0;
	return 0;
}

/* The rename is made durable by oci_store_tag, before anything refers to the blob. */
static int publish(struct oci_blob_writer *w, const char *digest, struct error *err)
{
	AUTO_FREE char *path = store_blob_path(w->store, digest);

	if (fchmod(w->fd, 0644) < 0 || fsync(w->fd) < 0)
		return err_errno(err, "cannot sync %s", w->temp);
	/* also over one that is there: what was just verified heals what may be damaged */
	if (rename(w->temp, path) < 0)
		return err_errno(err, "cannot rename %s to %s", w->temp, path);
	free(TAKE(w->temp));
	w->store->has_new_blobs = true;
	return 0;
}

int oci_blob_writer_end(struct oci_blob_writer *w, const struct oci_descriptor *want,
						char digest[OCI_DIGEST_LEN + 1], struct error *err)
{
	uint8_t sum[SHA256_BYTES];
	char is[OCI_DIGEST_LEN + 1];

	if (flush_buffer(w, err) < 0)
		return -1;
	sha256_end(w->hash, sum);
	oci_digest_from(sum, is);
	if (want && w->size != want->size)
		return err_set(err, ERR_INPUT, "%s: got %llu bytes, expected %llu", want->digest,
					   (unsigned long long)w->size, (unsigned long long)want->size);
	if (want && strcmp(is, want->digest) != 0)
		return err_set(err, ERR_INPUT, "%s: the content has the digest %s", want->digest, is);
	if (publish(w, is, err) < 0)
		return -1;
	if (digest)
		memcpy(digest, is, sizeof(is));
	return 0;
}

/* Is exactly this content there already? */
static bool holds(struct oci_store *s, const void *data, size_t len, const char *digest)
{
	struct oci_descriptor d = {.size = len};
	AUTO(buf) struct buf have = {0};
	struct error ignored;

	memcpy(d.digest, digest, sizeof(d.digest));
	return oci_store_has(s, digest, len) && oci_store_read(s, &d, len, &have, &ignored) == 0 &&
		   (len == 0 || memcmp(have.data, data, len) == 0);
}

int oci_store_put(struct oci_store *s, const void *data, size_t len,
				  char digest[OCI_DIGEST_LEN + 1], struct error *err)
{
	AUTO_PTR(oci_blob_writer) struct oci_blob_writer *w = NULL;
	char is[OCI_DIGEST_LEN + 1];

	if (holds(s, data, len, oci_digest_of(data, len, is))) {
		memcpy(digest, is, sizeof(is));
		return 0;
	}
	if (oci_blob_writer_new(s, &w, err) < 0 || oci_blob_writer_add(w, data, len, err) < 0)
		return -1;
	return oci_blob_writer_end(w, NULL, digest, err);
}
