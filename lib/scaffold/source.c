#include "scaffold/source.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/list.h"
#include "base/text.h"
#include "scaffold/embedded.h"

#include <string.h>

#define MANIFEST "template.yaml"
#define FILES "files/"

void template_source_release(struct template_source *s)
{
	for (size_t i = 0; i < s->file_count; i++) {
		free(s->files[i].path);
		free(s->files[i].data);
	}
	free(s->files);
	free(s->origin);
	free(s->manifest_name);
	yaml_file_release(&s->yaml);
	*s = (struct template_source){0};
}

void template_source_names(struct strv *out)
{
	for (size_t i = 0; i < embedded_template_count; i++) {
		const char *path = embedded_templates[i].path;
		AUTO_FREE char *name = xstrndup(path, strcspn(path, "/"));

		if (!strv_has(out, name))
			strv_add(out, name);
	}
}

struct manifest {
	const char *api_version;
	const char *kind;
	const char *name;
	const char *version;
	const char *summary;
	json_t *variables;
};

static const struct doc_field manifest_fields[] = {
	DOC_FIELD(struct manifest, api_version, "apiVersion", DOC_TEXT, true),
	DOC_FIELD(struct manifest, kind, "kind", DOC_TEXT, true),
	DOC_FIELD(struct manifest, name, "name", DOC_TEXT, true),
	DOC_FIELD(struct manifest, version, "version", DOC_TEXT, true),
	DOC_FIELD(struct manifest, summary, "summary", DOC_TEXT, true),
	DOC_FIELD(struct manifest, variables, "variables", DOC_ARRAY, false),
	DOC_FIELDS_END,
};

static int read_manifest(struct template_source *s, struct span text, struct error *err)
{
	struct manifest m = {0};
	struct doc_context where = {.name = s->manifest_name, .strict = true};

	if (yaml_parse(text, s->manifest_name, &s->yaml, err) < 0)
		return -1;
	if (s->yaml.count != 1)
		return err_set(err, ERR_INPUT, "%s: expected one document", s->manifest_name);
	where.marks = s->yaml.marks;
	if (doc_read(s->yaml.documents[0], manifest_fields, &where, &m, err) < 0)
		return -1;
	if (strcmp(m.api_version, "msctl/v1") != 0 || strcmp(m.kind, "Template") != 0)
		return err_set(err, ERR_INPUT, "%s: not a template of apiVersion msctl/v1",
					   s->manifest_name);
	s->name = m.name;
	s->version = m.version;
	s->summary = m.summary;
	s->variables = m.variables;
	return 0;
}

struct loader {
	struct template_source *source;
	LIST(struct source_file) files;
	size_t bytes;
	struct buf manifest;
	bool has_manifest;
};

/* path is relative to the template's folder. */
static int take_file(struct loader *l, const char *path, struct span data, bool executable,
					 struct error *err)
{
	struct source_file f = {0};

	if (strcmp(path, MANIFEST) == 0) {
		buf_add(&l->manifest, data.data, data.len);
		l->has_manifest = true;
		return 0;
	}
	if (!text_starts(path, FILES))
		return 0;
	l->bytes += data.len;
	if (l->files.count == TEMPLATE_MAX_FILES || l->bytes > TEMPLATE_MAX_BYTES)
		return err_set(err, ERR_INPUT, "template %s is too large", l->source->origin);
	f.path = xstrdup(path + strlen(FILES));
	f.data = xstrndup(data.data, data.len);
	f.len = data.len;
	f.executable = executable;
	list_push(&l->files, f);
	return 0;
}

static int load_embedded(struct loader *l, const char *name, struct error *err)
{
	AUTO(strv) struct strv names = {0};
	AUTO_FREE char *prefix = xasprintf("%s/", name);
	const char *near;

	template_source_names(&names);
	if (!strv_has(&names, name)) {
		near = names.count ? text_nearest(name, (const char *const *)(void *)names.items) : NULL;
		err_set(err, ERR_MISSING, "no template named '%s'", name);
		return near ? err_hint(err, "did you mean '%s'?", near)
					: err_hint(err,
							   "run 'msctl template list'; a folder is written with a "
							   "slash: ./%s",
							   name);
	}
	for (size_t i = 0; i < embedded_template_count; i++) {
		const struct template_file *f = &embedded_templates[i];
		struct span data = {(const char *)f->data, f->len};

		if (text_starts(f->path, prefix) &&
			take_file(l, f->path + strlen(prefix), data, f->mode & 0100, err) < 0)
			return -1;
	}
	return 0;
}

static int visit_file(void *user, const struct fs_entry *e, struct error *err)
{
	struct loader *l = user;
	AUTO(buf) struct buf text = {0};

	if (S_ISDIR(e->st.st_mode))
		return strcmp(e->path, ".git") == 0;
	if (!S_ISREG(e->st.st_mode)) {
		err_set(err, ERR_INPUT, "%s: a template holds regular files only", e->full_path);
		return err_hint(err, "replace links and devices by files");
	}
	if (fs_read(e->full_path, TEMPLATE_MAX_FILE_BYTES, &text, err) < 0)
		return -1;
	return take_file(l, e->path, buf_span(&text), e->st.st_mode & 0100, err);
}

static int load_any(struct loader *l, const char *what, struct error *err)
{
	if (!strchr(what, '/') && strcmp(what, ".") != 0)
		return load_embedded(l, what, err);
	if (!fs_is_dir(what)) {
		err_set(err, ERR_MISSING, "no template folder %s", what);
		return err_hint(err, "give a folder that holds template.yaml");
	}
	/* before anything is read: the folder may be any */
	if (!fs_exists(l->source->manifest_name))
		return 0;
	return fs_walk(what, visit_file, l, err);
}

static int load(struct loader *l, const char *what, struct error *err)
{
	if (load_any(l, what, err) < 0)
		return -1;
	if (!l->has_manifest) {
		err_set(err, ERR_INPUT, "%s has no " MANIFEST, what);
		return err_hint(err, "a template folder holds " MANIFEST " and files/");
	}
	return read_manifest(l->source, buf_span(&l->manifest), err);
}

int template_source_load(const char *what, struct template_source *out, struct error *err)
{
	AUTO(template_source) struct template_source s = {0};
	struct loader l = {.source = &s};
	int rc;

	s.origin = xstrdup(what);
	s.manifest_name = fs_join(what, MANIFEST);
	rc = load(&l, what, err);
	buf_release(&l.manifest);
	s.files = l.files.items;
	s.file_count = l.files.count;
	if (rc < 0)
		return -1;
	*out = MOVE(s);
	return 0;
}
