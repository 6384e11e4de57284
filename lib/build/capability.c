#include "build/private.h"

#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>

#define MAX_NAME 64
#define REVISION_2 0x02000000u
#define EFFECTIVE 1u

/* by number (linux/capability.h) */
static const char *const names[] = {"cap_chown",
									"cap_dac_override",
									"cap_dac_read_search",
									"cap_fowner",
									"cap_fsetid",
									"cap_kill",
									"cap_setgid",
									"cap_setuid",
									"cap_setpcap",
									"cap_linux_immutable",
									"cap_net_bind_service",
									"cap_net_broadcast",
									"cap_net_admin",
									"cap_net_raw",
									"cap_ipc_lock",
									"cap_ipc_owner",
									"cap_sys_module",
									"cap_sys_rawio",
									"cap_sys_chroot",
									"cap_sys_ptrace",
									"cap_sys_pacct",
									"cap_sys_admin",
									"cap_sys_boot",
									"cap_sys_nice",
									"cap_sys_resource",
									"cap_sys_time",
									"cap_sys_tty_config",
									"cap_mknod",
									"cap_lease",
									"cap_audit_write",
									"cap_audit_control",
									"cap_setfcap",
									"cap_mac_override",
									"cap_mac_admin",
									"cap_syslog",
									"cap_wake_alarm",
									"cap_block_suspend",
									"cap_audit_read",
									"cap_perfmon",
									"cap_bpf",
									"cap_checkpoint_restore",
									NULL};

#define ALL ((1ull << (ARRAY_LEN(names) - 1)) - 1)

struct sets {
	uint64_t effective, inheritable, permitted;
};

static int unknown(const char *name, struct error *err)
{
	AUTO_FREE char *longer = xasprintf("cap_%s", name);
	const char *nearest = text_nearest(name, names);

	if (!nearest)
		nearest = text_nearest(longer, names);
	err_set(err, ERR_INPUT, "'%s' is no capability", name);
	if (nearest)
		return err_hint(err, "did you mean '%s'?", nearest);
	return err_hint(err, "capabilities(7) lists them");
}

static int add_name(const char *text, size_t len, uint64_t *mask, struct error *err)
{
	char name[MAX_NAME + 1] = "";

	for (size_t i = 0; i < len && i < MAX_NAME; i++)
		name[i] = (char)tolower((unsigned char)text[i]);
	if (strcmp(name, "all") == 0) {
		*mask |= ALL;
		return 0;
	}
	for (size_t i = 0; names[i]; i++) {
		if (strcmp(name, names[i]) != 0)
			continue;
		*mask |= 1ull << i;
		return 0;
	}
	return unknown(name, err);
}

/* "cap_a,cap_b" in front of an operator; nothing in front of '=' means all. */
static int read_names(const char **at, uint64_t *mask, struct error *err)
{
	const char *p = *at;

	*mask = 0;
	while (*p && !isspace((unsigned char)*p) && !strchr("=+-", *p)) {
		size_t len = strcspn(p, ",=+- \t\n");

		if (add_name(p, len, mask, err) < 0)
			return -1;
		p += len;
		p += *p == ',' && !strchr("=+-,", p[1]);
	}
	if (p == *at && *p == '=')
		*mask = ALL;
	*at = p;
	return 0;
}

static void apply(struct sets *s, char op, uint64_t mask, const char *flags, size_t len)
{
	struct {
		char flag;
		uint64_t *set;
	} const all[] = {{'e', &s->effective}, {'i', &s->inheritable}, {'p', &s->permitted}};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		bool is_given = memchr(flags, all[i].flag, len) != NULL;

		if (op == '=' || (op == '-' && is_given))
			*all[i].set &= ~mask;
		if (op != '-' && is_given)
			*all[i].set |= mask;
	}
}

static int read_clause(const char **at, struct sets *s, struct error *err)
{
	const char *p = *at;
	uint64_t mask;

	if (read_names(&p, &mask, err) < 0)
		return -1;
	if (mask == 0 || *p == '\0' || !strchr("=+-", *p)) {
		err_set(err, ERR_INPUT, "'%.*s' is no clause of capabilities", (int)strcspn(*at, " \t\n"),
				*at);
		return err_hint(err, "write them like 'cap_net_bind_service=ep'");
	}
	while (*p && strchr("=+-", *p)) {
		char op = *p++;
		size_t len = strspn(p, "eip");

		apply(s, op, mask, p, len);
		p += len;
	}
	if (*p && !isspace((unsigned char)*p)) {
		err_set(err, ERR_INPUT, "'%c' is no flag of capabilities", *p);
		return err_hint(err, "flags are e (effective), i (inheritable) and p (permitted)");
	}
	*at = p;
	return 0;
}

