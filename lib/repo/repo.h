/* repo.h - git, by libgit2 (loaded when first needed): what is committed here, and the first
 * commit of a new project.
 *
 * No hook is run. Of configuration outside the repository only user.name and user.email are read,
 * for the author of the first commit. */
#pragma once

#include "base/auto.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct repo_info {
	char commit[65];     /* hex of HEAD, "" before the first commit */
	int64_t commit_time; /* seconds since 1970 */
	char *branch;        /* NULL when detached */
	char *describe; /* like `git describe --tags --always --dirty`; NULL before the first commit */
	char *origin;   /* URL of the remote "origin" without credentials, or NULL */
	bool dirty;     /* tracked files differ, or untracked files are not ignored */
};

void repo_info_release(struct repo_info *i);

/* The repository that dir is in. ERR_MISSING when there is none. */
int repo_info_read(const char *dir, struct repo_info *out, struct error *err);

/* What git would not take in. */
struct repo_ignored; /* heap */

void repo_ignored_free(struct repo_ignored *r);
/* Of the repository that dir is in. ERR_MISSING when there is none, or when it ignores dir
 * itself. */
int repo_ignored_open(const char *dir, struct repo_ignored **out, struct error *err);
/* Is a path below dir named by .gitignore or its like, and nothing of it tracked? */
bool repo_is_ignored(const struct repo_ignored *r, const char *path, bool is_dir);

DEFINE_AUTO_PTR(repo_ignored)

struct repo_signature {
	const char *name; /* NULL: user.name of the user's configuration, or the login name */
	const char *email;
	int64_t time; /* 0: now */
};

/* Make dir a repository (branch main) with one commit of everything below it that .gitignore does
 * not name. */
int repo_init_commit(const char *dir, const char *message, const struct repo_signature *who,
					 struct error *err);
