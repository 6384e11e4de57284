/* The documents beside an image: what is in it, and how it was made. Their key is over everything
 * that they are made from, and what of that lies in files is there as what stat says of them: when
 * nothing changed, nothing is read. */
#include "build/private.h"

#include "base/fs.h"
#include "base/list.h"
#include "base/mem.h"
#include "build/base_packages.h"
#include "build/memory.h"
#include "build/origin.h"
#include "build/provenance.h"
#include "build/reasons.h"
#include "supply/intoto.h"
#include "supply/sbom.h"

#include <stdlib.h>
#include <string.h>

struct source {
	const char *path; /* in the image */
	const struct tree_node *node;
	struct origin_file from; /* of foreign ones */
};

/* What a document is made from, while it is made. */
struct work {
	LIST(struct source) sources; /* sorted by path */
	struct origins origins;
	char *compiler; /* NULL: not known */
	struct origin_file compiler_from;
	LIST(struct sbom_package) packages;
	json_t *statement;
};

static void work_release(struct work *w)
{
	list_release(&w->sources);
	origins_release(&w->origins);
	free(w->compiler);
	for (size_t i = 0; i < w->packages.count; i++)
		sbom_package_release(&w->packages.items[i]);
	list_release(&w->packages);
	json_decref(w->statement);
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
	return n->file && n->layer >= TREE_SYSTEM && n->layer <= TREE_LIBRARIES_LAST;
}

static void collect(const struct build *b, struct work *w)
{
	for (size_t i = 0; i < b->tree.nodes.count; i++) {
		const struct map_entry *e = &b->tree.nodes.entries[i];
		struct source s = {.path = e->key, .node = e->value};

		if (is_ours(s.node))
			list_push(&w->sources, s);
	}
	if (w->sources.count > 0)
		qsort(w->sources.items, w->sources.count, sizeof(w->sources.items[0]), by_path);
	origins_init(b, &w->origins);
	for (size_t i = 0; i < w->sources.count; i++) {
		struct source *s = &w->sources.items[i];

		if (is_foreign(s->node))
			s->from = origins_add(&w->origins, s->node->file);
	}
	w->compiler = provenance_compiler(b);
	if (w->compiler)
		w->compiler_from = origins_add(&w->origins, w->compiler);
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
	AUTO_FREE char *stamp = origins_stamp(&w->origins);
	AUTO(buf) struct buf statement = {0};
	AUTO(buf) struct buf reasons = {0};
	uint8_t sum[SHA256_BYTES];

	doc_json_write(w->statement, &statement);
	if (b->reasons)
		doc_json_write(b->reasons, &reasons);
	add_text(h, "documents " MSCTL_VERSION);
	add_text(h, image);
	add_text(h, b->project->name);
	add_text(h, b->project->license);
	add_text(h, b->stamp->tag);
	add_text(h, stamp);
	add_text(h, buf_str(&statement));
	add_text(h, w->compiler);
	add_text(h, buf_str(&reasons));
	for (size_t i = 0; i < w->sources.count; i++) {
		add_text(h, w->sources.items[i].path);
		add_text(h, w->sources.items[i].node->file);
	}
	sha256_end(h, sum);
	sha256_hex(sum, hex);
}

static void add_project(const struct build *b, struct work *w)
{
	const struct repo_info *repo = &b->stamp->repo;
	struct sbom_package p = {.kind = SBOM_PROJECT,
							 .name = xstrdup(b->project->name),
							 .version = xstrdup(b->stamp->tag),
							 .license = xstrdup_opt(b->project->license)};

	if (repo->commit[0])
		p.revision = xstrdup(repo->commit);
	p.url = repo->origin ? build_source_url(repo->origin) : NULL;
	list_push(&w->packages, p);
}

static bool is_row_of(const struct sbom_package *row, const struct dpkg_package *p)
{
	return (row->kind == SBOM_DEBIAN || row->kind == SBOM_ALPINE) &&
		   strcmp(row->name, p->name) == 0 && strcmp(row->version, p->version) == 0 &&
		   strcmp(row->arch, p->arch) == 0;
}

/* Which package a file is of: the project's is the first, those of distributions follow in the
 * order of their files. */
static size_t package_of(const struct build *b, struct work *w, const struct source *s)
{
	const struct dpkg_package *owner;
	struct sbom_package p = {.kind = SBOM_OTHER};

	if (!is_foreign(s->node))
		return 0;
	owner = origins_owner(&w->origins, s->from);
	for (size_t i = 1; owner && i < w->packages.count; i++)
		if (is_row_of(&w->packages.items[i], owner))
			return i;
	if (owner)
		p = origins_row(&w->origins.roots[s->from.root], owner);
	else {
		p.name = xstrdup(fs_basename(s->path));
		p.in_toolchain = b->toolchain && s->from.root > 0;
	}
	list_push(&w->packages, p);
	return w->packages.count - 1;
}

