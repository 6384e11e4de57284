#include "build/base_packages.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/text.h"
#include "build/keep.h"
#include "build/origin.h"
#include "supply/apk.h"
#include "supply/deb822.h"
#include "supply/license.h"
#include "tar/reader.h"

#include <string.h>

#define STATUS "var/lib/dpkg/status"
#define STATUS_DIR "var/lib/dpkg/status.d/"
#define APK "lib/apk/db/installed"
#define DOC "usr/share/doc/"
#define COPYRIGHT "/copyright"
#define MAX_LAYER_BYTES (32ull << 30)
#define MAX_OS_RELEASE 65536

/* What is read of the base. */
struct facts {
	const struct build *b;
	struct buf status; /* paragraphs */
	struct buf apk;
	struct buf os_release;
	struct map licenses; /* package -> struct license * */
	LIST(struct sbom_package) rows;
	struct map seen; /* "name version arch" of those */
};

static void facts_release(struct facts *f)
{
	buf_release(&f->status);
	buf_release(&f->apk);
	buf_release(&f->os_release);
	for (size_t i = 0; i < f->licenses.count; i++) {
		license_release(f->licenses.entries[i].value);
		free(f->licenses.entries[i].value);
	}
	map_release(&f->licenses);
	map_release(&f->seen);
	for (size_t i = 0; i < f->rows.count; i++)
		sbom_package_release(&f->rows.items[i]);
	list_release(&f->rows);
}

void base_packages_release(struct base_packages *p)
{
	for (size_t i = 0; i < p->count; i++)
		sbom_package_release(&p->items[i]);
	free(p->items);
	*p = (struct base_packages){0};
}

/* "libc6" of "usr/share/doc/libc6/copyright"; NULL of other paths. Caller frees. */
static char *copyright_of(const char *path)
{
	size_t len = strlen(path);
	size_t around = strlen(DOC) + strlen(COPYRIGHT);

	if (!text_starts(path, DOC) || !text_ends(path, COPYRIGHT) || len <= around ||
		memchr(path + strlen(DOC), '/', len - around))
		return NULL;
	return xstrndup(path + strlen(DOC), len - around);
}

static bool is_status(const char *path)
{
	return strcmp(path, STATUS) == 0 ||
		   (text_starts(path, STATUS_DIR) && !text_ends(path, ".md5sums"));
}

static bool is_apk(const char *path)
{
	return strcmp(path, APK) == 0 || strcmp(path, "usr/" APK) == 0;
}

static bool is_os_release(const char *path)
{
	return strcmp(path, "etc/os-release") == 0 || strcmp(path, "usr/lib/os-release") == 0;
}

static bool is_wanted(const char *path)
{
	AUTO_FREE char *package = copyright_of(path);

	return package || is_status(path) || is_apk(path) || is_os_release(path);
}

/* The layers that have something of it. Nothing but copyrights is nothing. */
static bool choose_layers(const struct build *b, bool layers[OCI_MAX_LAYERS])
{
	bool has_database = false;

	for (size_t i = 0; i < b->tree.nodes.count; i++) {
		const char *path = b->tree.nodes.entries[i].key;
		const struct tree_node *n = b->tree.nodes.entries[i].value;

		if (!n || n->layer != TREE_BASE || n->type != TREE_FILE ||
			n->base_layer >= OCI_MAX_LAYERS || !is_wanted(path))
			continue;
		layers[n->base_layer] = true;
		has_database |= is_status(path) || is_apk(path);
	}
	return has_database;
}

static int read_content(struct tar_reader *r, const struct tar_entry *e, size_t cap,
						struct buf *out, struct error *err)
{
	AUTO_FREE char *path = xstrdup(e->path);
	ssize_t got;

	/* a layer may have the same name many times */
	if (e->size > cap || out->len > cap - e->size)
		return err_set(err, ERR_INPUT, "%s is larger than %zu bytes", path, cap);
	while ((got = tar_reader_data(r, buf_grow(out, 65536), 65536, err)) > 0)
		out->len += (size_t)got;
	return got < 0 ? -1 : 0;
}

