#include "cmd/why.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "build/reasons.h"
#include "supply/sbom.h"

#include <string.h>

#define MAX_CHAIN 32

/* Without the slashes around it. Caller frees. */
static char *clean(const char *path)
{
	char *text;

	path += strspn(path, "/");
	text = xstrdup(path);
	for (size_t len = strlen(text); len > 0 && text[len - 1] == '/';)
		text[--len] = '\0';
	return text;
}

static bool is_in(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return len == 0
			   ? !strchr(path, '/')
			   : strncmp(path, dir, len) == 0 && path[len] == '/' && !strchr(path + len + 1, '/');
}

/* What was probably meant: the same name elsewhere, or a name like it in the same folder. NULL: no
 * idea. Borrowed. */
static const char *find_nearest(const struct oci_files *files, const char *path)
{
	AUTO_FREE const char **names = xcalloc(files->count + 1, sizeof(*names));
	AUTO_FREE char *above = fs_dirname(path);
	const char *dir = strcmp(above, ".") == 0 ? "" : above;
	const struct oci_file *folder = oci_files_follow(files, dir);
	const char *nearest;
	size_t count = 0;

	if (folder)
		dir = folder->path;
	for (size_t i = 0; i < files->count; i++)
		if (strcmp(fs_basename(files->items[i]->path), fs_basename(path)) == 0)
			return files->items[i]->path;
	for (size_t i = 0; i < files->count; i++)
		if (is_in(files->items[i]->path, dir))
			names[count++] = fs_basename(files->items[i]->path);
	nearest = text_nearest(fs_basename(path), names);
	for (size_t i = 0; nearest && i < files->count; i++)
		if (fs_basename(files->items[i]->path) == nearest)
			return files->items[i]->path;
	return NULL;
}

static int missing(const struct why *w, const char *path, struct error *err)
{
	const char *nearest = find_nearest(w->files, path);

	err_set(err, ERR_MISSING, "%s has no file /%s", w->image->ref, path);
	if (nearest)
		return err_hint(err, "did you mean /%s?", nearest);
	return err_hint(err, "'msctl image inspect --files %s' lists what there is", w->image->ref);
}

/* A document beside the image, or NULL. */
static int read_artifact(const struct why *w, const char *type, size_t max, json_t **out,
						 struct error *err)
{
	AUTO(buf) struct buf bytes = {0};

	*out = NULL;
	if (oci_store_artifact(w->store, w->image->d.digest, type, max, &bytes, err) < 0)
		return err->code == ERR_MISSING ? 0 : -1;
	return doc_json_parse(buf_span(&bytes), type, out, err);
}

/* The element of a list whose member is this text. Borrowed. */
static const json_t *find_by(const json_t *list, const char *member, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i,
					   item) if (strcmp(doc_text(item, member, ""), text) == 0) return item;
	return NULL;
}

/* The package that contains the file, as SPDX relates them. Borrowed. */
static const json_t *find_package(const json_t *spdx, const char *path)
{
	AUTO_FREE char *name = xasprintf("./%s", path);
	const json_t *file = find_by(json_object_get(spdx, "files"), "fileName", name);
	const char *id = doc_text(file, "SPDXID", "");
	const json_t *relation;
	size_t i;

	if (!file)
		return NULL;
	json_array_foreach(json_object_get(spdx, "relationships"), i, relation)
	{
		if (strcmp(doc_text(relation, "relationshipType", ""), "CONTAINS") == 0 &&
			strcmp(doc_text(relation, "relatedSpdxElement", ""), id) == 0)
			return find_by(json_object_get(spdx, "packages"), "SPDXID",
						   doc_text(relation, "spdxElementId", ""));
	}
	return NULL;
}

static void set_known(json_t *doc, const char *key, const char *value)
{
	if (value[0] && strcmp(value, "NOASSERTION") != 0)
		json_object_set_new(doc, key, json_string(value));
}

/* What is told of a package: of the base image, or as the SBOM has it. */
static json_t *describe_package(const struct why *w, const json_t *spdx, const struct oci_file *f)
{
	const json_t *p = find_package(spdx, f->path);
	json_t *doc = json_object();

	if (f->layer < w->image->base_layers && w->image->base_layers < w->image->m.layer_count) {
		const json_t *notes = json_object_get(w->image->m.json, "annotations");
		const json_t *base = json_object_get(notes, "org.opencontainers.image.base.name");

		set_known(doc, "baseImage", base ? json_string_value(base) : "its base image");
		return doc;
	}
	set_known(doc, "name", doc_text(p, "name", ""));
	set_known(doc, "version", doc_text(p, "versionInfo", ""));
	set_known(doc, "license", doc_text(p, "licenseDeclared", ""));
	set_known(doc, "licenseComments", doc_text(p, "licenseComments", ""));
	set_known(doc, "source", doc_text(p, "sourceInfo", ""));
	set_known(doc, "purl", doc_text(p, "externalRefs.0.referenceLocator", ""));
	return doc;
}

