#include "scaffold/scaffold.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/strv.h"
#include "base/text.h"
#include "repo/repo.h"
#include "scaffold/source.h"
#include "scaffold/variables.h"
#include "tmpl/tmpl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define SUFFIX ".tmpl"

void scaffold_result_release(struct scaffold_result *r)
{
	free(r->template_name);
	free(r->template_version);
	*r = (struct scaffold_result){0};
}

/* What is there may be an empty folder, nothing else. */
static int check_target(const char *target, struct error *err)
{
	AUTO(strv) struct strv names = {0};
	const char *last = fs_basename(target);
	struct stat st;

	/* the folder is replaced as a whole, which the one that somebody works in cannot be */
	if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
		err_set(err, ERR_USAGE, "'%s' cannot be the folder of a new project", target);
		return err_hint(err, "give the name of a folder to create");
	}
	if (lstat(target, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode)) { /* a link to a folder cannot be replaced by one */
		if (fs_list(target, &names, err) < 0)
			return -1;
		if (names.count == 0)
			return 0;
	}
	err_set(err, ERR_CONFLICT, "%s exists and is not an empty folder", target);
	return err_hint(err, "give another folder: msctl new NAME DIR");
}

/* Would git take a file of this path for its own? */
static bool is_git_path(const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "/");

		if (len == 4 && strncasecmp(path, ".git", 4) == 0)
			return true;
		if (path[len] == '\0')
			return false;
		path += len + 1;
	}
}

/* A file's name in the project: tags rendered, .tmpl taken off. */
static int render_path(const struct source_file *f, const json_t *data, bool *is_template,
					   char **out, struct error *err)
{
	struct tmpl_options options = {.name = f->path, .escape = TMPL_ESCAPE_RAW};
	AUTO(buf) struct buf path = {0};

	if (tmpl_render(span_of(f->path), data, &options, &path, err) < 0)
		return -1;
	*is_template = text_ends(buf_str(&path), SUFFIX);
	if (*is_template)
		buf_cut(&path, path.len - strlen(SUFFIX));
	if (!fs_is_clean_relative(buf_str(&path)) || is_git_path(buf_str(&path)))
		return err_set(err, ERR_INPUT, "%s: the rendered name '%s' is not a path in the project",
					   f->path, buf_str(&path));
	*out = buf_take(&path);
	return 0;
}

static int write_file(const char *path, struct span data, bool executable, struct error *err)
{
	AUTO_FREE char *dir = fs_dirname(path);
	AUTO_CLOSE int fd = -1;

	if (fs_mkdirs(dir, 0777, err) < 0)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, executable ? 0777 : 0666);
	if (fd < 0 && errno == EEXIST)
		return err_set(err, ERR_INPUT, "the template makes %s twice", path);
	if (fd < 0)
		return err_errno(err, "cannot create %s", path);
	return fs_write_fd(fd, path, data.data, data.len, err);
}

static int make_file(const struct template_source *source, const struct source_file *f,
					 const json_t *data, const char *root, struct error *err)
{
	AUTO_FREE char *origin = xasprintf("%s/files/%s", source->origin, f->path);
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *full = NULL;
	AUTO(buf) struct buf text = {0};
	struct tmpl_options options = {.name = origin};
	bool is_template;

	if (render_path(f, data, &is_template, &path, err) < 0)
		return -1;
	full = fs_join(root, path);
	if (!is_template)
		return write_file(full, (struct span){f->data, f->len}, f->executable, err);
	options.escape = tmpl_escape_for(fs_basename(path));
	if (tmpl_render((struct span){f->data, f->len}, data, &options, &text, err) < 0)
		return -1;
	return write_file(full, buf_span(&text), f->executable, err);
}

static int render_all(const struct scaffold_request *request, const struct template_source *source,
					  const json_t *data, const char *root, struct error *err)
{
	AUTO_FREE char *message = NULL;

	for (size_t i = 0; i < source->file_count; i++)
		if (cancel_check(request->cancel, err) < 0 ||
			make_file(source, &source->files[i], data, root, err) < 0)
			return -1;
	if (!request->git)
		return 0;
	message =
		xasprintf("Start %s from template %s %s\n", request->name, source->name, source->version);
	return repo_init_commit(root, message, &(struct repo_signature){0}, err);
}

static int move_into_place(const char *staging, const char *target, struct error *err)
{
	/* an empty folder in the way is replaced in one step; a full one is never */
	if (rename(staging, target) == 0)
		return 0;
	if (errno == ENOTEMPTY || errno == EEXIST)
		return err_set(err, ERR_CONFLICT, "%s was filled meanwhile", target);
	return err_errno(err, "cannot create %s", target);
}

/* The folder that mkdtemp made is 0700; a project has what the user's umask gives. */
static int open_up(const char *staging, struct error *err)
{
	mode_t mask = umask(0);

	umask(mask);
	if (chmod(staging, 0777 & ~mask) < 0)
		return err_errno(err, "cannot change the mode of %s", staging);
	return 0;
}

static int stage(const struct scaffold_request *request, const struct template_source *source,
				 const json_t *data, struct error *err)
{
	AUTO_FREE char *parent = NULL;
	AUTO_FREE char *staging = NULL;
	struct error ignored = {0};

	parent = fs_dirname(request->target);
	if (fs_mkdirs(parent, 0777, err) < 0 || fs_temp_dir(parent, ".msctl-new.", &staging, err) < 0)
		return -1;
	if (open_up(staging, err) < 0 || render_all(request, source, data, staging, err) < 0 ||
		cancel_check(request->cancel, err) < 0 ||
		move_into_place(staging, request->target, err) < 0) {
		fs_remove_tree(staging, &ignored);
		return -1;
	}
	return 0;
}

static char *without_slashes(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return xstrndup(path, n);
}

int scaffold_new(const struct scaffold_request *request, struct scaffold_result *out,
				 struct error *err)
{
	AUTO(template_source) struct template_source source = {0};
	AUTO_FREE char *target = without_slashes(request->target);
	struct scaffold_request own = *request;
	AUTO_JSON json_t *data = NULL;

	own.target = target;
	if (service_name_check(own.name, err) < 0 || check_target(target, err) < 0 ||
		template_source_load(own.template_, &source, err) < 0 ||
		template_variables(&source, own.name, own.set, own.set_count, &data, err) < 0 ||
		stage(&own, &source, data, err) < 0)
		return -1;
	*out = (struct scaffold_result){
		.template_name = xstrdup(source.name),
		.template_version = xstrdup(source.version),
		.files = source.file_count,
	};
	return 0;
}