static int take_copyright(struct facts *f, struct tar_reader *r, const struct tar_entry *e,
						  char *package, struct error *err)
{
	AUTO_FREE char *name = package;
	AUTO(buf) struct buf text = {0};
	struct license *l;

	if (f->licenses.count >= BASE_PACKAGES_MAX_COPYRIGHTS || map_has(&f->licenses, name))
		return 0;
	if (read_content(r, e, DPKG_MAX_COPYRIGHT_BYTES, &text, err) < 0)
		return -1;
	l = xcalloc(1, sizeof(*l));
	license_read(buf_span(&text), l);
	map_put(&f->licenses, name, l);
	return 0;
}

static int take_entry(struct facts *f, struct tar_reader *r, const struct tar_entry *e,
					  const char *path, struct error *err)
{
	char *package = copyright_of(path);

	if (package)
		return take_copyright(f, r, e, package, err);
	if (is_os_release(path))
		return read_content(r, e, MAX_OS_RELEASE, &f->os_release, err);
	if (is_apk(path))
		return read_content(r, e, APK_MAX_DATABASE_BYTES, &f->apk, err);
	if (f->status.len > DPKG_MAX_STATUS_BYTES)
		return err_set(err, ERR_INPUT, "it has more than %u bytes about packages",
					   DPKG_MAX_STATUS_BYTES);
	/* each file is a paragraph, its end may lack */
	if (f->status.len > 0)
		buf_adds(&f->status, "\n\n");
	return read_content(r, e, DPKG_MAX_STATUS_BYTES, &f->status, err);
}

static int read_layer(struct facts *f, unsigned index, struct error *err)
{
	const struct build *b = f->b;
	const struct oci_descriptor *d = &b->base.layers[index];
	AUTO_CLOSE int fd = -1;
	AUTO_PTR(tar_reader) struct tar_reader *reader = NULL;
	struct tar_source source = tar_source_fd(&fd);
	struct tar_entry e;
	int rc;

	if (oci_store_open_blob(b->store, d, &fd, err) < 0 ||
		tar_reader_new(&source, d->digest, MAX_LAYER_BYTES, &reader, err) < 0)
		return -1;
	while ((rc = tar_reader_next(reader, &e, err)) > 0) {
		AUTO_FREE char *at = NULL;
		const struct tree_node *n;
		struct error ignored = {0};

		if (cancel_check(b->request->cancel, err) < 0)
			return -1;
		if (e.type != TAR_FILE || tree_resolve(&b->tree, e.path, false, &at, &ignored) < 0)
			continue;
		n = map_get(&b->tree.nodes, at);
		/* not what a higher layer has in its place */
		if (!n || n->layer != TREE_BASE || n->base_layer != index || !is_wanted(at))
			continue;
		if (take_entry(f, reader, &e, at, err) < 0)
			return -1;
	}
	return rc;
}

/* A database that has a package twice has it once. */
static void push_row(struct facts *f, struct sbom_package row)
{
	AUTO_FREE char *id = xasprintf("%s %s %s", row.name, row.version, row.arch);

	if (f->rows.count > BASE_PACKAGES_MAX || !map_put(&f->seen, id, NULL)) {
		sbom_package_release(&row);
		return;
	}
	row.in_base = true;
	list_push(&f->rows, row);
}

static void add_row(struct facts *f, const struct origin_root *root, struct dpkg_package *p)
{
	const struct license *l = map_get(&f->licenses, p->name);

	if (l) {
		p->license = xstrdup_opt(l->spdx);
		p->license_names = xstrdup_opt(l->names);
		p->license_refers = xstrdup_opt(l->refers);
	}
	push_row(f, origins_row(root, p));
}

struct apk_visit {
	struct facts *facts;
	const struct origin_root *root;
};

static void on_apk(void *user, const struct dpkg_package *package, const struct strv *files)
{
	const struct apk_visit *v = user;

	(void)files;
	push_row(v->facts, origins_row(v->root, package));
}

static int make_rows(struct facts *f, struct error *err)
{
	AUTO_FREE char *id = NULL;
	AUTO_FREE char *distro = NULL;
	struct span rest = buf_span(&f->status);
	struct origin_root root = {0};

	origins_read_distro(&f->os_release, &id, &distro);
	root.distro_id = id;
	root.distro = distro;
	for (struct span p = {0}; deb822_next(&rest, &p);) {
		AUTO(dpkg_package) struct dpkg_package package = {0};

		if (dpkg_read_package(p, &package))
			add_row(f, &root, &package);
	}
	root.is_apk = true;
	apk_each_package(buf_span(&f->apk), on_apk, &(struct apk_visit){f, &root});
	if (f->rows.count > BASE_PACKAGES_MAX)
		return err_set(err, ERR_INPUT, "it has more than %d packages", BASE_PACKAGES_MAX);
	return 0;
}

