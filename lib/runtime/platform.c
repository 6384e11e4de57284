/* Whether programs of another architecture run here. */
#include "runtime/private.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

#define BINFMT_MISC "/proc/sys/fs/binfmt_misc"

/* As qemu calls it, whose packages register "qemu-NAME" with the kernel. */
static const char *emulator_name(const char *arch)
{
	static const struct {
		const char *arch, *name;
	} names[] = {{"arm64", "aarch64"},     {"amd64", "x86_64"},  {"386", "i386"},
				 {"mips64le", "mips64el"}, {"mipsle", "mipsel"}, {"loong64", "loongarch64"}};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i].arch, arch) == 0)
			return names[i].name;
	return arch;
}

bool platform_is_emulated(const char *binfmt_misc, const char *arch)
{
	AUTO_FREE char *path = xasprintf("%s/qemu-%s", binfmt_misc, emulator_name(arch));
	AUTO(buf) struct buf text = {0};
	struct error ignored;

	return !strchr(arch, '/') && fs_read_settled(path, 4096, &text, &ignored) == 0 &&
		   text_starts(buf_str(&text), "enabled");
}

/* Kernels for 64 bits run programs of their older kin. */
static bool is_native(const struct oci_platform *host, const struct oci_platform *p)
{
	return strcmp(host->arch, p->arch) == 0 ||
		   (strcmp(host->arch, "amd64") == 0 && strcmp(p->arch, "386") == 0);
}

int bundle_check_platform(const struct oci_platform *p, const char *name, const struct log *log,
						  struct error *err)
{
	struct oci_platform host;

	oci_platform_host(&host);
	if (strcmp(host.os, p->os) == 0 && is_native(&host, p))
		return 0;
	if (strcmp(host.os, p->os) == 0 && platform_is_emulated(BINFMT_MISC, p->arch)) {
		log_line(log, 1, "%s is for %s/%s: it is emulated", name, p->os, p->arch);
		return 0;
	}
	err_set(err, ERR_MISSING, "%s is for %s/%s, and this machine is %s/%s", name, p->os, p->arch,
			host.os, host.arch);
	return err_hint(err, "build or pull it for %s/%s%s", host.os, host.arch,
					strcmp(host.os, p->os) == 0 ? ", or install qemu-user-static" : "");
}
