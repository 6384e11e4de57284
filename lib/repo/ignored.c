#include "repo/repo.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "repo/api.h"

#include <stdlib.h>
#include <string.h>

struct repo_ignored {
	struct git_session session;
	git_index *index;
	char *prefix; /* of dir in the repository: "" or "services/orders/" */
};

void repo_ignored_free(struct repo_ignored *r)
{
	if (!r)
		return;
	if (r->index)
		r->session.api.index_free(r->index);
	git_session_release(&r->session);
	free(r->prefix);
	free(r);
}

/* git's answers are for paths in the repository. */
static char *find_prefix(const char *workdir, const char *dir)
{
	AUTO_FREE char *root = workdir ? realpath(workdir, NULL) : NULL;
	AUTO_FREE char *own = realpath(dir, NULL);
	size_t len = root ? strlen(root) : 0;

	if (!root || !own || strncmp(own, root, len) != 0 || (own[len] && own[len] != '/'))
		return NULL;
	return own[len] ? xasprintf("%s/", own + len + 1) : xstrdup("");
}

static int open_index(struct repo_ignored *r, const char *dir, struct error *err)
{
	struct git_session *s = &r->session;
	int rc = s->api.repository_open_ext(&s->repository, dir, 0, NULL);

	if (rc == GIT_ENOTFOUND || (rc == 0 && s->api.repository_is_bare(s->repository)))
		return err_set(err, ERR_MISSING, "%s is in no git repository", dir);
	if (rc < 0 || s->api.repository_index(&r->index, s->repository) < 0)
		return git_session_fail(s, "cannot open the git repository", err);
	r->prefix = find_prefix(s->api.repository_workdir(s->repository), dir);
	if (!r->prefix)
		return err_set(err, ERR_MISSING, "%s is not in its git repository's folder", dir);
	if (r->prefix[0] && repo_is_ignored(r, "", true))
		return err_set(err, ERR_MISSING, "%s is ignored by its git repository", dir);
	return 0;
}

int repo_ignored_open(const char *dir, struct repo_ignored **out, struct error *err)
{
	AUTO_PTR(repo_ignored) struct repo_ignored *r = xcalloc(1, sizeof(*r));

	if (git_session_start(&r->session, err) < 0 || open_index(r, dir, err) < 0)
		return -1;
	*out = TAKE(r);
	return 0;
}

bool repo_is_ignored(const struct repo_ignored *r, const char *path, bool is_dir)
{
	const struct git_api *api = &r->session.api;
	const char *slash = is_dir && *path ? "/" : "";
	AUTO_FREE char *full = xasprintf("%s%s%s", r->prefix, path, slash);
	int is_named = 0;
	size_t at;

	if (api->ignore_path_is_ignored(&is_named, r->session.repository, full) < 0 || !is_named)
		return false;
	if (is_dir)
		return api->index_find_prefix(&at, r->index, full) != 0;
	return !api->index_get_bypath(r->index, full, 0);
}