static const struct {
	const char *key;
	size_t offset;
} columns[] = {
	{"name", offsetof(struct sbom_package, name)},
	{"version", offsetof(struct sbom_package, version)},
	{"arch", offsetof(struct sbom_package, arch)},
	{"source", offsetof(struct sbom_package, source)},
	{"supplier", offsetof(struct sbom_package, supplier)},
	{"distroId", offsetof(struct sbom_package, distro_id)},
	{"distro", offsetof(struct sbom_package, distro)},
	{"license", offsetof(struct sbom_package, license)},
	{"licenseNames", offsetof(struct sbom_package, license_names)},
	{"licenseRefers", offsetof(struct sbom_package, license_refers)},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static char **column(struct sbom_package *p, size_t i)
{
	return (char **)((char *)p + columns[i].offset);
}

static char *memory_file(const struct build *b)
{
	char digest[OCI_DIGEST_LEN + 1];

	if (!b->request->cache)
		return NULL;
	return xasprintf("%s/bases/%s.json", b->request->cache,
					 oci_digest_hex(oci_digest_of(b->base.bytes, b->base.len, digest)));
}

/* A memory that cannot be written makes builds slower and nothing else. */
static void remember(struct facts *f, const char *file)
{
	AUTO_JSON json_t *doc = json_pack("{s:s, s:[]}", "by", MSCTL_VERSION, "packages");
	AUTO(buf) struct buf text = {0};
	struct error ignored = {0};

	for (size_t i = 0; i < f->rows.count; i++) {
		struct sbom_package *p = &f->rows.items[i];
		json_t *row = json_pack("{s:b}", "alpine", p->kind == SBOM_ALPINE);

		for (size_t c = 0; c < COLUMNS; c++)
			if (*column(p, c))
				json_object_set_new(row, columns[c].key, json_string(*column(p, c)));
		json_array_append_new(json_object_get(doc, "packages"), row);
	}
	doc_json_write(doc, &text);
	if (file && text.len < KEEP_MAX_BYTES)
		keep_save(file, text.data, text.len, &ignored);
}

static bool recall(const char *file, struct facts *f)
{
	AUTO(buf) struct buf text = {0};
	AUTO_JSON json_t *doc = NULL;
	struct error ignored = {0};
	json_t *packages, *row;
	size_t i;

	if (!file || !keep_load(file, &text) ||
		doc_json_parse(buf_span(&text), file, &doc, &ignored) < 0 ||
		strcmp(doc_text(doc, "by", ""), MSCTL_VERSION) != 0)
		return false;
	packages = json_object_get(doc, "packages");
	json_array_foreach(packages, i, row)
	{
		struct sbom_package p = {.kind = doc_bool(row, "alpine", false) ? SBOM_ALPINE : SBOM_DEBIAN,
								 .in_base = true};

		for (size_t c = 0; c < COLUMNS; c++)
			*column(&p, c) = xstrdup_opt(doc_text(row, columns[c].key, NULL));
		list_push(&f->rows, p);
		/* no package lacks these */
		if (!p.name || !p.version || !p.arch || !p.source)
			return false;
	}
	return json_is_array(packages);
}

static int read_facts(struct facts *f, const char *file, struct error *err)
{
	bool layers[OCI_MAX_LAYERS] = {false};

	if (!choose_layers(f->b, layers))
		return 0;
	for (unsigned i = 0; i < f->b->base.layer_count; i++)
		if (layers[i] && read_layer(f, i, err) < 0)
			return -1;
	if (make_rows(f, err) < 0)
		return -1;
	remember(f, file);
	return 0;
}

int base_packages_find(const struct build *b, struct base_packages *out, struct error *err)
{
	AUTO_FREE char *file = b->base.bytes ? memory_file(b) : NULL;
	AUTO(facts) struct facts f = {.b = b};

	if (!b->base.bytes)
		return 0;
	if (!recall(file, &f)) {
		facts_release(&f);
		f = (struct facts){.b = b};
		if (read_facts(&f, file, err) < 0)
			return err_wrap(err, "base image %s", b->project->build.base);
	}
	out->count = f.rows.count;
	out->items = TAKE(f.rows.items);
	f.rows.count = 0;
	return 0;
}
