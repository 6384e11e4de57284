#include "build/private.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define CERTIFICATES "/etc/ssl/certs/ca-certificates.crt"
#define TIMEZONES "/usr/share/zoneinfo"

static bool is_id(const char *text)
{
	int64_t id;

	return text_to_int(text, 0, UINT32_MAX, &id);
}

/* Programs ask for the name of who they are; an image from nothing must have an answer. */
static int add_accounts(struct build *b, struct error *err)
{
	const char *user = b->project->build.user;
	size_t len = strcspn(user, ":");
	AUTO_FREE char *uid = xstrndup(user, len);
	const char *gid = user[len] ? user + len + 1 : "0";
	AUTO(buf) struct buf passwd = {0};
	AUTO(buf) struct buf group = {0};

	if (!is_id(uid) || !is_id(gid)) {
		err_set(err, ERR_INPUT, "build.user is '%s': without a base there are no names", user);
		return err_hint(err, "write numbers, as in user: \"65532:65532\"");
	}
	buf_adds(&passwd, "root:x:0:0:root:/root:/sbin/nologin\n");
	if (strcmp(uid, "0") != 0)
		buf_addf(&passwd, "app:x:%s:%s:app:/nonexistent:/sbin/nologin\n", uid, gid);
	buf_adds(&group, "root:x:0:\n");
	if (strcmp(gid, "0") != 0)
		buf_addf(&group, "app:x:%s:\n", gid);
	if (tree_add_data(&b->tree, TREE_SYSTEM, "etc/passwd", buf_str(&passwd), err) < 0 ||
		tree_add_data(&b->tree, TREE_SYSTEM, "etc/group", buf_str(&group), err) < 0)
		return -1;
	/* without it glibc asks DNS before /etc/hosts */
	return tree_add_data(&b->tree, TREE_SYSTEM, "etc/nsswitch.conf",
						 "passwd: files\ngroup: files\nhosts: files dns\n", err);
}

static int add_certificates(struct build *b, struct error *err)
{
	struct stat st;

	if (stat(CERTIFICATES, &st) < 0) {
		err_errno(err, "build.certificates: cannot stat " CERTIFICATES);
		return err_hint(err, "install the package ca-certificates");
	}
	return tree_add_file(&b->tree, TREE_SYSTEM, CERTIFICATES, CERTIFICATES, &st, err);
}

static int add_timezone(void *user, const struct fs_entry *e, struct error *err)
{
	struct build *b = user;
	AUTO_FREE char *path = fs_join(TIMEZONES, e->path);
	char target[4096];
	ssize_t n;

	if (S_ISDIR(e->st.st_mode))
		return 0;
	if (!S_ISLNK(e->st.st_mode))
		return tree_add_file(&b->tree, TREE_SYSTEM, path, e->full_path, &e->st, err);
	n = readlink(e->full_path, target, sizeof(target) - 1);
	if (n < 0)
		return err_errno(err, "cannot read link %s", e->full_path);
	target[n] = '\0';
	/* links to this machine's own settings stay here */
	return target[0] == '/' ? 0 : tree_add_link(&b->tree, TREE_SYSTEM, path, target, err);
}

static int add_timezones(struct build *b, struct error *err)
{
	if (fs_walk(TIMEZONES, add_timezone, b, err) == 0)
		return 0;
	err_wrap(err, "build.timezones");
	return err_hint(err, "install the package tzdata");
}

int build_system(struct build *b, struct error *err)
{
	const struct project_build *p = &b->project->build;

	if (!b->base.bytes &&
		(add_accounts(b, err) < 0 || tree_add_dir(&b->tree, TREE_SYSTEM, "tmp", 01777, err) < 0))
		return -1;
	if (p->certificates && add_certificates(b, err) < 0)
		return -1;
	if (p->timezones && add_timezones(b, err) < 0)
		return -1;
	return 0;
}
