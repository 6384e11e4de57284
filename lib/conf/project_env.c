#include "conf/project_read.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

struct fields {
	const char *target, *context, *namespace_, *from, *host;
	json_t *vars, *patches, *exclude;
};

static const struct doc_field environment_fields[] = {
	DOC_FIELD(struct fields, target, "target", DOC_TEXT, false),
	DOC_FIELD(struct fields, context, "context", DOC_TEXT, false),
	DOC_FIELD(struct fields, namespace_, "namespace", DOC_TEXT, false),
	DOC_FIELD(struct fields, vars, "vars", DOC_OBJECT, false),
	DOC_FIELD(struct fields, patches, "patches", DOC_ARRAY, false),
	DOC_FIELD(struct fields, exclude, "exclude", DOC_TEXTS, false),
	DOC_FIELD(struct fields, from, "from", DOC_TEXT, false),
	DOC_FIELD(struct fields, host, "host", DOC_TEXT, false),
	DOC_FIELDS_END,
};

struct patch_fields {
	json_t *target, *merge, *json6902;
};

static const struct doc_field patch_fields[] = {
	DOC_FIELD(struct patch_fields, target, "target", DOC_OBJECT, false),
	DOC_FIELD(struct patch_fields, merge, "merge", DOC_OBJECT, false),
	DOC_FIELD(struct patch_fields, json6902, "json6902", DOC_ARRAY, false),
	DOC_FIELDS_END,
};

static const struct doc_field patch_target_fields[] = {
	DOC_FIELD(struct project_patch, kind, "kind", DOC_TEXT, false),
	DOC_FIELD(struct project_patch, name, "name", DOC_TEXT, false),
	DOC_FIELDS_END,
};

static int read_patch(const struct project *p, const json_t *item, const char *path,
					  struct project_patch *out, struct error *err)
{
	struct patch_fields f = {0};
	AUTO_FREE char *target_path = xasprintf("%s.target", path);

	if (project_fields(p, item, path, patch_fields, &f, err) < 0)
		return -1;
	if (f.target && project_fields(p, f.target, target_path, patch_target_fields, out, err) < 0)
		return -1;
	if (!f.merge && !f.json6902)
		return project_fail(p, item, path, "merge", "required, unless there is json6902", err);
	out->merge = f.merge;
	out->json6902 = f.json6902;
	return 0;
}

static int read_patches(const struct project *p, const json_t *patches, const char *path,
						struct project_environment *env, struct error *err)
{
	const json_t *item;
	size_t i;

	env->patches = xcalloc(json_array_size(patches) + 1, sizeof(*env->patches));
	json_array_foreach(patches, i, item)
	{
		AUTO_FREE char *place = xasprintf("%s.patches[%zu]", path, i);

		if (read_patch(p, item, place, &env->patches[env->patch_count++], err) < 0)
			return -1;
	}
	return 0;
}

/* A real would lose its spelling (1.10), so it has to be text. */
static int check_vars(const struct project *p, json_t *vars, const char *path, struct error *err)
{
	AUTO_FREE char *vars_path = xasprintf("%s.vars", path);
	const char *key;
	json_t *value;

	json_object_foreach(vars, key, value)
	{
		if (project_check_variable(p, vars, vars_path, key, err) < 0)
			return -1;
		if (json_is_string(value) || json_is_integer(value) || json_is_boolean(value))
			continue;
		project_fail(p, vars, vars_path, key, "expected text, a whole number or a truth", err);
		return err_hint(err, "put the value in quotes");
	}
	return 0;
}

/* Variables are replaced in everything of the environment but the variables. */
static int expand(const struct project *p, json_t *section, struct error *err)
{
	AUTO_JSON json_t *vars = json_incref(json_object_get(section, "vars"));
	int rc;

	if (!vars)
		return project_expand(section, NULL, p->yaml.marks, p->file, err);
	/* null keeps the key's place, so that marks by index stay right */
	json_object_set_new(section, "vars", json_null());
	rc = project_expand(section, vars, p->yaml.marks, p->file, err);
	json_object_set(section, "vars", vars);
	return rc;
}

