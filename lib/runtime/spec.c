/* The runtime's configuration (runtime-spec 1.0, config.md and config-linux.md). */
#include "runtime/private.h"

#include "doc/json.h"

static json_t *words(const char *const *items)
{
	json_t *array = json_array();

	for (; *items; items++)
		json_array_append_new(array, json_string(*items));
	return array;
}

static json_t *texts(const struct strv *v)
{
	json_t *array = json_array();

	for (size_t i = 0; i < v->count; i++)
		json_array_append_new(array, json_string(v->items[i]));
	return array;
}

static json_t *process(const struct runtime_bundle *b)
{
	json_t *groups = json_array();

	for (size_t i = 0; i < b->account.group_count; i++)
		json_array_append_new(groups, json_integer(b->account.groups[i]));
	return json_pack("{s:b, s:{s:I, s:I, s:o}, s:o, s:o, s:s, s:o, s:b}", "terminal", 0, "user",
					 "uid", (json_int_t)b->account.uid, "gid", (json_int_t)b->account.gid,
					 "additionalGids", groups, "args", texts(&b->args), "env", texts(&b->env),
					 "cwd", b->cwd, "capabilities", bundle_capabilities(b), "noNewPrivileges", 1);
}

static void mount(json_t *mounts, const char *type, const char *at, const char *const *options)
{
	json_array_append_new(mounts, json_pack("{s:s, s:s, s:s, s:o}", "destination", at, "type", type,
											"source", type, "options", words(options)));
}

static json_t *mounts(const struct runtime_bundle *b)
{
#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})
	json_t *m = json_array();

	mount(m, "proc", "/proc", OPTIONS("nosuid", "noexec", "nodev"));
	mount(m, "tmpfs", "/dev", OPTIONS("nosuid", "strictatime", "mode=755", "size=65536k"));
	/* the group tty is not mapped in a small user namespace */
	if (b->map.used)
		mount(m, "devpts", "/dev/pts",
			  OPTIONS("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"));
	else
		mount(m, "devpts", "/dev/pts",
			  OPTIONS("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"));
	mount(m, "tmpfs", "/dev/shm", OPTIONS("nosuid", "noexec", "nodev", "mode=1777", "size=65536k"));
	mount(m, "mqueue", "/dev/mqueue", OPTIONS("nosuid", "noexec", "nodev"));
	/* sysfs belongs to the network namespace, which is the host's: a user namespace may only bind
	 * it */
	if (b->map.used)
		json_array_append_new(
			m, json_pack("{s:s, s:s, s:s, s:o}", "destination", "/sys", "type", "none", "source",
						 "/sys", "options",
						 words(OPTIONS("rbind", "nosuid", "noexec", "nodev", "ro"))));
	else
		mount(m, "sysfs", "/sys", OPTIONS("nosuid", "noexec", "nodev", "ro"));
	if (b->has_tmp)
		mount(m, "tmpfs", "/tmp", OPTIONS("nosuid", "nodev", "mode=1777"));
	for (size_t i = 0; i < b->binds.count; i++)
		json_array_append_new(m, json_pack("{s:s, s:s, s:s, s:o}", "destination",
										   b->binds.items[i].inside, "type", "none", "source",
										   b->binds.items[i].source, "options",
										   words(OPTIONS("rbind", "rprivate"))));
	return m;
}

static json_t *id_ranges(const struct id_range *ranges, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_pack("{s:I, s:I, s:I}", "containerID",
											   (json_int_t)ranges[i].inside, "hostID",
											   (json_int_t)ranges[i].outside, "size",
											   (json_int_t)ranges[i].size));
	return array;
}

static json_t *linux_part(const struct runtime_bundle *b)
{
	static const char *const masked[] = {"/proc/acpi",          "/proc/asound",
										 "/proc/kcore",         "/proc/keys",
										 "/proc/latency_stats", "/proc/sched_debug",
										 "/proc/scsi",          "/proc/timer_list",
										 "/proc/timer_stats",   "/sys/devices/virtual/powercap",
										 "/sys/firmware",       NULL};
	static const char *const read_only[] = {
		"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL};
	static const char *const namespaces[] = {"pid", "mount", "ipc", "uts", NULL};
	json_t *list = json_array();
	json_t *part;

	for (const char *const *n = namespaces; *n; n++)
		json_array_append_new(list, json_pack("{s:s}", "type", *n));
	if (b->map.used)
		json_array_append_new(list, json_pack("{s:s}", "type", "user"));
	part = json_pack("{s:o, s:o, s:o}", "namespaces", list, "maskedPaths", words(masked),
					 "readonlyPaths", words(read_only));
	if (b->map.used) {
		if (b->keep_owner)
			json_object_set_new(part, "seccomp", seccomp_keep_owner());
		json_object_set_new(part, "uidMappings", id_ranges(b->map.uids, b->map.count));
		json_object_set_new(part, "gidMappings", id_ranges(b->map.gids, b->map.count));
	}
	return part;
}

void bundle_spec(const struct runtime_bundle *b, struct buf *out)
{
	AUTO_JSON json_t *spec =
		json_pack("{s:s, s:o, s:{s:s, s:b}, s:s, s:o, s:o}", "ociVersion", "1.0.2", "process",
				  process(b), "root", "path", b->rootfs, "readonly", b->read_only, "hostname",
				  b->hostname, "mounts", mounts(b), "linux", linux_part(b));

	doc_json_write(spec, out);
}