/* From the file to what the project asked for: who needed it, who needed that one, and so on. */
static json_t *describe_chain(const json_t *reasons, const char *path)
{
	const json_t *files = json_object_get(reasons, "files");
	json_t *chain = json_array();
	const json_t *reason;

	while ((reason = json_object_get(files, path)) && json_array_size(chain) < MAX_CHAIN) {
		json_t *step = json_deep_copy(reason);
		AUTO_FREE char *shown = local_path_text(path);

		json_object_set_new(step, "path", json_string(shown));
		json_array_append_new(chain, step);
		path = doc_text(reason, "by", "");
	}
	return chain;
}

static int describe(const struct why *w, const char *path, const struct oci_file *f, json_t **out,
					struct error *err)
{
	AUTO_JSON json_t *spdx = NULL;
	AUTO_JSON json_t *reasons = NULL;
	const struct oci_file *asked = oci_files_find(w->files, path);
	json_t *doc;

	if (read_artifact(w, SBOM_TYPE_SPDX, SBOM_MAX_BYTES, &spdx, err) < 0 ||
		read_artifact(w, BUILD_REASONS_TYPE, BUILD_REASONS_MAX_BYTES, &reasons, err) < 0)
		return -1;
	doc = local_file_json(w->image, f);
	if (asked != f) {
		AUTO_FREE char *shown = local_path_text(path);

		json_object_set_new(doc, "reachedBy", json_string(shown));
	}
	json_object_set_new(doc, "layerDigest", json_string(w->image->m.layers[f->layer].digest));
	json_object_set_new(doc, "package", describe_package(w, spdx, f));
	json_object_set_new(doc, "chain", describe_chain(reasons, f->path));
	*out = doc;
	return 0;
}

static void print_line(struct ctx *ctx, const char *title, const char *text)
{
	AUTO_FREE char *safe = xstrdup(text);

	utf8_sanitize(safe);
	if (safe[0])
		fprintf(ctx->out, "%-9s %s\n", title, safe);
}

static void print_package(struct ctx *ctx, const json_t *p)
{
	AUTO(buf) struct buf line = {0};
	const char *base = doc_text(p, "baseImage", "");

	if (base[0]) {
		buf_addf(&line, "of %s", base);
	} else if (!json_object_size(p)) {
		buf_adds(&line, "not known: no SBOM beside the image tells");
	} else {
		buf_addf(&line, "%s %s", doc_text(p, "name", ""), doc_text(p, "version", ""));
		buf_addf(&line, ", licence %s", doc_text(p, "license", "not known"));
	}
	print_line(ctx, "package", buf_str(&line));
	print_line(ctx, "", doc_text(p, "source", ""));
	print_line(ctx, "", doc_text(p, "licenseComments", ""));
}

static void print_chain(struct ctx *ctx, const json_t *chain)
{
	const json_t *step;
	size_t i;

	if (json_array_size(chain) == 0)
		print_line(ctx, "why", "not recorded; 'msctl build' does when it makes an image here");
	json_array_foreach(chain, i, step)
	{
		AUTO(buf) struct buf line = {0};

		if (i > 0)
			buf_addf(&line, "%s: ", doc_text(step, "path", ""));
		buf_adds(&line, doc_text(step, "reason", ""));
		print_line(ctx, i == 0 ? "why" : "", buf_str(&line));
	}
}

static void print_why(struct ctx *ctx, const struct oci_file *f, const json_t *doc)
{
	AUTO(buf) struct buf facts = {0};
	AUTO(buf) struct buf layer = {0};
	AUTO_FREE char *capability = local_capability_text(f);
	const char *by = doc_text(doc, "reachedBy", "");
	char mode[11];
	char size[16];

	buf_addf(&facts, "%s %u:%u", local_mode_text(f, mode), f->uid, f->gid);
	if (capability)
		buf_addf(&facts, " [%s]", capability);
	if (f->digest[0])
		buf_addf(&facts, " %s %s", text_size(f->size, size), f->digest);
	buf_addf(&layer, "%s %s", doc_text(doc, "layer", ""), doc_text(doc, "layerDigest", ""));
	print_line(ctx, "file", doc_text(doc, "path", ""));
	if (by[0]) {
		AUTO_FREE char *link = xasprintf("reached by %s", by);

		print_line(ctx, "", link);
	}
	print_line(ctx, "", buf_str(&facts));
	print_line(ctx, "layer", buf_str(&layer));
	if (f->type == TAR_DIR && json_array_size(json_object_get(doc, "chain")) == 0) {
		print_line(ctx, "why", "it is a folder above other files");
		return;
	}
	print_package(ctx, json_object_get(doc, "package"));
	print_chain(ctx, json_object_get(doc, "chain"));
}

int why_show(struct ctx *ctx, const struct why *w, const char *path, struct error *err)
{
	AUTO_FREE char *want = clean(path);
	const struct oci_file *f = oci_files_follow(w->files, want);
	AUTO_JSON json_t *doc = NULL;

	if (!f) /* a link that leads nowhere is a file, too */
		f = oci_files_find(w->files, want);
	if (!f)
		return missing(w, want, err);
	if (describe(w, want, f, &doc, err) < 0)
		return err_wrap(err, "%s", w->image->ref);
	if (out_is_document(ctx))
		return out_print(ctx, doc, NULL, err);
	print_why(ctx, f, doc);
	return 0;
}
