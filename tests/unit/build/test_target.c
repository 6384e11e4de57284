#include "base/auto.h"
#include "base/buf.h"
#include "base/mem.h"
#include "build/target.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct build_target find(const char *text, struct oci_platform *platform)
{
	struct build_target t = {0};
	struct error err = {0};

	cr_assert_eq(oci_platform_parse(text, platform, &err), 0);
	cr_assert_eq(build_target_find(platform, &t, &err), 0, "%s: %s", text, err.msg);
	return t;
}

Test(target, debian_names_of_platforms)
{
	static const struct {
		const char *platform, *triplet, *debian, *flags;
	} cases[] = {
		{"linux/amd64", "x86_64-linux-gnu", "amd64", ""},
		{"linux/amd64/v1", "x86_64-linux-gnu", "amd64", ""},
		{"linux/amd64/v3", "x86_64-linux-gnu", "amd64", "-march=x86-64-v3"},
		{"linux/arm64", "aarch64-linux-gnu", "arm64", ""},
		{"linux/arm64/v8", "aarch64-linux-gnu", "arm64", ""},
		{"linux/arm", "arm-linux-gnueabihf", "armhf", ""},
		{"linux/arm/v7", "arm-linux-gnueabihf", "armhf", ""},
		{"linux/arm/v6", "arm-linux-gnueabi", "armel", "-march=armv6"},
		{"linux/arm/v5", "arm-linux-gnueabi", "armel", ""},
		{"linux/386", "i686-linux-gnu", "i386", ""},
		{"linux/riscv64", "riscv64-linux-gnu", "riscv64", ""},
		{"linux/ppc64le", "powerpc64le-linux-gnu", "ppc64el", ""},
		{"linux/ppc64le/power9", "powerpc64le-linux-gnu", "ppc64el", "-mcpu=power9"},
		{"linux/s390x", "s390x-linux-gnu", "s390x", ""},
		{"linux/mips64le", "mips64el-linux-gnuabi64", "mips64el", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct oci_platform platform;
		struct build_target t = find(cases[i].platform, &platform);

		cr_expect_str_eq(t.triplet, cases[i].triplet, "%s", cases[i].platform);
		cr_expect_str_eq(t.debian, cases[i].debian, "%s", cases[i].platform);
		cr_expect_str_eq(t.flags, cases[i].flags, "%s", cases[i].platform);
	}
}

Test(target, what_nothing_compiles_for)
{
	static const char *const cases[][2] = {
		{"linux/amd64/v9", "amd64 has no variant 'v9'"},
		{"linux/s390x/z", "s390x has no variant 'z'"},
		{"linux/sparc", "cannot compile for linux/sparc"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct build_target t;
		struct oci_platform platform;
		struct error err = {0};

		cr_assert_eq(oci_platform_parse(cases[i][0], &platform, &err), 0);
		cr_assert_eq(build_target_find(&platform, &t, &err), -1, "%s", cases[i][0]);
		cr_expect_eq(err.code, ERR_INPUT);
		cr_expect_str_eq(err.msg, cases[i][1]);
		cr_expect(err.hint[0]);
	}
}

static char *env_of(const char *text, bool is_cross, const char *sysroot)
{
	struct oci_platform platform;
	struct build_target t = find(text, &platform);
	AUTO(strv) struct strv env = {0};
	AUTO(buf) struct buf out = {0};

	build_target_env(&platform, &t, is_cross, sysroot, &env);
	for (size_t i = 0; i < env.count; i++)
		buf_addf(&out, "%s\n", env.items[i]);
	return buf_take(&out);
}

Test(target, what_steps_are_told)
{
	static const struct {
		const char *platform;
		bool is_cross;
		const char *sysroot, *env;
	} cases[] = {
		{"linux/amd64", false, NULL,
		 "MSCTL_PLATFORM=linux/amd64\nMSCTL_ARCH=amd64\nMSCTL_TRIPLET=x86_64-linux-gnu\n"},
		{"linux/amd64/v2", false, NULL,
		 "MSCTL_PLATFORM=linux/amd64/v2\nMSCTL_ARCH=amd64\nMSCTL_TRIPLET=x86_64-linux-gnu\n"
		 "CC=clang -march=x86-64-v2\nCXX=g++ -march=x86-64-v2\n"},
		{"linux/arm64", true, NULL,
		 "MSCTL_PLATFORM=linux/arm64\nMSCTL_ARCH=arm64\nMSCTL_TRIPLET=aarch64-linux-gnu\n"
		 "CC=aarch64-linux-gnu-gcc\nCXX=aarch64-linux-gnu-g++\nAR=aarch64-linux-gnu-ar\n"
		 "RANLIB=aarch64-linux-gnu-ranlib\nSTRIP=aarch64-linux-gnu-strip\n"
		 "PKG_CONFIG_LIBDIR=/usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig\n"},
		{"linux/386", true, "/sys",
		 "MSCTL_PLATFORM=linux/386\nMSCTL_ARCH=386\nMSCTL_TRIPLET=i686-linux-gnu\n"
		 "CC=i686-linux-gnu-gcc --sysroot=/sys\nCXX=i686-linux-gnu-g++ --sysroot=/sys\n"
		 "AR=i686-linux-gnu-ar\nRANLIB=i686-linux-gnu-ranlib\nSTRIP=i686-linux-gnu-strip\n"
		 "PKG_CONFIG_LIBDIR=/sys/usr/lib/i386-linux-gnu/pkgconfig:/sys/usr/share/pkgconfig\n"
		 "PKG_CONFIG_SYSROOT_DIR=/sys\n"},
	};

	setenv("CC", "clang", 1);
	unsetenv("CXX");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_FREE char *env = env_of(cases[i].platform, cases[i].is_cross, cases[i].sysroot);

		cr_expect_str_eq(env, cases[i].env);
	}
}

Test(target, a_cross_file_for_meson)
{
	struct oci_platform platform;
	struct build_target t = find("linux/arm/v6", &platform);
	AUTO_FREE char *text = build_target_meson(&t, "/sys");

	cr_expect_str_eq(text, "[binaries]\n"
						   "c = ['arm-linux-gnueabi-gcc', '--sysroot=/sys', '-march=armv6']\n"
						   "cpp = ['arm-linux-gnueabi-g++', '--sysroot=/sys', '-march=armv6']\n"
						   "ar = ['arm-linux-gnueabi-ar']\n"
						   "strip = ['arm-linux-gnueabi-strip']\n"
						   "pkgconfig = 'pkg-config'\n\n"
						   "[properties]\n"
						   "pkg_config_libdir = ['/sys/usr/lib/arm-linux-gnueabi/pkgconfig', "
						   "'/sys/usr/share/pkgconfig']\n"
						   "sys_root = '/sys'\n\n"
						   "[host_machine]\nsystem = 'linux'\ncpu_family = 'arm'\ncpu = 'armv6l'\n"
						   "endian = 'little'\n");
}
