#include "repo/api.h"

#include "base/dl.h"

#include <string.h>

#define ROW(member, symbol) DL_SYMBOL(struct git_api, member, "git_" symbol)

static const struct dl_symbol symbols[] = {
	ROW(init, "libgit2_init"),
	ROW(shutdown, "libgit2_shutdown"),
	ROW(opts, "libgit2_opts"),
	ROW(error_last, "error_last"),
	ROW(repository_open_ext, "repository_open_ext"),
	ROW(repository_free, "repository_free"),
	ROW(repository_is_bare, "repository_is_bare"),
	ROW(repository_workdir, "repository_workdir"),
	ROW(repository_head, "repository_head"),
	ROW(repository_head_detached, "repository_head_detached"),
	ROW(reference_shorthand, "reference_shorthand"),
	ROW(reference_free, "reference_free"),
	ROW(reference_name_to_id, "reference_name_to_id"),
	ROW(commit_lookup, "commit_lookup"),
	ROW(commit_time, "commit_time"),
	ROW(commit_free, "commit_free"),
	ROW(oid_tostr, "oid_tostr"),
	ROW(describe_options_init, "describe_options_init"),
	ROW(describe_format_options_init, "describe_format_options_init"),
	ROW(describe_workdir, "describe_workdir"),
	ROW(describe_format, "describe_format"),
	ROW(describe_result_free, "describe_result_free"),
	ROW(buf_dispose, "buf_dispose"),
	ROW(status_options_init, "status_options_init"),
	ROW(status_list_new, "status_list_new"),
	ROW(status_list_entrycount, "status_list_entrycount"),
	ROW(status_list_free, "status_list_free"),
	ROW(remote_lookup, "remote_lookup"),
	ROW(remote_url, "remote_url"),
	ROW(remote_free, "remote_free"),
	ROW(repository_init_options_init, "repository_init_options_init"),
	ROW(repository_init_ext, "repository_init_ext"),
	ROW(repository_index, "repository_index"),
	ROW(index_add_all, "index_add_all"),
	ROW(index_get_bypath, "index_get_bypath"),
	ROW(index_find_prefix, "index_find_prefix"),
	ROW(ignore_path_is_ignored, "ignore_path_is_ignored"),
	ROW(index_write, "index_write"),
	ROW(index_write_tree, "index_write_tree"),
	ROW(index_free, "index_free"),
	ROW(tree_lookup, "tree_lookup"),
	ROW(tree_free, "tree_free"),
	ROW(signature_new, "signature_new"),
	ROW(signature_free, "signature_free"),
	ROW(commit_create, "commit_create"),
	ROW(config_open_ondisk, "config_open_ondisk"),
	ROW(config_get_string_buf, "config_get_string_buf"),
	ROW(config_free, "config_free"),
	{NULL, 0},
};

/* Debian 12, 13 and Ubuntu 24.04; what is called here is the same in all of them. */
static int load(struct git_api *api, struct error *err)
{
	static const char *const newer[] = {"libgit2.so.1.7", "libgit2.so.1.8", "libgit2.so.1.9"};
	struct error first = {0};

	if (dl_load("libgit2.so.1.5", "libgit2-1.5", symbols, api, &first) == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(newer); i++) {
		struct error ignored = {0};

		if (dl_load(newer[i], "libgit2", symbols, api, &ignored) == 0)
			return 0;
	}
	*err = first;
	return -1;
}

int git_session_start(struct git_session *s, struct error *err)
{
	static const int levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM,
								 GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL};

	if (load(&s->api, err) < 0)
		return -1;
	if (s->api.init() < 0)
		return git_session_fail(s, "cannot start libgit2", err);
	s->is_open = true;
	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (s->api.opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "") < 0)
			return git_session_fail(s, "cannot set up libgit2", err);
	if (s->api.opts(GIT_OPT_SET_OWNER_VALIDATION, 0) < 0)
		return git_session_fail(s, "cannot set up libgit2", err);
	return 0;
}

void git_session_release(struct git_session *s)
{
	if (s->repository)
		s->api.repository_free(s->repository);
	if (s->is_open)
		s->api.shutdown();
	memset(s, 0, sizeof(*s));
}

int git_session_fail(const struct git_session *s, const char *act, struct error *err)
{
	const git_error *e = s->api.error_last();

	return err_set(err, ERR_SYS, "%s: %s", act,
				   e && e->message ? e->message : "libgit2 does not say why");
}
