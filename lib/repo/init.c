#include "repo/repo.h"

#include "base/fs.h"
#include "base/mem.h"
#include "repo/api.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A value of a configuration file of the user's, or NULL. Caller frees. */
static char *read_config(const struct git_session *s, const char *path, const char *key)
{
	git_config *config = NULL;
	git_buf text = {0};
	char *value = NULL;

	if (!fs_exists(path) || s->api.config_open_ondisk(&config, path) < 0)
		return NULL;
	if (s->api.config_get_string_buf(&text, config, key) == 0 && text.size > 0)
		value = xstrndup(text.ptr, text.size);
	s->api.buf_dispose(&text);
	s->api.config_free(config);
	return value;
}

/* git's order: ~/.gitconfig beats $XDG_CONFIG_HOME/git/config beats /etc/gitconfig. */
static char *user_config(const struct git_session *s, const char *key)
{
	const char *home = secure_getenv("HOME");
	const char *xdg = secure_getenv("XDG_CONFIG_HOME");
	AUTO_FREE char *own = xasprintf("%s/.gitconfig", home ? home : "");
	AUTO_FREE char *config = xdg && *xdg ? xasprintf("%s/git/config", xdg)
										 : xasprintf("%s/.config/git/config", home ? home : "");
	char *value = read_config(s, own, key);

	if (!value)
		value = read_config(s, config, key);
	return value ? value : read_config(s, "/etc/gitconfig", key);
}

static char *login_name(void)
{
	const struct passwd *pw = getpwuid(getuid());

	return xstrdup(pw && pw->pw_name[0] ? pw->pw_name : "unknown");
}

static int sign(const struct git_session *s, const struct repo_signature *who, git_signature **out,
				struct error *err)
{
	AUTO_FREE char *login = login_name();
	AUTO_FREE char *name = who && who->name ? xstrdup(who->name) : user_config(s, "user.name");
	AUTO_FREE char *email = who && who->email ? xstrdup(who->email) : user_config(s, "user.email");
	char host[256] = "localhost";
	int64_t when = who && who->time ? who->time : (int64_t)time(NULL);

	if (gethostname(host, sizeof(host) - 1) < 0 || host[0] == '\0')
		memcpy(host, "localhost", sizeof("localhost"));
	if (!email)
		email = xasprintf("%s@%s", login, host);
	if (s->api.signature_new(out, name ? name : login, email, when, 0) < 0)
		return git_session_fail(s, "cannot name an author", err);
	return 0;
}

static int stage(const struct git_session *s, git_oid *tree, struct error *err)
{
	git_index *index = NULL;
	int rc = s->api.repository_index(&index, s->repository);

	if (rc == 0)
		rc = s->api.index_add_all(index, NULL, GIT_INDEX_ADD_DEFAULT, NULL, NULL);
	if (rc == 0)
		rc = s->api.index_write(index);
	if (rc == 0)
		rc = s->api.index_write_tree(tree, index);
	if (index)
		s->api.index_free(index);
	return rc == 0 ? 0 : git_session_fail(s, "cannot stage the files", err);
}

static int commit(const struct git_session *s, const char *message,
				  const struct repo_signature *who, struct error *err)
{
	git_oid tree_id, id;
	git_tree *tree = NULL;
	git_signature *author = NULL;
	int rc;

	if (stage(s, &tree_id, err) < 0 || sign(s, who, &author, err) < 0)
		return -1;
	rc = s->api.tree_lookup(&tree, s->repository, &tree_id);
	if (rc == 0)
		rc = s->api.commit_create(&id, s->repository, "HEAD", author, author, NULL, message, tree,
								  0, NULL);
	if (tree)
		s->api.tree_free(tree);
	s->api.signature_free(author);
	return rc == 0 ? 0 : git_session_fail(s, "cannot commit", err);
}

static int init(struct git_session *s, const char *dir, struct error *err)
{
	union {
		git_repository_init_options o;
		char room[GIT_ROOM];
	} how = {0};

	s->api.repository_init_options_init(&how.o, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
	how.o.flags = GIT_REPOSITORY_INIT_NO_REINIT;
	how.o.initial_head = "main";
	if (s->api.repository_init_ext(&s->repository, dir, &how.o) < 0)
		return git_session_fail(s, "cannot make a git repository", err);
	return 0;
}

int repo_init_commit(const char *dir, const char *message, const struct repo_signature *who,
					 struct error *err)
{
	AUTO(git_session) struct git_session s = {0};
	AUTO_FREE char *git = fs_join(dir, ".git");

	if (fs_exists(git))
		return err_set(err, ERR_CONFLICT, "%s is a git repository already", dir);
	if (git_session_start(&s, err) < 0)
		return -1;
	if (init(&s, dir, err) < 0 || commit(&s, message, who, err) < 0) {
		struct error ignored = {0};

		fs_remove_tree(git, &ignored);
		return err_wrap(err, "%s", dir);
	}
	return 0;
}
