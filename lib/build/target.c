#include "build/target.h"

#include "base/auto.h"
#include "base/buf.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Debian's cross compilers (wiki.debian.org/Multiarch/Tuples). */
static const struct {
	const char *arch, *variant; /* NULL: whichever */
	struct build_target target;
} targets[] = {
	{"amd64",
	 NULL,
	 {"x86_64-linux-gnu", "x86_64-linux-gnu", "amd64", "x86-64-linux-gnu", "x86_64", "x86_64",
	  false, ""}},
	{"arm64",
	 NULL,
	 {"aarch64-linux-gnu", "aarch64-linux-gnu", "arm64", "aarch64-linux-gnu", "aarch64", "aarch64",
	  false, ""}},
	{"arm",
	 "v5",
	 {"arm-linux-gnueabi", "arm-linux-gnueabi", "armel", "arm-linux-gnueabi", "armv5tel", "arm",
	  false, ""}},
	{"arm",
	 "v6",
	 {"arm-linux-gnueabi", "arm-linux-gnueabi", "armel", "arm-linux-gnueabi", "armv6l", "arm",
	  false, ""}},
	{"arm",
	 NULL,
	 {"arm-linux-gnueabihf", "arm-linux-gnueabihf", "armhf", "arm-linux-gnueabihf", "armv7l", "arm",
	  false, ""}},
	{"386",
	 NULL,
	 {"i686-linux-gnu", "i386-linux-gnu", "i386", "i686-linux-gnu", "i686", "x86", false, ""}},
	{"riscv64",
	 NULL,
	 {"riscv64-linux-gnu", "riscv64-linux-gnu", "riscv64", "riscv64-linux-gnu", "riscv64",
	  "riscv64", false, ""}},
	{"ppc64le",
	 NULL,
	 {"powerpc64le-linux-gnu", "powerpc64le-linux-gnu", "ppc64el", "powerpc64le-linux-gnu",
	  "ppc64le", "ppc64", false, ""}},
	{"s390x",
	 NULL,
	 {"s390x-linux-gnu", "s390x-linux-gnu", "s390x", "s390x-linux-gnu", "s390x", "s390x", true,
	  ""}},
	{"mips64le",
	 NULL,
	 {"mips64el-linux-gnuabi64", "mips64el-linux-gnuabi64", "mips64el", "mips64el-linux-gnuabi64",
	  "mips64", "mips64", false, ""}},
};

/* Variants as the image-spec's image-index.md lists them; flags beyond the compiler's own
 * default. */
static const struct {
	const char *arch, *variant, *flags;
} variants[] = {
	{"amd64", "v1", ""},
	{"amd64", "v2", "-march=x86-64-v2"},
	{"amd64", "v3", "-march=x86-64-v3"},
	{"amd64", "v4", "-march=x86-64-v4"},
	{"arm", "v5", ""},
	{"arm", "v6", "-march=armv6"},
	{"arm", "v7", ""},
	{"arm64", "v8", ""},
	{"arm64", "v8.1", "-march=armv8.1-a"},
	{"arm64", "v8.2", "-march=armv8.2-a"},
	{"arm64", "v9", "-march=armv9-a"},
	{"ppc64le", "power8", "-mcpu=power8"},
	{"ppc64le", "power9", "-mcpu=power9"},
	{"ppc64le", "power10", "-mcpu=power10"},
	{"riscv64", "rva20u64", ""},
};

static int find_flags(const struct oci_platform *platform, const char **flags, struct error *err)
{
	AUTO(buf) struct buf known = {0};

	for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
		if (strcmp(variants[i].arch, platform->arch) != 0)
			continue;
		buf_addf(&known, "%s%s", known.len ? ", " : "", variants[i].variant);
		if (strcmp(variants[i].variant, platform->variant) != 0)
			continue;
		*flags = variants[i].flags;
		return 0;
	}
	err_set(err, ERR_INPUT, "%s has no variant '%s'", platform->arch, platform->variant);
	if (known.len)
		err_hint(err, "it has %s", buf_str(&known));
	else
		err_hint(err, "write it as %s/%s", platform->os, platform->arch);
	return -1;
}

int build_target_find(const struct oci_platform *platform, struct build_target *out,
					  struct error *err)
{
	const char *flags = "";

