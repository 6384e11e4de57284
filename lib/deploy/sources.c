#include "deploy/sources.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"

#include <string.h>

struct reader {
	const struct deploy_render_options *o;
	int (*each)(void *user, struct yaml_file *yaml, const char *name, struct error *err);
	void *user;
};

static int read_text(const struct reader *r, struct span text, const char *name, struct error *err)
{
	AUTO(yaml_file) struct yaml_file yaml = {0};

	if (yaml_parse(text, name, &yaml, err) < 0)
		return -1;
	return r->each(r->user, &yaml, name, err);
}

static int read_file(const struct reader *r, const char *path, const char *name, struct error *err)
{
	AUTO(buf) struct buf text = {0};

	if (fs_read(path, YAML_MAX_BYTES, &text, err) < 0)
		return -1;
	return read_text(r, buf_span(&text), name, err);
}

static int read_stdin(const struct reader *r, struct error *err)
{
	AUTO(buf) struct buf text = {0};

	if (fs_read_fd(STDIN_FILENO, "standard input", YAML_MAX_BYTES, &text, err) < 0)
		return -1;
	return read_text(r, buf_span(&text), RENDER_STDIN, err);
}

static bool is_kustomization(const char *dir)
{
	static const char *const names[] = {"kustomization.yaml", "kustomization.yml", "Kustomization"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		AUTO_FREE char *path = fs_join(dir, names[i]);

		if (fs_exists(path))
			return true;
	}
	return false;
}

static int read_kustomization(const struct reader *r, const char *dir, const char *name,
							  struct error *err)
{
	AUTO_FREE char *kustomize = proc_find("kustomize");
	AUTO_FREE char *kubectl = proc_find("kubectl");
	const char *const own[] = {kustomize, "build", "--", dir, NULL};
	const char *const built_in[] = {kubectl, "kustomize", "--", dir, NULL};
	AUTO(proc_result) struct proc_result result = {0};
	struct proc_spec spec = {
		.argv = kustomize ? own : built_in,
		.in = PROC_NULL,
		.out = PROC_BUFFER,
		.err_out = PROC_BUFFER,
		.max_output = YAML_MAX_BYTES,
		.timeout_ms = 120000,
		.cancel = r->o->cancel,
	};
	char how[64];

	if (!kustomize && !kubectl) {
		err_set(err, ERR_MISSING,
				"%s is a kustomization, and neither kustomize nor kubectl is installed", name);
		return err_hint(err, "install kustomize, or list plain manifests in deploy.kubernetes");
	}
	if (proc_run(&spec, &result, err) < 0)
		return err_wrap(err, "rendering %s", name);
	if (result.exit_status != 0 || result.timed_out) {
		const char *said = buf_str(&result.err_out);

		return err_set(err, ERR_INPUT, "rendering %s: kustomize %s: %.*s", name,
					   proc_describe(&result, how), (int)strcspn(said, "\n"), said);
	}
	if (result.out.len >= YAML_MAX_BYTES)
		return err_set(err, ERR_INPUT, "rendering %s: more than %u MB", name, YAML_MAX_BYTES >> 20);
	return read_text(r, buf_span(&result.out), name, err);
}

static bool is_manifest_name(const char *name)
{
	return text_ends(name, ".yaml") || text_ends(name, ".yml") || text_ends(name, ".json");
}

static int read_dir(const struct reader *r, const char *dir, const char *name, struct error *err)
{
	AUTO(strv) struct strv names = {0};
	AUTO_FREE char *chart = fs_join(dir, "Chart.yaml");
	size_t found = 0;

	if (is_kustomization(dir))
		return read_kustomization(r, dir, name, err);
	if (fs_exists(chart)) {
		err_set(err, ERR_INPUT, "%s is a Helm chart", name);
		return err_hint(err, "run 'helm template %s | msctl apply -f -'", name);
	}
	if (fs_list(dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		AUTO_FREE char *path = fs_join(dir, names.items[i]);
		AUTO_FREE char *shown = fs_join(name, names.items[i]);

		if (!is_manifest_name(names.items[i]) || fs_is_dir(path))
			continue;
		found++;
		if (read_file(r, path, shown, err) < 0)
			return -1;
	}
	if (found == 0) {
		err_set(err, ERR_MISSING, "folder %s holds no manifests", name);
		return err_hint(err, "msctl reads *.yaml, *.yml and *.json there");
	}
	return 0;
}

int sources_read(const struct deploy_render_options *o,
				 int (*each)(void *user, struct yaml_file *yaml, const char *name,
							 struct error *err),
				 void *user, struct error *err)
{
	struct reader r = {o, each, user};

	for (size_t i = 0; i < o->paths->count; i++) {
		const char *name = o->paths->items[i];
		AUTO_FREE char *path = o->dir ? fs_join(o->dir, name) : xstrdup(name);
		int rc;

		if (strcmp(name, "-") == 0)
			rc = read_stdin(&r, err);
		else if (fs_is_dir(path))
			rc = read_dir(&r, path, name, err);
		else
			rc = read_file(&r, path, name, err);
		if (rc < 0)
			return -1;
	}
	return 0;
}
