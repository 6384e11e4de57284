#include "repo/repo.h"

#include "base/mem.h"
#include "repo/api.h"

#include <stdlib.h>
#include <string.h>

void repo_info_release(struct repo_info *i)
{
	free(i->branch);
	free(i->describe);
	free(i->origin);
	*i = (struct repo_info){0};
}

static int open_repository(struct git_session *s, const char *dir, struct error *err)
{
	int rc = s->api.repository_open_ext(&s->repository, dir, 0, NULL);

	if (rc == GIT_ENOTFOUND || (rc == 0 && s->api.repository_is_bare(s->repository)))
		return err_set(err, ERR_MISSING, "%s is in no git repository", dir);
	if (rc < 0)
		return git_session_fail(s, "cannot open the git repository", err);
	return 0;
}

/* 1: *out is filled; 0: there is no commit yet */
static int read_head(const struct git_session *s, struct repo_info *out, struct error *err)
{
	git_oid id;
	git_commit *commit = NULL;
	git_reference *head = NULL;
	int rc = s->api.reference_name_to_id(&id, s->repository, "HEAD");

	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc < 0 || s->api.commit_lookup(&commit, s->repository, &id) < 0)
		return git_session_fail(s, "cannot read HEAD", err);
	out->commit_time = commit ? s->api.commit_time(commit) : 0;
	s->api.commit_free(commit);
	s->api.oid_tostr(out->commit, sizeof(out->commit), &id);
	if (s->api.repository_head_detached(s->repository) == 0 &&
		s->api.repository_head(&head, s->repository) == 0) {
		out->branch = xstrdup(s->api.reference_shorthand(head));
		s->api.reference_free(head);
	}
	return 1;
}

static int read_describe(const struct git_session *s, struct repo_info *out, struct error *err)
{
	union {
		git_describe_options o;
		char room[GIT_ROOM];
	} how = {0};
	union {
		git_describe_format_options o;
		char room[GIT_ROOM];
	} format = {0};
	git_describe_result *result = NULL;
	git_buf text = {0};
	int rc;

	s->api.describe_options_init(&how.o, GIT_DESCRIBE_OPTIONS_VERSION);
	s->api.describe_format_options_init(&format.o, GIT_DESCRIBE_FORMAT_OPTIONS_VERSION);
	how.o.describe_strategy = GIT_DESCRIBE_TAGS;
	how.o.show_commit_oid_as_fallback = 1;
	format.o.dirty_suffix = "-dirty";
	rc = s->api.describe_workdir(&result, s->repository, &how.o);
	if (rc == 0)
		rc = s->api.describe_format(&text, result, &format.o);
	if (rc < 0)
		rc = git_session_fail(s, "cannot describe HEAD", err);
	else
		out->describe = xstrndup(text.ptr, text.size);
	s->api.buf_dispose(&text);
	if (result)
		s->api.describe_result_free(result);
	return rc;
}

static int read_status(const struct git_session *s, struct repo_info *out, struct error *err)
{
	union {
		git_status_options o;
		char room[GIT_ROOM];
	} how = {0};
	git_status_list *list = NULL;

	s->api.status_options_init(&how.o, GIT_STATUS_OPTIONS_VERSION);
	how.o.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_EXCLUDE_SUBMODULES;
	if (s->api.status_list_new(&list, s->repository, &how.o) < 0)
		return git_session_fail(s, "cannot compare the working tree with HEAD", err);
	out->dirty = s->api.status_list_entrycount(list) > 0;
	s->api.status_list_free(list);
	return 0;
}

/* "https://user:token@host/x" -> "https://host/x"; "git@host:x" names no secret and stays. Caller
 * frees. */
static char *without_credentials(const char *url)
{
	const char *authority = strstr(url, "://");
	const char *end, *at = NULL;

	if (!authority)
		return xstrdup(url);
	authority += 3;
	end = authority + strcspn(authority, "/?#");
	for (const char *p = authority; p < end; p++)
		if (*p == '@')
			at = p;
	return xasprintf("%.*s%s", (int)(authority - url), url, at ? at + 1 : authority);
}

static void read_origin(const struct git_session *s, struct repo_info *out)
{
	git_remote *remote = NULL;
	const char *url;

	if (s->api.remote_lookup(&remote, s->repository, "origin") < 0)
		return;
	url = s->api.remote_url(remote);
	if (url)
		out->origin = without_credentials(url);
	s->api.remote_free(remote);
}

/* Loading libgit2 takes seven milliseconds: not where there is nothing to read. */
static bool has_repository(const char *dir)
{
	AUTO_FREE char *path = realpath(dir, NULL);

	for (; path && *path; *strrchr(path, '/') = '\0') {
		AUTO_FREE char *git = xasprintf("%s/.git", path);

		if (access(git, F_OK) == 0)
			return true;
	}
	return access("/.git", F_OK) == 0;
}

int repo_info_read(const char *dir, struct repo_info *out, struct error *err)
{
	AUTO(git_session) struct git_session s = {0};
	AUTO(repo_info) struct repo_info info = {0};
	int rc;

	if (!has_repository(dir))
		return err_set(err, ERR_MISSING, "%s is in no git repository", dir);
	if (git_session_start(&s, err) < 0 || open_repository(&s, dir, err) < 0)
		return -1;
	rc = read_head(&s, &info, err);
	if (rc < 0 || (rc == 1 && read_describe(&s, &info, err) < 0) || read_status(&s, &info, err) < 0)
		return err_wrap(err, "%s", dir);
	read_origin(&s, &info);
	*out = MOVE(info);
	return 0;
}
