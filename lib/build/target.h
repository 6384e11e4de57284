/* target.h - what compilers, build systems and Debian call a platform. */
#pragma once

#include "base/error.h"
#include "base/strv.h"
#include "oci/manifest.h"

#include <stdbool.h>

struct build_target {
	const char *triplet;   /* GNU's name, which the compiler's begins with: "aarch64-linux-gnu" */
	const char *multiarch; /* Debian's folder below /usr/lib */
	const char *debian;    /* its architecture: "armhf" */
	const char *package;   /* Debian's compilers: gcc-PACKAGE, g++-PACKAGE */
	const char *processor; /* CMAKE_SYSTEM_PROCESSOR: what uname -m says */
	const char *family;    /* meson's cpu_family */
	bool is_big_endian;
	const char *flags; /* for the platform's variant: "-march=x86-64-v3", or "" */
};

/* ERR_INPUT: an architecture or a variant that nothing here compiles for. Borrowed, static. */
int build_target_find(const struct oci_platform *platform, struct build_target *out,
					  struct error *err);

/* How the steps are told: "K=V" for MSCTL_PLATFORM, MSCTL_ARCH, MSCTL_TRIPLET, and for a platform
 * that needs another compiler, or other flags than this machine's, CC, CXX, AR, RANLIB, STRIP and
 * PKG_CONFIG_LIBDIR. sysroot: where the compiler looks for headers and libraries, or NULL. */
void build_target_env(const struct oci_platform *platform, const struct build_target *target,
					  bool is_cross, const char *sysroot, struct strv *env);

/* The text of meson's cross file. Caller frees. */
char *build_target_meson(const struct build_target *target, const char *sysroot);
