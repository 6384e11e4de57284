#include "oci/export.h"

#include "base/fs.h"
#include "base/mem.h"
#include "crypto/random.h"
#include "oci/export_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define PIECE_BYTES (256u * 1024)
#define ANNOTATION_REF "org.opencontainers.image.ref.name"
#define ANNOTATION_NAME "io.containerd.image.name"

void export_plan_release(struct export_plan *p)
{
	oci_descriptor_release(&p->image);
	oci_graph_release(&p->graph);
	list_release(&p->blobs);
	json_decref(p->entries);
	free(p->ref_name);
	free(p->docker_name);
	strv_release(&p->diff_ids);
}

/* component ("/" component)*, where single separators or "--" stand between letters and digits
 * (annotations.md, "ref.name") */
bool oci_is_ref_name(const char *text)
{
	static const char words[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	for (;;) {
		size_t len = strspn(text, words);

		if (len == 0)
			return false;
		text += len;
		if (*text == '\0')
			return true;
		if (text[0] == '-' && text[1] == '-')
			text++;
		else if (!strchr("-._:@+/", *text))
			return false;
		text++;
	}
}

/* --- names --- */

/* "docker.io/library/orders:1": what the others make of a name without a host. */
static char *full_name(const struct oci_ref *ref, const char *tag)
{
	const char *host = ref->host ? ref->host : "docker.io";
	const char *library = ref->host || strchr(ref->name, '/') ? "" : "library/";

	return xasprintf("%s/%s%s:%s", host, library, ref->name, tag);
}

/* The same as docker shows it. */
static char *short_name(const struct oci_ref *ref, const char *tag)
{
	static const char library[] = "library/";

	if (!ref->host)
		return xasprintf("%s:%s", ref->name, tag);
	if (strcmp(ref->host, "docker.io") != 0)
		return xasprintf("%s/%s:%s", ref->host, ref->name, tag);
	return xasprintf("%s:%s",
					 strncmp(ref->name, library, 8) == 0 ? ref->name + strlen(library) : ref->name,
					 tag);
}

static json_t *describe(const struct oci_descriptor *d)
{
	return json_pack("{s:s, s:s, s:I}", "mediaType", d->media_type, "digest", d->digest, "size",
					 (json_int_t)d->size);
}

static void set_name(json_t *entry, const char *key, const char *value)
{
	json_t *all = json_object_get(entry, "annotations");

	if (!all) {
		all = json_object();
		json_object_set_new(entry, "annotations", all);
	}
	json_object_set_new(all, key, json_string(value));
}

static void name_image(struct export_plan *p)
{
	const struct oci_ref *name = p->what->name;
	const char *tag = name ? name->tag : NULL;
	json_t *entry = describe(&p->image);

	p->ref_name = xstrdup_opt(p->what->ref_name ? p->what->ref_name : tag);
	if (p->ref_name)
		set_name(entry, ANNOTATION_REF, p->ref_name);
	if (tag) {
		AUTO_FREE char *full = full_name(name, tag);

		set_name(entry, ANNOTATION_NAME, full);
		p->docker_name = short_name(name, tag);
	}
	p->entries = json_pack("[o]", entry);
}

/* --- what there is to write --- */

static int no_image_for(const struct oci_platform *host, struct error *err)
{
	AUTO_FREE char *text = oci_platform_text(host);

	err_set(err, ERR_MISSING, "a docker-archive holds one image, and the index has none for %s",
			text);
	return err_hint(err, "write an oci-archive, which holds all, or build for one platform");
}

/* Docker's form holds one image: of an index the one that this machine can run. */
static int choose(struct export_plan *p, enum oci_archive form, struct error *err)
{
	struct oci_platform host;

	oci_platform_host(&host);
	oci_descriptor_copy(p->what->image, &p->image);
	for (int depth = 0; form == OCI_ARCHIVE_DOCKER && oci_is_index_type(p->image.media_type);
		 depth++) {
		AUTO(oci_manifest) struct oci_manifest m = {0};
		const struct oci_descriptor *found;

		if (oci_store_manifest(p->what->store, &p->image, &m, err) < 0)
			return -1;
		found = depth < OCI_MAX_DEPTH ? oci_index_find(&m, &host) : NULL;
		if (!found)
			return no_image_for(&host, err);
		oci_descriptor_release(&p->image);
		oci_descriptor_copy(found, &p->image);
	}
	return 0;
}

static int add_artifacts(struct export_plan *p, const char *subject, struct error *err)
{
	AUTO(oci_artifacts) struct oci_artifacts all = {0};

	if (oci_store_artifacts(p->what->store, subject, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.count; i++) {
		json_t *entry = describe(&all.items[i]);

		json_object_set_new(entry, "artifactType",
							json_string(doc_text(all.items[i].raw, "artifactType", "")));
		json_array_append_new(p->entries, entry);
		if (oci_graph_add(&p->graph, p->what->store, &all.items[i], err) < 0)
			return -1;
	}
	return 0;
}

static int by_hex(const void *a, const void *b)
{
	const struct export_blob *x = a, *y = b;

	return strcmp(x->hex, y->hex);
}

static void list_blobs(struct export_plan *p)
{
	const struct oci_graph *g = &p->graph;

	for (size_t i = 0; i < g->manifests.count; i++) {
		const struct oci_descriptor *d = &g->descriptors.items[i];
		struct export_blob b = {oci_digest_hex(d->digest), d, g->manifests.items[i].bytes, false};

		list_push(&p->blobs, b);
	}
	for (size_t i = 0; i < g->blobs.count; i++) {
		const struct oci_descriptor *d = &g->blobs.items[i];
		struct export_blob b = {oci_digest_hex(d->digest), d, NULL, false};

		list_push(&p->blobs, b);
	}
	qsort(p->blobs.items, p->blobs.count, sizeof(p->blobs.items[0]), by_hex);
}

int export_plan_make(struct export_plan *p, const struct oci_export *what, enum oci_archive form,
					 struct error *err)
{
	p->what = what;
	if (choose(p, form, err) < 0 || oci_graph_add(&p->graph, what->store, &p->image, err) < 0)
		return -1;
	name_image(p);
	for (size_t i = 0, n = p->graph.descriptors.count; what->artifacts && i < n; i++) {
		AUTO_FREE char *subject = xstrdup(p->graph.descriptors.items[i].digest);

		if (add_artifacts(p, subject, err) < 0)
			return -1;
	}
	list_blobs(p);
	return 0;
}

/* --- writing --- */

int export_copy(const struct export_plan *p, const struct export_blob *b, int fd, const char *name,
				struct error *err)
{
	AUTO_PTR(sha256) struct sha256 *hash = NULL;
	AUTO_FREE char *piece = NULL;
	AUTO_CLOSE int from = -1;
	uint8_t sum[SHA256_BYTES];
	char is[OCI_DIGEST_LEN + 1];
	uint64_t left = b->d->size;

	if (b->data)
		return fs_write_fd(fd, name, b->data, b->d->size, err);
	if (oci_store_open_blob(p->what->store, b->d, &from, err) < 0)
		return -1;
	hash = sha256_new();
	piece = xmalloc(PIECE_BYTES);
	while (left > 0) {
		ssize_t n = read(from, piece, left < PIECE_BYTES ? left : PIECE_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "cannot read %s of the image store", b->d->digest);
		if (n == 0 || cancel_check(p->what->cancel, err) < 0)
			break;
		sha256_add(hash, piece, (size_t)n);
		if (fs_write_fd(fd, name, piece, (size_t)n, err) < 0)
			return -1;
		left -= (uint64_t)n;
	}
	if (cancel_check(p->what->cancel, err) < 0)
		return -1;
	sha256_end(hash, sum);
	if (left == 0 && strcmp(oci_digest_from(sum, is), b->d->digest) == 0)
		return 0;
	oci_store_drop_broken(p->what->store, b->d->digest);
	err_set(err, ERR_INPUT, "%s in the image store is damaged and was removed", b->d->digest);
	return err_hint(err, "pull or build the image again");
}

int export_temp(const char *dir, char **temp, int *fd, struct error *err)
{
	for (int tries = 0;; tries++) {
		AUTO_FREE char *path = xasprintf("%s/.tmp.%08x", dir, (unsigned)random_below(UINT32_MAX));
		/* not mkostemp: the file is for whom the umask says */
		int made = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);

		if (made >= 0) {
			*temp = TAKE(path);
			*fd = made;
			return 0;
		}
		if (errno != EEXIST || tries == 100)
			return err_errno(err, "cannot create a file in %s", dir);
	}
}
