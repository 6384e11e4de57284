#include "oci/export.h"

#include "base/fs.h"
#include "base/mem.h"
#include "crypto/random.h"
#include "oci/export_private.h"
#include "oci/store_private.h"
#include "tar/unpack_stream.h"
#include "tar/ustar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct archive {
	struct export_plan *plan;
	const char *name;
	int fd;
};

static int put(const struct archive *a, const void *data, size_t len, struct error *err)
{
	return fs_write_fd(a->fd, a->name, data, len, err);
}

static int put_header(const struct archive *a, enum layer_type type, const char *path,
					  uint64_t size, struct error *err)
{
	AUTO(buf) struct buf blocks = {0};
	struct layer_entry e = {
		.type = type, .path = path, .mode = type == LAYER_DIR ? 0755 : 0644, .size = size};

	ustar_header(&e, &blocks);
	return put(a, blocks.data, blocks.len, err);
}

static int put_padding(const struct archive *a, uint64_t size, struct error *err)
{
	static const char zeros[USTAR_BLOCK];

	return put(a, zeros, (USTAR_BLOCK - size % USTAR_BLOCK) % USTAR_BLOCK, err);
}

static int put_text(const struct archive *a, const char *path, struct span text, struct error *err)
{
	if (put_header(a, LAYER_FILE, path, text.len, err) < 0 || put(a, text.data, text.len, err) < 0)
		return -1;
	return put_padding(a, text.len, err);
}

/* --- a layer that is stored unpacked --- */

static ssize_t read_packed(void *user, void *data, size_t len, struct error *err)
{
	const int *fd = user;
	ssize_t n;

	while ((n = read(*fd, data, len)) < 0)
		if (errno != EINTR)
			return err_errno(err, "cannot read a layer of the image store");
	return n;
}

/* Into a file without a name: its size has to be known before it goes into the archive. */
static int unpack(const struct archive *a, const struct export_blob *b, int to, uint64_t *size,
				  struct error *err)
{
	AUTO_PTR(unpack_stream) struct unpack_stream *s = NULL;
	AUTO_FREE char *piece = xmalloc(1 << 16);
	AUTO_CLOSE int from = -1;
	struct tar_source source = {read_packed, &from};
	uint8_t sum[SHA256_BYTES];
	char is[OCI_DIGEST_LEN + 1];
	uint64_t total = 0;
	ssize_t n;

	if (oci_store_open_blob(a->plan->what->store, b->d, &from, err) < 0 ||
		unpack_stream_new(&source, b->d->digest, OCI_MAX_BLOB_BYTES, &s, err) < 0)
		return -1;
	while ((n = unpack_stream_read(s, piece, 1 << 16, err)) > 0) {
		if (cancel_check(a->plan->what->cancel, err) < 0 ||
			fs_write_fd(to, "a temporary file of the image store", piece, (size_t)n, err) < 0)
			return -1;
		total += (uint64_t)n;
	}
	if (n < 0)
		return -1;
	unpack_stream_sum(s, sum);
	if (strcmp(oci_digest_hex(oci_digest_from(sum, is)), b->hex) != 0)
		return err_set(err, ERR_INPUT, "layer %s does not unpack to what its configuration says",
					   b->d->digest);
	*size = total;
	return 0;
}

static int copy_file(const struct archive *a, int from, struct error *err)
{
	AUTO_FREE char *piece = xmalloc(1 << 16);
	ssize_t n;
	off_t at = 0;

	while ((n = pread(from, piece, 1 << 16, at)) > 0) {
		if (cancel_check(a->plan->what->cancel, err) < 0 || put(a, piece, (size_t)n, err) < 0)
			return -1;
		at += n;
	}
	return n < 0 ? err_errno(err, "cannot read a temporary file of the image store") : 0;
}

static int put_unpacked(const struct archive *a, const struct export_blob *b, const char *path,
						struct error *err)
{
	AUTO_FREE char *temp = NULL;
	AUTO_CLOSE int fd = -1;
	uint64_t size;

	if (export_temp(a->plan->what->store->temp, &temp, &fd, err) < 0)
		return -1;
	unlink(temp);
	if (unpack(a, b, fd, &size, err) < 0 || put_header(a, LAYER_FILE, path, size, err) < 0 ||
		copy_file(a, fd, err) < 0)
		return -1;
	return put_padding(a, size, err);
}

/* --- the archive --- */

static int put_blob(const struct archive *a, const struct export_blob *b, struct error *err)
{
	AUTO_FREE char *path = xasprintf(EXPORT_BLOBS "/%s", b->hex);

	if (cancel_check(a->plan->what->cancel, err) < 0)
		return -1;
	if (b->unpack)
		return put_unpacked(a, b, path, err);
	if (put_header(a, LAYER_FILE, path, b->d->size, err) < 0 ||
		export_copy(a->plan, b, a->fd, a->name, err) < 0)
		return -1;
	return put_padding(a, b->d->size, err);
}

