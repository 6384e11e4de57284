/* plan.h - how a project is compiled: the steps that msctl.yaml writes, or those of the build
 * system that is found in its folder.
 *
 * A found system builds out of tree, in PROJECT/.msctl/build/OS-ARCH, with reproducible flags, and
 * installs below a folder of its own; the image is made from what was installed. Systems are looked
 * for in this order: meson.build, CMakeLists.txt, configure or configure.ac, Makefile. */
#pragma once

#include "base/strv.h"

#include <stdbool.h>

enum build_system {
	BUILD_WRITTEN, /* by msctl.yaml: steps, copy */
	BUILD_MESON,
	BUILD_CMAKE,
	BUILD_AUTOTOOLS,
	BUILD_MAKE,
};

#define BUILD_WORK_FOLDER ".msctl"

struct build_plan {
	enum build_system kind;
	struct strv steps; /* shell lines for sh -e, run in the project's folder */
	size_t prepare;    /* so many of the first steps configure */
	char *folder;      /* of this platform, absolute; NULL when written */
	struct strv env;   /* "K=V" for them: CC, CFLAGS, ... */
	char *work;        /* absolute; NULL when written */
	char *installed;   /* DESTDIR; NULL when written */
};

void build_plan_release(struct build_plan *p);
/* The system whose files are in a folder; BUILD_WRITTEN: none. */
enum build_system build_find_system(const char *dir);
/* "meson", "cmake", "autotools", "make", "steps" */
const char *build_system_name(enum build_system kind);