static int add_files(const struct build *b, struct work *w, struct sbom *s, struct error *err)
{
	s->files = xcalloc(w->sources.count + 1, sizeof(s->files[0]));
	for (size_t i = 0; i < w->sources.count; i++) {
		const struct source *from = &w->sources.items[i];
		struct sbom_file *f = &s->files[s->file_count++];
		struct statindex_sum sum = {0};

		f->path = xstrdup(from->path);
		f->package = package_of(b, w, from);
		if (build_file_sum(b, from->node, &sum, err) < 0)
			return -1;
		memcpy(f->sha1, sum.sha1, sizeof(f->sha1));
		sha256_hex(sum.sha256, f->sha256);
	}
	return 0;
}

static int add_base(const struct build *b, struct work *w, struct error *err)
{
	AUTO(base_packages) struct base_packages base = {0};

	if (base_packages_find(b, &base, err) < 0)
		return -1;
	for (size_t i = 0; i < base.count; i++)
		list_push(&w->packages, base.items[i]);
	base.count = 0;
	return 0;
}

static int fill(const struct build *b, struct work *w, struct sbom *s, struct error *err)
{
	int rc;

	s->name = xstrdup(b->project->name);
	s->arch = xstrdup(b->platform.arch);
	s->version = xstrdup(b->stamp->tag);
	s->created = b->stamp->created;
	if (b->base.bytes) {
		s->base_name = build_base_name(b);
		oci_digest_of(b->base.bytes, b->base.len, s->base_digest);
	}
	add_project(b, w);
	rc = add_files(b, w, s, err) < 0 ? -1 : add_base(b, w, err);
	s->package_count = w->packages.count;
	s->packages = TAKE(w->packages.items);
	w->packages.count = 0;
	return rc;
}

void build_documents_release(struct build_documents *d)
{
	buf_release(&d->spdx);
	buf_release(&d->cyclonedx);
	buf_release(&d->provenance);
	buf_release(&d->reasons);
}

void build_documents_items(const struct build_documents *d,
						   struct oci_artifact items[BUILD_DOCUMENTS])
{
	items[0] =
		(struct oci_artifact){.type = SBOM_TYPE_SPDX, .data = d->spdx.data, .len = d->spdx.len};
	items[1] = (struct oci_artifact){
		.type = SBOM_TYPE_CYCLONEDX, .data = d->cyclonedx.data, .len = d->cyclonedx.len};
	items[2] = (struct oci_artifact){.type = INTOTO_TYPE,
									 .data = d->provenance.data,
									 .len = d->provenance.len,
									 .annotation = INTOTO_ANNOTATION,
									 .annotation_value = INTOTO_PROVENANCE};
	items[3] = (struct oci_artifact){
		.type = BUILD_REASONS_TYPE, .data = d->reasons.data, .len = d->reasons.len};
}

static void add_compiler(const struct work *w, json_t *statement)
{
	const struct dpkg_package *p =
		w->compiler ? origins_owner(&w->origins, w->compiler_from) : NULL;
	struct sbom_package row;

	if (!p)
		return;
	row = origins_row(&w->origins.roots[w->compiler_from.root], p);
	provenance_add_compiler(statement, &row);
	sbom_package_release(&row);
}

int build_sbom(struct build *b, const struct oci_descriptor *image, struct build_documents *out,
			   struct error *err)
{
	AUTO(work) struct work w = {0};
	AUTO(sbom) struct sbom s = {0};

	memcpy(s.digest, image->digest, sizeof(s.digest));
	collect(b, &w);
	if (provenance_statement(b, image->digest, &w.statement, err) < 0)
		return -1;
	make_key(b, &w, image->digest, out->key);
	if (oci_store_is_attached(b->store, image, out->key)) {
		build_explain(b, true, "SBOM", "what it is made from did not change");
		return 0;
	}
	build_explain(b, false, "SBOM", "the image, or what is told of its files, is new");
	if (origins_find(b, &w.origins, err) < 0 || fill(b, &w, &s, err) < 0)
		return err_wrap(err, "cannot make the SBOM");
	sbom_write_spdx(&s, &out->spdx);
	sbom_write_cyclonedx(&s, &out->cyclonedx);
	add_compiler(&w, w.statement);
	provenance_add_packages(w.statement, &s);
	doc_json_write(w.statement, &out->provenance);
	build_reasons(b, &out->reasons);
	return 0;
}
