#include "conf/creds.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "conf/creds_private.h"
#include "crypto/base64.h"

#include <errno.h>
#include <string.h>

void creds_wipe(char *secret)
{
	if (!secret)
		return;
	explicit_bzero(secret, strlen(secret));
	free(secret);
}

void creds_release(struct creds *c)
{
	free(c->username);
	creds_wipe(c->password);
	creds_wipe(c->identity_token);
	*c = (struct creds){0};
}

void creds_copy(const struct creds *from, struct creds *to)
{
	*to = (struct creds){
		.username = xstrdup_opt(from->username),
		.password = xstrdup_opt(from->password),
		.identity_token = xstrdup_opt(from->identity_token),
	};
}

void creds_store_release(struct creds_store *s)
{
	for (size_t i = 0; i < s->cache.count; i++) {
		creds_release(s->cache.entries[i].value);
		free(s->cache.entries[i].value);
	}
	map_release(&s->cache);
}

/* The docker configuration, which is also where new credentials go. NULL without a home. */
static char *docker_file(void)
{
	const char *dir = getenv("DOCKER_CONFIG");
	const char *home = getenv("HOME");

	if (dir && *dir)
		return fs_join(dir, "config.json");
	return home && *home ? fs_join(home, ".docker/config.json") : NULL;
}

/* The files to look into, in order. */
static void list_files(const struct creds_store *s, struct strv *out)
{
	const char *explicit_file = s->file ? s->file : getenv("REGISTRY_AUTH_FILE");
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	char *docker = docker_file();

	if (explicit_file && *explicit_file)
		strv_add(out, explicit_file);
	if (s->file) { /* --authfile: this one and no other */
		free(docker);
		return;
	}
	if (runtime && *runtime)
		strv_addf(out, "%s/containers/auth.json", runtime);
	if (config && *config)
		strv_addf(out, "%s/containers/auth.json", config);
	else if (home && *home)
		strv_addf(out, "%s/.config/containers/auth.json", home);
	if (docker)
		strv_take(out, docker);
}

static int parse_file(struct span text, const char *name, json_t **out, struct error *err)
{
	static const char mend[] = "correct it; an empty configuration is {}";
	AUTO_JSON json_t *doc = NULL;
	const json_t *auths;

	if (doc_json_parse(text, name, &doc, err) < 0)
		return err_hint(err, "%s", mend);
	if (!json_is_object(doc)) {
		err_set(err, ERR_INPUT, "%s is no JSON object", name);
		return err_hint(err, "%s", mend);
	}
	auths = json_object_get(doc, "auths");
	if (auths && !json_is_null(auths) && !json_is_object(auths)) {
		err_set(err, ERR_INPUT, "%s: auths is no JSON object", name);
		return err_hint(err, "%s", mend);
	}
	*out = TAKE(doc);
	return 0;
}

/* An absent or empty file is an empty object. */
static int load_file(const struct creds_store *s, const char *path, json_t **out, struct error *err)
{
	AUTO(buf) struct buf text = {0};
	struct error why = {0};
	int rc = s->file ? fs_read(path, CREDS_MAX_FILE_BYTES, &text, &why)
					 : fs_read_settled(path, CREDS_MAX_FILE_BYTES, &text, &why);

	if (rc < 0 && why.code != ERR_MISSING) {
		*err = why;
		return -1;
	}
	if (strspn(buf_str(&text), " \t\r\n") == text.len) {
		*out = json_object();
		return 0;
	}
	rc = parse_file(buf_span(&text), path, out, err);
	explicit_bzero(text.data, text.cap);
	return rc;
}

static int ask_helper(struct creds_store *s, const char *helper, const char *host,
					  struct creds *out, struct error *err)
{
	AUTO_FREE char *key = xasprintf("%s %s", helper, host);
	struct creds *known = map_get(&s->cache, key);

	if (!known) {
		AUTO(creds) struct creds answer = {0};

		if (creds_helper_get(&(struct creds_helper){helper, s->cancel}, host, &answer, err) < 0)
			return -1;
		known = xcalloc(1, sizeof(*known));
		*known = MOVE(answer);
		map_put(&s->cache, key, known);
	}
	creds_copy(known, out);
	return 0;
}

/* What is looked for. */
struct search {
	struct creds_store *store;
	const char *host;
	const char *name;
};

/* A file's two ways: helper and entry. What neither has is success with username NULL. */
static int find_in(const struct search *what, const char *path, const json_t *file,
				   struct creds *out, struct error *err)
{
	const char *helper = creds_helper_name(file, what->host);
	const char *key = NULL;
	json_t *entry;

	if (helper && ask_helper(what->store, helper, what->host, out, err) < 0)
		return err_wrap(err, "%s", path);
	if (out->username)
		return 0;
	entry = creds_entry(file, what->host, what->name, &key);
	if (entry) {
		AUTO_FREE char *where = xasprintf("%s: auths.%s", path, key);

		return creds_read_entry(entry, where, out, err);
	}
	return 0;
}

int creds_find(struct creds_store *s, const char *host, const char *name, struct creds *out,
			   struct error *err)
{
	AUTO(creds) struct creds found = {0};
	AUTO(strv) struct strv files = {0};
	const char *inline_text = s->file ? NULL : getenv("DOCKER_AUTH_CONFIG");
	const struct search what = {s, host, name};