static int put_index(const struct archive *a, struct error *err)
{
	AUTO_JSON json_t *index = json_pack("{s:i, s:s, s:O}", "schemaVersion", 2, "mediaType",
										OCI_MEDIA_INDEX, "manifests", a->plan->entries);
	AUTO(buf) struct buf text = {0};

	doc_json_write(index, &text);
	return put_text(a, "index.json", buf_span(&text), err);
}

static int write_archive(const struct archive *a, enum oci_archive form, struct error *err)
{
	static const char end[2 * USTAR_BLOCK];
	struct export_plan *p = a->plan;
	AUTO(buf) struct buf docker = {0};

	if (form == OCI_ARCHIVE_DOCKER && export_docker(p, &docker, err) < 0)
		return -1;
	if (put_header(a, LAYER_DIR, "blobs", 0, err) < 0 ||
		put_header(a, LAYER_DIR, EXPORT_BLOBS, 0, err) < 0)
		return -1;
	for (size_t i = 0; i < p->blobs.count; i++)
		if (put_blob(a, &p->blobs.items[i], err) < 0)
			return -1;
	if ((!p->no_layout && put_index(a, err) < 0) ||
		(docker.len && put_text(a, "manifest.json", buf_span(&docker), err) < 0) ||
		(!p->no_layout && put_text(a, "oci-layout", span_of(EXPORT_LAYOUT), err) < 0))
		return -1;
	return put(a, end, sizeof(end), err);
}

int oci_export_archive_to(const struct oci_export *what, enum oci_archive form, int fd,
						  const char *name, struct error *err)
{
	AUTO(export_plan) struct export_plan plan = {0};
	struct archive a = {.plan = &plan, .name = name, .fd = fd};

	if (export_plan_make(&plan, what, form, err) < 0 || write_archive(&a, form, err) < 0)
		return err_wrap(err, "cannot write the image to %s", name);
	return 0;
}

/* --- a file --- */

/* Pipes and devices are not replaced but written to. */
static int write_special(const struct oci_export *what, enum oci_archive form, const char *path,
						 struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_errno(err, "cannot open %s", path);
	return oci_export_archive_to(what, form, fd, path, err);
}

/* Whoever is killed leaves nothing where files without a name are possible. *temp: NULL there. */
static int open_new(const char *dir, char **temp, int *fd, struct error *err)
{
	int made =
		access("/proc/self/fd", X_OK) < 0 ? -1 : open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);

	if (made < 0)
		return export_temp(dir, temp, fd, err);
	*temp = NULL;
	*fd = made;
	return 0;
}

static int give_name(int fd, const char *dir, char **temp, struct error *err)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	for (int tries = 0;; tries++) {
		AUTO_FREE char *path = xasprintf("%s/.tmp.%08x", dir, (unsigned)random_below(UINT32_MAX));

		if (linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0) {
			*temp = TAKE(path);
			return 0;
		}
		if (errno != EEXIST || tries == 100)
			return err_errno(err, "cannot create a file in %s", dir);
	}
}

static int write_file(const struct oci_export *what, enum oci_archive form, const char *path,
					  struct error *err)
{
	AUTO_FREE char *dir = fs_dirname(path);
	AUTO_FREE char *temp = NULL;
	AUTO_CLOSE int fd = -1;
	int rc;

	if (open_new(dir, &temp, &fd, err) < 0)
		return -1;
	rc = oci_export_archive_to(what, form, fd, path, err);
	if (rc == 0 && fsync(fd) < 0)
		rc = err_errno(err, "cannot sync %s", path);
	if (rc == 0 && !temp)
		rc = give_name(fd, dir, &temp, err);
	if (rc == 0 && rename(temp, path) < 0)
		rc = err_errno(err, "cannot write %s", path);
	if (rc < 0) {
		if (temp)
			unlink(temp);
		return -1;
	}
	return fs_sync_dir(dir, err);
}

int oci_export_archive(const struct oci_export *what, enum oci_archive form, const char *path,
					   struct error *err)
{
	AUTO_FREE char *real = realpath(path, NULL); /* a link stays, what it names is replaced */
	struct stat st;

	if (real && stat(real, &st) == 0 && S_ISDIR(st.st_mode)) {
		err_set(err, ERR_CONFLICT, "%s is a folder", path);
		return err_hint(err, "name a file, or write a folder with oci:%s", path);
	}
	if (real && stat(real, &st) == 0 && !S_ISREG(st.st_mode))
		return write_special(what, form, real, err);
	return write_file(what, form, real ? real : path, err);
}
