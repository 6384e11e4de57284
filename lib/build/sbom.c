/* The SBOM of an image is a function of the image, of where its files came from and of dpkg's
 * database. While those stay, it stays, and nothing is read. */
#include "build/private.h"

#include "base/fs.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/text.h"
#include "supply/dpkg.h"
#include "supply/sbom.h"

#include <stdlib.h>
#include <string.h>

#define OS_RELEASE "/etc/os-release"

/* The bundle is written when packages are installed, so that dpkg lists it nowhere. */
#define CERTIFICATES "/etc/ssl/certs/ca-certificates.crt"
#define CERTIFICATES_WRITER "/usr/sbin/update-ca-certificates"

struct source {
	const char *path; /* in the image */
	const struct tree_node *node;
};

/* What a document is made from, while it is made. */
struct work {
	LIST(struct source) sources; /* sorted by path */
	struct strv foreign;         /* files of this machine, of which dpkg may know */
	struct dpkg_owners owners;   /* of those */
	LIST(struct sbom_package) packages;
};

static void work_release(struct work *w)
{
	list_release(&w->sources);
	strv_release(&w->foreign);
	dpkg_owners_release(&w->owners);
	list_release(&w->packages);
}

static int by_path(const void *a, const void *b)
{
	const struct source *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static bool is_ours(const struct tree_node *n)
{
	return n && n->layer != TREE_BASE && n->type == TREE_FILE;
}

/* Certificates, time zones and libraries are of this machine; all else is of the project. */
static bool is_foreign(const struct tree_node *n)
{
	return n->file && (n->layer == TREE_SYSTEM ||
					   (n->layer >= TREE_LIBRARIES && n->layer <= TREE_LIBRARIES_LAST));
}

static void collect(const struct build *b, struct work *w)
{
	for (size_t i = 0; i < b->tree.nodes.count; i++) {
		const struct map_entry *e = &b->tree.nodes.entries[i];
		struct source s = {e->key, e->value};

		if (is_ours(s.node))
			list_push(&w->sources, s);
	}
	if (w->sources.count > 0)
		qsort(w->sources.items, w->sources.count, sizeof(w->sources.items[0]), by_path);
	for (size_t i = 0; i < w->sources.count; i++) {
		const struct tree_node *n = w->sources.items[i].node;

		if (is_foreign(n))
			strv_add(&w->foreign,
					 strcmp(n->file, CERTIFICATES) == 0 ? CERTIFICATES_WRITER : n->file);
	}
}

static void add_text(struct sha256 *h, const char *text)
{
	uint64_t len = text ? strlen(text) : 0;

	sha256_add(h, &len, sizeof(len));
	sha256_add(h, text ? text : "", len);
}

static void make_key(const struct build *b, const struct work *w, const char *image,
					 char hex[SHA256_HEX_LEN + 1])
{
	AUTO_PTR(sha256) struct sha256 *h = sha256_new();
	AUTO_FREE char *stamp = dpkg_stamp("");
	uint8_t sum[SHA256_BYTES];

	add_text(h, "sbom " MSCTL_VERSION);
	add_text(h, image);
	add_text(h, b->project->name);
	add_text(h, b->stamp->tag);
	add_text(h, stamp);
	for (size_t i = 0; i < w->sources.count; i++) {
		const struct tree_node *n = w->sources.items[i].node;

		add_text(h, w->sources.items[i].path);
		add_text(h, is_foreign(n) ? n->file : "");
	}
	sha256_end(h, sum);
	sha256_hex(sum, hex);
}

/* The value of a setting of os-release(5), without quotes; NULL when there is none. Caller frees.
 */
static char *os_setting(const struct buf *text, const char *name)
{
	AUTO_FREE char *want = xasprintf("\n%s=", name);
	AUTO_FREE char *lines = xasprintf("\n%s", buf_str(text));
	const char *hit = strstr(lines, want);

	if (!hit)
		return NULL;
	hit += strlen(want);
	hit += strspn(hit, "\"'");
	return xstrndup(hit, strcspn(hit, "\"'\n"));
}

/* For the addresses of packages. */
static void read_distro(struct sbom *s)
{
	AUTO(buf) struct buf text = {0};
	AUTO_FREE char *version = NULL;
	struct error ignored = {0};

	if (fs_read(OS_RELEASE, 65536, &text, &ignored) < 0)
		return;
	s->distro_id = os_setting(&text, "ID");
	version = os_setting(&text, "VERSION_ID");
	if (s->distro_id && version)
		s->distro = xasprintf("%s-%s", s->distro_id, version);
}

static void add_project(const struct build *b, struct work *w)
{
	struct sbom_package p = {
		.kind = SBOM_PROJECT, .name = xstrdup(b->project->name), .version = xstrdup(b->stamp->tag)};

	if (b->stamp->repo.commit[0])
		p.revision = xstrdup(b->stamp->repo.commit);
	p.url = b->stamp->repo.origin ? build_source_url(b->stamp->repo.origin) : NULL;
	list_push(&w->packages, p);
}

static void add_debian(struct work *w)
{
	for (size_t i = 0; i < w->owners.package_count; i++) {
		const struct dpkg_package *d = &w->owners.packages[i];
		struct sbom_package p = {.kind = SBOM_DEBIAN,
								 .name = xstrdup(d->name),
								 .version = xstrdup(d->version),
								 .arch = xstrdup(d->arch),
								 .source = xstrdup(d->source),
								 .supplier = xstrdup_opt(d->maintainer),
								 .license = xstrdup_opt(d->license),
								 .license_names = xstrdup_opt(d->license_names)};

		list_push(&w->packages, p);
	}
}

/* Which package a file is of: the project's is the first, dpkg's follow, the unknown come last. */
static size_t package_of(struct work *w, const struct source *s, size_t *next)
{
	size_t owner;
	struct sbom_package p = {.kind = SBOM_OTHER};

	if (!is_foreign(s->node))
		return 0;
	owner = w->owners.owners[(*next)++];
	if (owner < w->owners.package_count)
		return 1 + owner;
	p.name = xstrdup(fs_basename(s->path));
	list_push(&w->packages, p);
	return w->packages.count - 1;
}

static int add_files(const struct build *b, struct work *w, struct sbom *s, struct error *err)
{
	AUTO(build_sums) struct build_sums sums = {0};
	size_t next = 0;

	build_sums_load(b, &sums);
	s->files = xcalloc(w->sources.count + 1, sizeof(s->files[0]));
	for (size_t i = 0; i < w->sources.count; i++) {
		const struct source *from = &w->sources.items[i];
		struct sbom_file *f = &s->files[s->file_count++];
		struct build_sum sum = {0};

		f->path = xstrdup(from->path);
		f->package = package_of(w, from, &next);
		if (build_sums_get(b, &sums, from->node, &sum, err) < 0)
			return -1;
		memcpy(f->sha1, sum.sha1, sizeof(f->sha1));
		memcpy(f->sha256, sum.sha256, sizeof(f->sha256));
	}
	build_sums_save(&sums);
	return 0;
}

static int fill(const struct build *b, struct work *w, struct sbom *s, struct error *err)
{
	int rc;

	s->name = xstrdup(b->project->name);
	s->version = xstrdup(b->stamp->tag);
	s->created = b->stamp->created;
	read_distro(s);
	if (b->base.bytes) {
		s->base_name = xstrdup(b->project->build.base);
		oci_digest_of(b->base.bytes, b->base.len, s->base_digest);
	}
	add_project(b, w);
	add_debian(w);
	rc = add_files(b, w, s, err);
	s->package_count = w->packages.count;
	s->packages = TAKE(w->packages.items);
	w->packages.count = 0;
	return rc;
}

void build_documents_release(struct build_documents *d)
{
	buf_release(&d->spdx);
	buf_release(&d->cyclonedx);
}

int build_sbom(struct build *b, const struct oci_descriptor *image, struct build_documents *out,
			   struct error *err)
{
	AUTO(work) struct work w = {0};
	AUTO(sbom) struct sbom s = {0};
	AUTO_FREE char *memory = b->request->cache ? fs_join(b->request->cache, "dpkg") : NULL;

	memcpy(s.digest, image->digest, sizeof(s.digest));
	collect(b, &w);
	make_key(b, &w, image->digest, out->key);
	if (oci_store_is_attached(b->store, image, out->key))
		return 0;
	if (dpkg_find_owners("", memory, &w.foreign, &w.owners, err) < 0 || fill(b, &w, &s, err) < 0)
		return err_wrap(err, "cannot make the SBOM");
	sbom_write_spdx(&s, &out->spdx);
	sbom_write_cyclonedx(&s, &out->cyclonedx);
	return 0;
}
