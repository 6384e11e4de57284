#include "conf/project.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/project_read.h"

#include <ctype.h>
#include <string.h>

#define PROJECT_MAX_NAME 63
#define DEFAULT_TIMEOUT_MS (5 * 60 * 1000)

struct fields {
	const char *api_version, *name, *image, *version, *test, *license;
	json_t *build, *deploy, *environments;
	json_t *verify, *ci, *services; /* typed here, read by the commands that act on them */
};

static const struct doc_field project_top[] = {
	DOC_FIELD(struct fields, api_version, "apiVersion", DOC_TEXT, false),
	DOC_FIELD(struct fields, name, "name", DOC_TEXT, false),
	DOC_FIELD(struct fields, image, "image", DOC_TEXT, false),
	DOC_FIELD(struct fields, version, "version", DOC_TEXT, false),
	DOC_FIELD(struct fields, test, "test", DOC_TEXT, false),
	DOC_FIELD(struct fields, license, "license", DOC_TEXT, false),
	DOC_FIELD(struct fields, build, "build", DOC_OBJECT, false),
	DOC_FIELD(struct fields, deploy, "deploy", DOC_OBJECT, false),
	DOC_FIELD(struct fields, environments, "environments", DOC_OBJECT, false),
	DOC_FIELD(struct fields, verify, "verify", DOC_ARRAY, false),
	DOC_FIELD(struct fields, ci, "ci", DOC_OBJECT, false),
	DOC_FIELD(struct fields, services, "services", DOC_TEXTS, false),
	DOC_FIELDS_END,
};

struct deploy_fields {
	json_t *kubernetes;
	const char *swarm;
	json_t *timeout;
};

static const struct doc_field deploy_fields[] = {
	DOC_FIELD(struct deploy_fields, kubernetes, "kubernetes", DOC_TEXTS, false),
	DOC_FIELD(struct deploy_fields, swarm, "swarm", DOC_TEXT, false),
	DOC_FIELD(struct deploy_fields, timeout, "timeout", DOC_ANY, false),
	DOC_FIELDS_END,
};

int project_fail(const struct project *p, const json_t *object, const char *path, const char *key,
				 const char *problem, struct error *err)
{
	AUTO_FREE char *place = doc_where(p->yaml.marks, p->file, object, key, 0);

	return err_set(err, ERR_INPUT, "%s: %s%s%s: %s", place, path, *path ? "." : "", key, problem);
}

int project_check_variable(const struct project *p, const json_t *object, const char *path,
						   const char *key, struct error *err)
{
	/* YAML 1.1 takes bare y, n, on, off for truths, in keys as well */
	if (strcmp(key, "true") == 0 || strcmp(key, "false") == 0) {
		project_fail(p, object, path, key, "YAML reads this name as a truth", err);
		return err_hint(err, "put the name in quotes");
	}
	if (!*key || strchr(key, '='))
		return project_fail(p, object, path, key, "not the name of a variable", err);
	return 0;
}

int project_fields(const struct project *p, const json_t *object, const char *path,
				   const struct doc_field *fields, void *out, struct error *err)
{
	struct doc_context where = {p->file, path, true, p->yaml.marks};

	return doc_read(object, fields, &where, out, err);
}

void project_add_texts(struct strv *to, const json_t *texts)
{
	const json_t *item;
	size_t i;

	json_array_foreach(texts, i, item) strv_add(to, json_string_value(item));
}

bool project_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > PROJECT_MAX_NAME || !islower((unsigned char)name[0]) ||
		name[len - 1] == '-')
		return false;
	for (; *name; name++)
		if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) && *name != '-')
			return false;
	return true;
}

static int read_timeout(struct project *p, const json_t *section, const json_t *value,
						struct error *err)
{
	p->timeout_ms = DEFAULT_TIMEOUT_MS;
	if (!value || json_is_null(value))
		return 0;
	if (json_is_integer(value) && json_integer_value(value) > 0 &&
		json_integer_value(value) < 1000000) {
		p->timeout_ms = json_integer_value(value) * 1000;
		return 0;
	}
	if (json_is_string(value) &&
		text_parse_duration(json_string_value(value), &p->timeout_ms, err) == 0 &&
		p->timeout_ms > 0)
		return 0;
	project_fail(p, section, "deploy", "timeout", "not a duration", err);
	return err_hint(err, "write it like 30s, 5m or 1h30m");
}

static int read_deploy(struct project *p, const json_t *section, struct error *err)
{
	struct deploy_fields f = {0};

	if (section && project_fields(p, section, "deploy", deploy_fields, &f, err) < 0)
		return -1;
	project_add_texts(&p->kubernetes, f.kubernetes);
	return read_timeout(p, section, f.timeout, err);
}

