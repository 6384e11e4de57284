/* Who the container's program is, inside and outside. */
#include "runtime/private.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"

#include <pwd.h>
#include <string.h>

#define MAX_FIELDS 8

static bool to_id(const char *text, uint32_t *out)
{
	int64_t v;

	if (!text_to_int(text, 0, UINT32_MAX - 1, &v))
		return false;
	*out = (uint32_t)v;
	return true;
}

/* Cut the next line off *rest and its fields at ':'. Returns the number of fields; 0 at the end. */
static size_t next_fields(char **rest, char *fields[MAX_FIELDS])
{
	char *line = *rest;
	size_t count = 0;

	memset(fields, 0, MAX_FIELDS * sizeof(fields[0]));
	if (!line || !*line)
		return 0;
	*rest = strchr(line, '\n');
	if (*rest)
		*(*rest)++ = '\0';
	while (line && count < MAX_FIELDS) {
		fields[count++] = line;
		line = strchr(line, ':');
		if (line)
			*line++ = '\0';
	}
	return count;
}

/* NAME:x:UID:GID: find by name or, for a number, by uid. */
static bool find_user(const char *passwd, const char *user, struct account *out, char **name)
{
	AUTO_FREE char *copy = xstrdup(passwd);
	char *rest = copy, *f[MAX_FIELDS];
	size_t n;

	while ((n = next_fields(&rest, f)) > 0) {
		uint32_t uid, gid;

		if (n < 4 || !to_id(f[2], &uid) || !to_id(f[3], &gid))
			continue;
		if (strcmp(f[0], user) != 0 && strcmp(f[2], user) != 0)
			continue;
		out->uid = uid;
		out->gid = gid;
		*name = xstrdup(f[0]);
		return true;
	}
	return false;
}

static bool lists_member(char *members, const char *name)
{
	size_t len = strlen(name);

	for (; *members; members += *members == ',')
		if (strncmp(members, name, len) == 0 && (members[len] == ',' || !members[len]))
			return true;
		else
			members += strcspn(members, ",");
	return false;
}

/* NAME:x:GID:MEMBERS: the gid of a group. */
static bool find_group(const char *text, const char *group, uint32_t *out)
{
	AUTO_FREE char *copy = xstrdup(text);
	char *rest = copy, *f[MAX_FIELDS];
	size_t n;

	while ((n = next_fields(&rest, f)) > 0)
		if (n >= 3 && strcmp(f[0], group) == 0 && to_id(f[2], out))
			return true;
	return false;
}

/* All groups that list the name. */
static void find_memberships(const char *text, const char *name, struct account *out)
{
	AUTO_FREE char *copy = xstrdup(text);
	char *rest = copy, *f[MAX_FIELDS];
	size_t n;

	while ((n = next_fields(&rest, f)) > 0) {
		uint32_t gid;

		if (n > 3 && to_id(f[2], &gid) && lists_member(f[3], name) &&
			out->group_count < ARRAY_LEN(out->groups))
			out->groups[out->group_count++] = gid;
	}
}

static int unknown(const char *what, const char *name, struct error *err)
{
	err_set(err, ERR_MISSING, "the image has no %s '%s'", what, name);
	return err_hint(err, "give it as a number with --user");
}

int bundle_account(const struct runtime_bundle *b, const char *user, struct account *out,
				   struct error *err)
{
	AUTO(buf) struct buf passwd = {0}, groups = {0};
	AUTO_FREE char *who = xstrdup(user && user[0] ? user : "0");
	AUTO_FREE char *name = NULL;
	char *group = strchr(who, ':');
	struct account a = {0};
	struct error ignored;

	if (group)
		*group++ = '\0';
	/* an image without these files has numbers only */
	bundle_read_file(b, "/etc/passwd", &passwd, &ignored);
	bundle_read_file(b, "/etc/group", &groups, &ignored);
	if (!find_user(buf_str(&passwd), who, &a, &name) && !to_id(who, &a.uid))
		return unknown("user", who, err);
	if (group) {
		if (!to_id(group, &a.gid) && !find_group(buf_str(&groups), group, &a.gid))
			return unknown("group", group, err);
	} else if (name) {
		find_memberships(buf_str(&groups), name, &a);
	}
	*out = a;
	return 0;
}

/* subuid(5): NAME-or-UID:START:COUNT, the first line of ours. */
static bool find_subordinate(const char *path, const char *name, struct id_range *out)
{
	AUTO(buf) struct buf text = {0};
	AUTO_FREE char *copy = NULL;
	char *rest, *f[MAX_FIELDS], uid[16];
	struct error ignored;
	size_t n;

	snprintf(uid, sizeof(uid), "%u", (unsigned)getuid());
	if (fs_read(path, RUNTIME_MAX_ACCOUNTS, &text, &ignored) < 0)
		return false;
	copy = xstrdup(buf_str(&text));
	for (rest = copy; (n = next_fields(&rest, f)) > 0;)
		if (n == 3 && (strcmp(f[0], name) == 0 || strcmp(f[0], uid) == 0) &&
			to_id(f[1], &out->outside) && to_id(f[2], &out->size) && out->size > 0)
			return true;
	return false;
}

void id_map_self(struct id_map *out)
{
	*out = (struct id_map){.used = true,
						   .single = true,
						   .count = 1,
						   .uids = {{0, getuid(), 1}},
						   .gids = {{0, getgid(), 1}}};
}

void id_map_choose(struct id_map *out)
{
	struct id_map m = {0};
	struct passwd entry, *found = NULL;
	char text[4096];
	AUTO_FREE char *helper = proc_find("newuidmap");

	id_map_self(&m);
	m.uids[1].inside = m.gids[1].inside = 1;
	getpwuid_r(getuid(), &entry, text, sizeof(text), &found);
	if (helper && find_subordinate("/etc/subuid", found ? found->pw_name : "", &m.uids[1]) &&
		find_subordinate("/etc/subgid", found ? found->pw_name : "", &m.gids[1])) {
		m.single = false;
		m.count = 2;
	}
	*out = m;
}
