/* api.h - libgit2's functions, loaded when first needed, and a session with them; of lib/repo
 * only.
 *
 * The session reads no configuration but the repository's own, so that neither an alias of a URL
 * nor a filter nor a template of the user's plays a part. A repository of another owner is read
 * all the same: nothing of it is ever run, and builds in containers have such ones. */
#pragma once

#include "base/auto.h"
#include "base/error.h"

#include <git2.h>
#include <stdbool.h>

struct git_api {
	int (*init)(void);
	int (*shutdown)(void);
	int (*opts)(int option, ...);
	const git_error *(*error_last)(void);
	int (*repository_open_ext)(git_repository **, const char *, unsigned, const char *);
	void (*repository_free)(git_repository *);
	int (*repository_is_bare)(const git_repository *);
	const char *(*repository_workdir)(const git_repository *);
	int (*repository_head)(git_reference **, git_repository *);
	int (*repository_head_detached)(git_repository *);
	const char *(*reference_shorthand)(const git_reference *);
	void (*reference_free)(git_reference *);
	int (*reference_name_to_id)(git_oid *, git_repository *, const char *);
	int (*commit_lookup)(git_commit **, git_repository *, const git_oid *);
	git_time_t (*commit_time)(const git_commit *);
	void (*commit_free)(git_commit *);
	char *(*oid_tostr)(char *, size_t, const git_oid *);
	int (*describe_options_init)(git_describe_options *, unsigned);
	int (*describe_format_options_init)(git_describe_format_options *, unsigned);
	int (*describe_workdir)(git_describe_result **, git_repository *, git_describe_options *);
	int (*describe_format)(git_buf *, const git_describe_result *,
						   const git_describe_format_options *);
	void (*describe_result_free)(git_describe_result *);
	void (*buf_dispose)(git_buf *);
	int (*status_options_init)(git_status_options *, unsigned);
	int (*status_list_new)(git_status_list **, git_repository *, const git_status_options *);
	size_t (*status_list_entrycount)(git_status_list *);
	void (*status_list_free)(git_status_list *);
	int (*remote_lookup)(git_remote **, git_repository *, const char *);
	const char *(*remote_url)(const git_remote *);
	void (*remote_free)(git_remote *);
	int (*repository_init_options_init)(git_repository_init_options *, unsigned);
	int (*repository_init_ext)(git_repository **, const char *, git_repository_init_options *);
	int (*repository_index)(git_index **, git_repository *);
	int (*index_add_all)(git_index *, const git_strarray *, unsigned, git_index_matched_path_cb,
						 void *);
	const git_index_entry *(*index_get_bypath)(git_index *, const char *, int);
	int (*index_find_prefix)(size_t *, git_index *, const char *);
	int (*ignore_path_is_ignored)(int *, git_repository *, const char *);
	int (*index_write)(git_index *);
	int (*index_write_tree)(git_oid *, git_index *);
	void (*index_free)(git_index *);
	int (*tree_lookup)(git_tree **, git_repository *, const git_oid *);
	void (*tree_free)(git_tree *);
	int (*signature_new)(git_signature **, const char *, const char *, git_time_t, int);
	void (*signature_free)(git_signature *);
	int (*commit_create)(git_oid *, git_repository *, const char *, const git_signature *,
						 const git_signature *, const char *, const char *, const git_tree *,
						 size_t, const git_commit **);
	int (*config_open_ondisk)(git_config **, const char *);
	int (*config_get_string_buf)(git_buf *, const git_config *, const char *);
	void (*config_free)(git_config *);
};

/* A newer libgit2 may know more options than the header this was built with: its init functions
 * write them too. */
#define GIT_ROOM 256

struct git_session {
	struct git_api api;
	bool is_open;
	git_repository *repository; /* NULL until one is opened */
};

/* ERR_SYS when libgit2 is not there. */
int git_session_start(struct git_session *s, struct error *err);
/* Frees the repository too. */
void git_session_release(struct git_session *s);
/* Fill *err from libgit2's last error: "ACT: what it said". Returns -1. */
int git_session_fail(const struct git_session *s, const char *act, struct error *err);