	if (inline_text && *inline_text) {
		AUTO_JSON json_t *doc = NULL;

		if (parse_file(span_of(inline_text), "$DOCKER_AUTH_CONFIG", &doc, err) < 0 ||
			find_in(&what, "$DOCKER_AUTH_CONFIG", doc, &found, err) < 0)
			return -1;
	}
	list_files(s, &files);
	for (size_t i = 0; i < files.count && !found.username; i++) {
		AUTO_JSON json_t *doc = NULL;

		if (load_file(s, files.items[i], &doc, err) < 0 ||
			find_in(&what, files.items[i], doc, &found, err) < 0)
			return -1;
	}
	*out = MOVE(found);
	return 0;
}

/* A link to the file stays a link. */
static int write_file(const char *path, const json_t *doc, struct error *err)
{
	AUTO_FREE char *real = realpath(path, NULL);
	AUTO_FREE char *dir = fs_dirname(path);
	AUTO(buf) struct buf text = {0};
	int rc;

	if (!real && fs_mkdirs(dir, 0700, err) < 0)
		return -1;
	doc_json_write_pretty(doc, &text);
	rc = fs_write_atomic(real ? real : path, text.data, text.len, 0600, err);
	explicit_bzero(text.data, text.cap);
	return rc;
}

static const char *file_key(const char *host)
{
	return strcmp(host, CREDS_DOCKER_HUB) == 0 ? CREDS_DOCKER_HUB_KEY : host;
}

static json_t *make_entry(const struct creds *c)
{
	AUTO(buf) struct buf plain = {0};
	AUTO(buf) struct buf encoded = {0};
	json_t *entry;

	buf_addf(&plain, "%s:%s", c->username, c->password ? c->password : "");
	base64_encode(plain.data, plain.len, &encoded);
	entry = json_pack("{s:s}", "auth", buf_str(&encoded));
	if (c->identity_token)
		json_object_set_new(entry, "identitytoken", json_string(c->identity_token));
	explicit_bzero(plain.data, plain.cap);
	explicit_bzero(encoded.data, encoded.cap);
	return entry;
}

/* Where a host's credentials are found first, or would be looked for last. */
static int choose_file(const struct creds_store *s, const char *host, char **path, json_t **doc,
					   struct error *err)
{
	AUTO(strv) struct strv files = {0};

	list_files(s, &files);
	for (size_t i = 0; i < files.count; i++) {
		AUTO_JSON json_t *file = NULL;
		const char *key = NULL;

		if (load_file(s, files.items[i], &file, err) < 0)
			return -1;
		if (i + 1 == files.count || creds_helper_name(file, host) ||
			creds_entry(file, host, NULL, &key)) {
			*path = xstrdup(files.items[i]);
			*doc = TAKE(file);
			return 0;
		}
	}
	err_set(err, ERR_MISSING, "there is no place to keep credentials");
	return err_hint(err, "set HOME or DOCKER_CONFIG");
}

int creds_save(struct creds_store *s, const char *host, const struct creds *c, char **where,
			   struct error *err)
{
	AUTO_FREE char *path = NULL;
	AUTO_JSON json_t *doc = NULL;
	json_t *auths;
	const char *helper;
	const char *old = NULL;

	if (choose_file(s, host, &path, &doc, err) < 0)
		return -1;
	helper = creds_helper_name(doc, host);
	if (helper) {
		if (creds_helper_store(&(struct creds_helper){helper, s->cancel}, host, c, err) < 0)
			return -1;
		*where = xasprintf("docker-credential-%s", helper);
		return 0;
	}
	auths = json_object_get(doc, "auths");
	if (!json_is_object(auths)) {
		auths = json_object();
		json_object_set_new(doc, "auths", auths);
	}
	if (creds_entry(doc, host, NULL, &old))
		json_object_set_new(auths, old, make_entry(c));
	else
		json_object_set_new(auths, file_key(host), make_entry(c));
	if (write_file(path, doc, err) < 0)
		return -1;
	*where = TAKE(path);
	return 0;
}

/* Take a host out of one file and the helper it names. */
static int erase_from(const struct creds_store *s, const char *path, const char *host, char **where,
					  struct error *err)
{
	AUTO_JSON json_t *doc = NULL;
	const char *helper;
	const char *key = NULL;
	bool erased = false;
	bool changed = false;

	if (load_file(s, path, &doc, err) < 0)
		return -1;
	helper = creds_helper_name(doc, host);
	if (helper &&
		creds_helper_erase(&(struct creds_helper){helper, s->cancel}, host, &erased, err) < 0)
		return -1;
	if (erased && !*where)
		*where = xasprintf("docker-credential-%s", helper);
	while (creds_entry(doc, host, NULL, &key)) {
		json_object_del(json_object_get(doc, "auths"), key);
		changed = true;
	}
	if (!changed)
		return 0;
	if (write_file(path, doc, err) < 0)
		return -1;
	if (!*where)
		*where = xstrdup(path);
	return 0;
}

int creds_erase(struct creds_store *s, const char *host, char **where, struct error *err)
{
	AUTO(strv) struct strv files = {0};
	AUTO_FREE char *from = NULL;

	list_files(s, &files);
	for (size_t i = 0; i < files.count; i++)
		if (erase_from(s, files.items[i], host, &from, err) < 0)
			return -1;
	if (!from)
		return err_set(err, ERR_MISSING, "no credentials are kept for %s", host);
	*where = TAKE(from);
	return 0;
}