static void put_le32(uint8_t *out, uint64_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (8 * i));
}

int capability_parse(const char *text, uint8_t out[CAPABILITY_BYTES], struct error *err)
{
	struct sets s = {0};

	for (const char *p = text; *(p += strspn(p, " \t\n"));)
		if (read_clause(&p, &s, err) < 0)
			return -1;
	if ((s.permitted | s.inheritable) == 0) {
		err_set(err, ERR_INPUT, "'%s' gives no capability", text);
		return err_hint(err, "write it like 'cap_net_bind_service=ep'");
	}
	if (s.effective != 0 && s.effective != (s.permitted | s.inheritable)) {
		err_set(err, ERR_INPUT, "'%s': a file's capabilities are effective all or none", text);
		return err_hint(err, "give the flag e to each of them, or to none");
	}
	put_le32(out, REVISION_2 | (s.effective ? EFFECTIVE : 0));
	put_le32(out + 4, s.permitted);
	put_le32(out + 8, s.inheritable);
	put_le32(out + 12, s.permitted >> 32);
	put_le32(out + 16, s.inheritable >> 32);
	return 0;
}

static uint64_t get_le32(const uint8_t *in)
{
	return in[0] | in[1] << 8 | in[2] << 16 | (uint64_t)in[3] << 24;
}

static void add_clause(struct buf *out, uint64_t mask, const char *flags)
{
	const char *between = out->len > 0 ? " " : "";

	for (size_t i = 0; names[i]; i++) {
		if (!(mask >> i & 1))
			continue;
		buf_addf(out, "%s%s", between, names[i]);
		between = ",";
	}
	if (mask)
		buf_addf(out, "=%s", flags);
}

char *capability_text(const uint8_t *value, size_t len)
{
	AUTO(buf) struct buf out = {0};
	bool is_known = len == CAPABILITY_BYTES && (get_le32(value) & ~EFFECTIVE) == REVISION_2;
	bool effective = is_known && get_le32(value) & EFFECTIVE;
	uint64_t permitted = is_known ? get_le32(value + 4) | get_le32(value + 12) << 32 : 0;
	uint64_t inheritable = is_known ? get_le32(value + 8) | get_le32(value + 16) << 32 : 0;

	if ((permitted | inheritable) == 0 || (permitted | inheritable) & ~ALL) {
		for (size_t i = 0; i < len; i++)
			buf_addf(&out, "%02x", value[i]);
		return buf_take(&out);
	}
	add_clause(&out, permitted & ~inheritable, effective ? "ep" : "p");
	add_clause(&out, inheritable & ~permitted, effective ? "ei" : "i");
	add_clause(&out, permitted & inheritable, effective ? "eip" : "ip");
	return buf_take(&out);
}

static int give(struct build *b, const char *path, const char *text, struct error *err)
{
	AUTO_FREE char *at = NULL;
	struct tree_node *n;

	if (tree_resolve(&b->tree, path, true, &at, err) < 0)
		return -1;
	n = map_get(&b->tree.nodes, at);
	if (!n) {
		err_set(err, ERR_INPUT, "the image has no such file");
		return err_hint(err, "let build.copy bring it, or mend the path");
	}
	if (n->type != TREE_FILE || n->layer == TREE_BASE) {
		err_set(err, ERR_INPUT, "%s",
				n->type != TREE_FILE ? "is no regular file in the image"
									 : "is the base image's and stays as it is");
		return err_hint(err, "name a program that build.copy brings");
	}
	if (capability_parse(text, n->capability, err) < 0)
		return -1;
	n->has_capability = true;
	return 0;
}

int build_capabilities(struct build *b, struct error *err)
{
	const char *path;
	json_t *text;

	json_object_foreach(b->project->build.capabilities, path, text)
	{
		if (give(b, path, json_string_value(text), err) < 0)
			return err_wrap(err, "%s: build.capabilities: %s", b->project->file, path);
	}
	return 0;
}
