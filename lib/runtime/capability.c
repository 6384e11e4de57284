/* The capabilities of a container's first process: little for root, those of its own file for
 * everybody else. */
#include "runtime/private.h"

#include "base/mem.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/xattr.h>

static const struct {
	unsigned number;
	const char *name;
	bool is_roots; /* what root of a service may need; others only if its file says so */
} known[] = {
	{CAP_CHOWN, "CAP_CHOWN", true},      {CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE", true},
	{CAP_FOWNER, "CAP_FOWNER", true},    {CAP_FSETID, "CAP_FSETID", true},
	{CAP_KILL, "CAP_KILL", true},        {CAP_SETGID, "CAP_SETGID", true},
	{CAP_SETUID, "CAP_SETUID", true},    {CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE", true},
	{CAP_NET_RAW, "CAP_NET_RAW", false}, {CAP_SYS_CHROOT, "CAP_SYS_CHROOT", false},
};

static uint64_t bit(unsigned number)
{
	return 1ull << number;
}

static uint32_t little_endian(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint64_t capability_of_file(const uint8_t *value, size_t len, bool *is_effective)
{
	uint32_t magic = len >= XATTR_CAPS_SZ_1 ? little_endian(value) : 0;
	uint32_t revision = magic & VFS_CAP_REVISION_MASK;

	*is_effective = magic & VFS_CAP_FLAGS_EFFECTIVE;
	if ((revision == VFS_CAP_REVISION_2 && len == XATTR_CAPS_SZ_2) ||
		(revision == VFS_CAP_REVISION_3 && len == XATTR_CAPS_SZ_3))
		return little_endian(value + 4) | (uint64_t)little_endian(value + 12) << 32;
	return revision == VFS_CAP_REVISION_1 ? little_endian(value + 4) : 0;
}

/* The kernel would refuse to execute it, without a word about why. */
static int refuse(const struct runtime_bundle *b, uint64_t extra, struct error *err)
{
	err_set(err, ERR_DENIED, "%s: %s has file capabilities that msctl run does not give: %#llx",
			b->name, b->args.items[0], (unsigned long long)extra);
	return err_hint(err, "run it by another engine, or take them out of build.capabilities");
}

int bundle_file_capabilities(struct runtime_bundle *b, struct error *err)
{
	AUTO_CLOSE int fd = bundle_open_program(b);
	AUTO_FREE char *path = xasprintf("/proc/self/fd/%d", fd);
	uint8_t value[XATTR_CAPS_SZ_3];
	uint64_t wanted, given = 0;
	bool is_effective;
	ssize_t len = fd < 0 ? -1 : getxattr(path, "security.capability", value, sizeof(value));

	if (len < 0)
		return 0;
	wanted = capability_of_file(value, (size_t)len, &is_effective);
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		given |= bit(known[i].number);
	if (is_effective && (wanted & ~given))
		return refuse(b, wanted & ~given, err);
	b->file_capabilities = wanted & given;
	return 0;
}

static json_t *names(uint64_t set)
{
	json_t *array = json_array();

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (set & bit(known[i].number))
			json_array_append_new(array, json_string(known[i].name));
	return array;
}

/* Not inheritable and not ambient: what the program starts has what its own files have, or less. */
json_t *bundle_capabilities(const struct runtime_bundle *b)
{
	uint64_t set = b->file_capabilities;

	for (size_t i = 0; b->account.uid == 0 && i < ARRAY_LEN(known); i++)
		if (known[i].is_roots)
			set |= bit(known[i].number);
	return json_pack("{s:o, s:o, s:o, s:[], s:[]}", "bounding", names(set), "effective", names(set),
					 "permitted", names(set), "inheritable", "ambient");
}
