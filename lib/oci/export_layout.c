/* A folder that is locked for as long as we write to it; oci-layout goes first, so that what a
 * killed run leaves is taken for a layout by the next one, and index.json last. */
#include "oci/export.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "oci/export_private.h"
#include "oci/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#define TEMP_PREFIX ".tmp."

struct layout {
	const struct export_plan *plan;
	const char *dir;
	char *blobs;
	int lock;
	bool is_new;     /* nothing was in it */
	bool is_created; /* it was not there */
	json_t *index;
};

static void layout_release(struct layout *l)
{
	if (l->lock >= 0)
		close(l->lock);
	free(l->blobs);
	json_decref(l->index);
}

/* --- what is there --- */

static int check_version(const char *dir, const char *path, struct error *err)
{
	AUTO(buf) struct buf text = {0};
	AUTO_JSON json_t *doc = NULL;
	const char *version;

	if (fs_read_settled(path, 4096, &text, err) < 0 ||
		doc_json_parse(buf_span(&text), path, &doc, err) < 0)
		return err_hint(err, "name another folder, or remove this one");
	version = doc_text(doc, "imageLayoutVersion", "");
	if (strcmp(version, "1.0.0") == 0)
		return 0;
	err_set(err, ERR_INPUT, "%s: image layout version '%s' is not supported", dir, version);
	return err_hint(err, "name another folder");
}

/* *is_new: there is no layout yet, and nothing else that would be in the way. */
static int check_dir(const char *dir, bool *is_new, struct error *err)
{
	AUTO_FREE char *layout = fs_join(dir, "oci-layout");
	AUTO(strv) struct strv names = {0};

	*is_new = true;
	if (!fs_exists(dir))
		return 0;
	if (fs_exists(layout)) {
		*is_new = false;
		return check_version(dir, layout, err);
	}
	if (!fs_is_dir(dir)) {
		err_set(err, ERR_CONFLICT, "%s is no folder", dir);
		return err_hint(err, "name a folder, or write a file with oci-archive:%s", dir);
	}
	if (fs_list(dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		if (text_starts(names.items[i], TEMP_PREFIX))
			continue;
		err_set(err, ERR_CONFLICT, "folder %s is neither empty nor an image layout", dir);
		return err_hint(err, "name a new folder, or remove this one");
	}
	return 0;
}

int oci_export_check_layout(const char *dir, struct error *err)
{
	bool unused;

	return check_dir(dir, &unused, err);
}

static int read_index(struct layout *l, struct error *err)
{
	AUTO_FREE char *path = fs_join(l->dir, "index.json");
	AUTO(buf) struct buf text = {0};

	if (l->is_new || !fs_exists(path)) {
		l->index = json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2, "mediaType", OCI_MEDIA_INDEX,
							 "manifests");
		return 0;
	}
	if (fs_read_settled(path, STORE_MAX_INDEX_BYTES, &text, err) < 0 ||
		doc_json_parse(buf_span(&text), path, &l->index, err) < 0)
		return err_hint(err, "name another folder, or remove this one");
	if (json_is_array(json_object_get(l->index, "manifests")))
		return 0;
	err_set(err, ERR_INPUT, "%s is no image index", path);
	return err_hint(err, "name another folder, or remove this one");
}