static const char *default_target(const char *name, const struct fields *f)
{
	if (f->host)
		return "swarm";
	return strcmp(name, "local") == 0 && !f->context ? "local" : "kubernetes";
}

static int check_target(const struct project *p, const json_t *section, const char *path,
						const char *target, struct error *err)
{
	static const char *const targets[] = {"local", "kubernetes", "swarm", NULL};
	const char *near;

	for (size_t i = 0; targets[i]; i++)
		if (strcmp(target, targets[i]) == 0)
			return 0;
	near = text_nearest(target, targets);
	project_fail(p, section, path, "target", "none of local, kubernetes, swarm", err);
	return near ? err_hint(err, "did you mean '%s'?", near) : -1;
}

static int read_environment(struct project *p, const char *name, json_t *section, struct error *err)
{
	struct project_environment *env = &p->environments[p->environment_count++];
	AUTO_FREE char *path = xasprintf("environments.%s", name);
	struct fields f = {0};

	env->name = name;
	/* twice: types first, so that a wrong one is told as such, then with the replaced texts */
	if (project_fields(p, section, path, environment_fields, &f, err) < 0 ||
		check_vars(p, f.vars, path, err) < 0 || expand(p, section, err) < 0 ||
		project_fields(p, section, path, environment_fields, &f, err) < 0)
		return -1;
	env->target = f.target ? f.target : default_target(name, &f);
	env->context = f.context;
	env->namespace_ = f.namespace_;
	env->from = f.from;
	env->host = f.host;
	env->vars = f.vars;
	project_add_texts(&env->exclude, f.exclude);
	if (check_target(p, section, path, env->target, err) < 0)
		return -1;
	return read_patches(p, f.patches, path, env, err);
}

static int check_from(const struct project *p, json_t *section, struct error *err)
{
	for (size_t i = 0; i < p->environment_count; i++) {
		const struct project_environment *env = &p->environments[i];
		AUTO_FREE char *path = xasprintf("environments.%s", env->name);

		if (env->from && !json_object_get(section, env->from))
			return project_fail(p, json_object_get(section, env->name), path, "from",
								"no such environment", err);
	}
	return 0;
}

int project_read_environments(struct project *p, json_t *section, struct error *err)
{
	const char *name;
	json_t *value;

	p->environments = xcalloc(json_object_size(section) + 1, sizeof(*p->environments));
	json_object_foreach(section, name, value)
	{
		if (!json_is_object(value))
			return project_fail(p, section, "environments", name, "expected an object", err);
		if (read_environment(p, name, value, err) < 0)
			return -1;
	}
	if (check_from(p, section, err) < 0)
		return -1;
	if (p->environment_count == 0)
		p->environments[p->environment_count++] =
			(struct project_environment){.name = "local", .target = "local"};
	return 0;
}

void project_environments_release(struct project *p)
{
	for (size_t i = 0; i < p->environment_count; i++) {
		free(p->environments[i].patches);
		strv_release(&p->environments[i].exclude);
	}
	free(p->environments);
}

static int no_such(const struct project *p, const char *name, struct error *err)
{
	AUTO_FREE const char **names = xcalloc(p->environment_count + 1, sizeof(*names));
	AUTO(buf) struct buf list = {0};
	const char *near;

	for (size_t i = 0; i < p->environment_count; i++) {
		names[i] = p->environments[i].name;
		buf_addf(&list, "%s%s", i ? ", " : "", names[i]);
	}
	if (!name) {
		err_set(err, ERR_USAGE, "%s has several environments and none was chosen", p->file);
		return err_hint(err, "choose one with -e: %s", buf_str(&list));
	}
	near = text_nearest(name, names);
	err_set(err, ERR_MISSING, "%s: no environment named '%s'", p->file, name);
	return near ? err_hint(err, "did you mean '%s'?", near)
				: err_hint(err, "there are: %s", buf_str(&list));
}

int project_environment(const struct project *p, const char *name,
						const struct project_environment **out, struct error *err)
{
	if (!name && p->environment_count != 1)
		return no_such(p, NULL, err);
	for (size_t i = 0; i < p->environment_count; i++)
		if (!name || strcmp(p->environments[i].name, name) == 0) {
			*out = &p->environments[i];
			return 0;
		}
	return no_such(p, name, err);
}