	if (platform->variant[0] && find_flags(platform, &flags, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		if (strcmp(targets[i].arch, platform->arch) != 0 ||
			(targets[i].variant && strcmp(targets[i].variant, platform->variant) != 0))
			continue;
		*out = targets[i].target;
		out->flags = flags;
		return 0;
	}
	err_set(err, ERR_INPUT, "cannot compile for %s/%s", platform->os, platform->arch);
	return err_hint(err, "amd64, arm64, arm/v5 to v7, 386, riscv64, ppc64le, s390x and mips64le "
						 "have compilers");
}

/* "CC=aarch64-linux-gnu-gcc --sysroot=/sys -march=armv9-a"; the user's own choice only where it
 * can compile for the platform, too. */
static void add_compiler(const char *const tool[2], const struct build_target *target,
						 bool is_cross, const char *sysroot, struct strv *env)
{
	const char *own = getenv(tool[0]);
	AUTO(buf) struct buf value = {0};

	if (is_cross)
		buf_addf(&value, "%s-%s", target->triplet, tool[1]);
	else
		buf_adds(&value, own && *own ? own : tool[1]);
	if (sysroot)
		buf_addf(&value, " --sysroot=%s", sysroot);
	if (target->flags[0])
		buf_addf(&value, " %s", target->flags);
	strv_addf(env, "%s=%s", tool[0], buf_str(&value));
}

void build_target_env(const struct oci_platform *platform, const struct build_target *target,
					  bool is_cross, const char *sysroot, struct strv *env)
{
	static const char *const others[][2] = {{"AR", "ar"}, {"RANLIB", "ranlib"}, {"STRIP", "strip"}};
	AUTO_FREE char *text = oci_platform_text(platform);
	const char *root = sysroot ? sysroot : "";

	strv_addf(env, "MSCTL_PLATFORM=%s", text);
	strv_addf(env, "MSCTL_ARCH=%s", platform->arch);
	strv_addf(env, "MSCTL_TRIPLET=%s", target->triplet);
	if (!is_cross && !sysroot && !target->flags[0])
		return;
	add_compiler((const char *const[]){"CC", "gcc"}, target, is_cross, sysroot, env);
	add_compiler((const char *const[]){"CXX", "g++"}, target, is_cross, sysroot, env);
	for (size_t i = 0; is_cross && i < ARRAY_LEN(others); i++)
		strv_addf(env, "%s=%s-%s", others[i][0], target->triplet, others[i][1]);
	if (!is_cross && !sysroot)
		return;
	strv_addf(env, "PKG_CONFIG_LIBDIR=%s/usr/lib/%s/pkgconfig:%s/usr/share/pkgconfig", root,
			  target->multiarch, root);
	if (sysroot)
		strv_addf(env, "PKG_CONFIG_SYSROOT_DIR=%s", sysroot);
}

/* "'gcc', '-march=armv6'" from the words of a variable. */
static void add_words(struct buf *out, const char *key, const char *words)
{
	const char *comma = "";

	buf_addf(out, "%s = [", key);
	while (*words) {
		size_t len = strcspn(words, " ");

		buf_addf(out, "%s'%.*s'", comma, (int)len, words);
		comma = ", ";
		words += len + strspn(words + len, " ");
	}
	buf_adds(out, "]\n");
}

char *build_target_meson(const struct build_target *target, const char *sysroot)
{
	static const struct {
		const char *variable, *key;
	} binaries[] = {{"CC=", "c"}, {"CXX=", "cpp"}, {"AR=", "ar"}, {"STRIP=", "strip"}};
	const struct oci_platform none = {0};
	AUTO(strv) struct strv env = {0};
	AUTO(buf) struct buf out = {0};

	build_target_env(&none, target, true, sysroot, &env);
	buf_adds(&out, "[binaries]\n");
	for (size_t i = 0; i < ARRAY_LEN(binaries); i++)
		for (size_t k = 0; k < env.count; k++)
			if (strncmp(env.items[k], binaries[i].variable, strlen(binaries[i].variable)) == 0)
				add_words(&out, binaries[i].key, env.items[k] + strlen(binaries[i].variable));
	buf_adds(&out, "pkgconfig = 'pkg-config'\n\n[properties]\n");
	buf_addf(&out, "pkg_config_libdir = ['%s/usr/lib/%s/pkgconfig', '%s/usr/share/pkgconfig']\n",
			 sysroot ? sysroot : "", target->multiarch, sysroot ? sysroot : "");
	if (sysroot)
		buf_addf(&out, "sys_root = '%s'\n", sysroot);
	buf_addf(&out,
			 "\n[host_machine]\nsystem = 'linux'\ncpu_family = '%s'\ncpu = '%s'\nendian = '%s'\n",
			 target->family, target->processor, target->is_big_endian ? "big" : "little");
	return buf_take(&out);
}