/* Temporary files here are of runs that were killed: whoever lives holds the lock. */
static int remove_litter(const struct layout *l, struct error *err)
{
	AUTO(strv) struct strv names = {0};

	if (fs_list(l->dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		AUTO_FREE char *path = fs_join(l->dir, names.items[i]);

		if (text_starts(names.items[i], TEMP_PREFIX) && unlink(path) < 0 && errno != ENOENT)
			return err_errno(err, "cannot remove %s", path);
	}
	return 0;
}

static int take(struct layout *l, struct error *err)
{
	l->is_created = !fs_exists(l->dir);
	if (fs_mkdirs(l->dir, 0777, err) < 0)
		return -1;
	l->lock = open(l->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->lock < 0)
		return err_errno(err, "cannot open folder %s", l->dir);
	if (flock(l->lock, LOCK_EX) < 0)
		return errno == EINTR
				   ? err_set(err, ERR_INTERRUPTED, "interrupted while waiting for %s", l->dir)
				   : err_errno(err, "cannot lock %s", l->dir);
	if (check_dir(l->dir, &l->is_new, err) < 0 || remove_litter(l, err) < 0)
		return -1;
	return read_index(l, err);
}

/* --- what goes there --- */

static int put_file(const struct layout *l, const char *to,
					int (*fill)(const struct layout *l, const void *what, int fd, const char *name,
								struct error *err),
					const void *what, struct error *err)
{
	AUTO_FREE char *temp = NULL;
	AUTO_CLOSE int fd = -1;

	if (export_temp(l->dir, &temp, &fd, err) < 0)
		return -1;
	if (fill(l, what, fd, to, err) < 0 ||
		(rename(temp, to) < 0 && err_errno(err, "cannot write %s", to) < 0)) {
		unlink(temp);
		return -1;
	}
	return 0;
}

static int fill_text(const struct layout *l, const void *text, int fd, const char *name,
					 struct error *err)
{
	(void)l;
	return fs_write_fd(fd, name, text, strlen(text), err);
}

static int fill_blob(const struct layout *l, const void *blob, int fd, const char *name,
					 struct error *err)
{
	return export_copy(l->plan, blob, fd, name, err);
}

static bool has_blob(const char *path, const struct oci_descriptor *d)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	AUTO_PTR(sha256) struct sha256 *hash = NULL;
	AUTO_FREE char *piece = NULL;
	uint8_t sum[SHA256_BYTES];
	char is[OCI_DIGEST_LEN + 1];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != d->size)
		return false;
	hash = sha256_new();
	piece = xmalloc(1 << 16);
	while ((n = read(fd, piece, 1 << 16)) > 0)
		sha256_add(hash, piece, (size_t)n);
	sha256_end(hash, sum);
	return n == 0 && strcmp(oci_digest_from(sum, is), d->digest) == 0;
}

static int put_blobs(const struct layout *l, struct error *err)
{
	const struct export_plan *p = l->plan;

	for (size_t i = 0; i < p->blobs.count; i++) {
		const struct export_blob *b = &p->blobs.items[i];
		AUTO_FREE char *path = fs_join(l->blobs, b->hex);

		if (cancel_check(p->what->cancel, err) < 0)
			return -1;
		if (!(l->is_new ? false : has_blob(path, b->d)) && put_file(l, path, fill_blob, b, err) < 0)
			return -1;
	}
	return 0;
}

static const char *name_of(const json_t *entry)
{
	const json_t *annotations = json_object_get(entry, "annotations");

	return json_string_value(json_object_get(annotations, STORE_ANNOTATION_NAME));
}

/* Does an entry that is there give way to one of ours? */
static bool gives_way(const json_t *old, const json_t *new)
{
	const char *had = name_of(old), *has = name_of(new);

	if (had || has)
		return had && has && strcmp(had, has) == 0;
	return strcmp(doc_text(old, "digest", ""), doc_text(new, "digest", "-")) == 0;
}

static void merge_index(const struct layout *l)
{
	json_t *all = json_object_get(l->index, "manifests");
	json_t *new;
	size_t i;

	json_array_foreach(l->plan->entries, i, new)
	{
		for (size_t k = json_array_size(all); k > 0; k--)
			if (gives_way(json_array_get(all, k - 1), new))
				json_array_remove(all, k - 1);
	}
	json_array_extend(all, l->plan->entries);
}

static int write_all(struct layout *l, struct error *err)
{
	AUTO_FREE char *layout = fs_join(l->dir, "oci-layout");
	AUTO_FREE char *index = fs_join(l->dir, "index.json");
	AUTO(buf) struct buf text = {0};

	if ((l->is_new && put_file(l, layout, fill_text, EXPORT_LAYOUT, err) < 0) ||
		fs_mkdirs(l->blobs, 0777, err) < 0 || put_blobs(l, err) < 0)
		return -1;
	merge_index(l);
	doc_json_write(l->index, &text);
	return put_file(l, index, fill_text, buf_str(&text), err);
}

/* Nothing was there before, so nothing stays. */
static void take_back(const struct layout *l)
{
	AUTO_FREE char *layout = fs_join(l->dir, "oci-layout");
	AUTO_FREE char *blobs = fs_join(l->dir, "blobs");
	struct error ignored;

	fs_remove_tree(blobs, &ignored);
	unlink(layout);
	if (l->is_created)
		rmdir(l->dir);
}

int oci_export_layout(const struct oci_export *what, const char *dir, struct error *err)
{
	AUTO(export_plan) struct export_plan plan = {0};
	AUTO(layout)
	struct layout l = {.plan = &plan, .dir = dir, .blobs = fs_join(dir, EXPORT_BLOBS), .lock = -1};

	if (export_plan_make(&plan, what, OCI_ARCHIVE, err) < 0 || take(&l, err) < 0)
		return err_wrap(err, "cannot write oci:%s", dir);
	if (write_all(&l, err) == 0)
		return 0;
	if (l.is_new)
		take_back(&l);
	return err_wrap(err, "cannot write oci:%s", dir);
}