static int read_top(struct project *p, const json_t *doc, struct fields *f, struct error *err)
{
	if (project_fields(p, doc, "", project_top, f, err) < 0)
		return -1;
	if (f->api_version && strcmp(f->api_version, "msctl/v1") != 0) {
		project_fail(p, doc, "", "apiVersion", "this msctl reads msctl/v1 only", err);
		return err_hint(err, "write 'apiVersion: msctl/v1', or use a newer msctl");
	}
	if (!f->name) {
		project_fail(p, doc, "", "name", "required, but not given", err);
		return err_hint(err, "add a line like 'name: orders'");
	}
	if (!project_name_is_valid(f->name)) {
		project_fail(p, doc, "", "name", "not a valid name", err);
		return err_hint(err, "use lower-case letters, digits and '-', beginning with a letter, at "
							 "most 63 characters");
	}
	p->name = f->name;
	p->image = f->image ? f->image : f->name;
	p->version = f->version ? f->version : "git";
	p->test = f->test;
	p->license = f->license;
	return 0;
}

static int read_project(struct project *p, struct span text, struct error *err)
{
	struct fields f = {0};

	if (yaml_parse(text, p->file, &p->yaml, err) < 0)
		return -1;
	if (p->yaml.count != 1) {
		err_set(err, ERR_INPUT, "%s: %s", p->file,
				p->yaml.count ? "more than one document" : "the file is empty");
		return err_hint(err, "a project file is one document that begins with 'name: NAME'");
	}
	if (read_top(p, p->yaml.documents[0], &f, err) < 0 || project_read_build(p, f.build, err) < 0 ||
		read_deploy(p, f.deploy, err) < 0)
		return -1;
	return project_read_environments(p, f.environments, err);
}

int project_load(const char *dir, const char *file, struct project *out, struct error *err)
{
	AUTO(project) struct project p = {0};
	AUTO(buf) struct buf text = {0};

	p.file = dir ? fs_join(dir, file ? file : PROJECT_FILE) : xstrdup(file ? file : PROJECT_FILE);
	p.dir = fs_dirname(p.file);
	if ((file ? fs_read(p.file, PROJECT_MAX_BYTES, &text, err)
			  : fs_read_settled(p.file, PROJECT_MAX_BYTES, &text, err)) < 0) {
		if (err->code == ERR_MISSING)
			err_hint(err, "enter a project's folder, name its file with -f, or start one with "
						  "'msctl new NAME'");
		return -1;
	}
	p.is_written = true;
	if (read_project(&p, buf_span(&text), err) < 0)
		return -1;
	*out = MOVE(p);
	return 0;
}

/* A folder's name as a project may be called: "My_Service 2" is my-service-2. */
static char *name_from_folder(const char *dir)
{
	AUTO_FREE char *real = realpath(dir, NULL);
	AUTO(buf) struct buf name = {0};

	for (const char *p = real ? fs_basename(real) : ""; *p && name.len < PROJECT_MAX_NAME; p++) {
		char c = (char)tolower((unsigned char)*p);

		if (isascii(c) && (islower((unsigned char)c) || (name.len && isdigit((unsigned char)c))))
			buf_addc(&name, c);
		else if (name.len > 0 && name.data[name.len - 1] != '-')
			buf_addc(&name, '-');
	}
	while (name.len > 0 && name.data[name.len - 1] == '-')
		buf_cut(&name, name.len - 1);
	return name.len > 0 ? buf_take(&name) : xstrdup("app");
}

int project_load_any(const char *dir, const char *file, struct project *out, struct error *err)
{
	AUTO(project) struct project p = {0};
	AUTO_FREE char *path = fs_join(dir ? dir : ".", PROJECT_FILE);

	if (dir && !fs_is_dir(dir)) {
		err_set(err, fs_exists(dir) ? ERR_USAGE : ERR_MISSING, "there is no folder %s", dir);
		return err_hint(err, "name a project's folder; -f names another project file");
	}
	if (file || fs_exists(path))
		return project_load(dir, file, out, err);
	p.dir = xstrdup(dir ? dir : ".");
	p.file = TAKE(path);
	p.folder_name = name_from_folder(p.dir);
	p.name = p.image = p.folder_name;
	p.version = "git";
	if (project_read_build(&p, NULL, err) < 0 || read_deploy(&p, NULL, err) < 0 ||
		project_read_environments(&p, NULL, err) < 0)
		return -1;
	*out = MOVE(p);
	return 0;
}

void project_release(struct project *p)
{
	free(p->dir);
	free(p->file);
	free(p->folder_name);
	project_build_release(&p->build);
	project_environments_release(p);
	strv_release(&p->kubernetes);
	yaml_file_release(&p->yaml);
	*p = (struct project){0};
}
