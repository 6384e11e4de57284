/* plan.h - how a project is compiled: the steps that msctl.yaml writes, or those of the build
 * system that is found in its folder.
 *
 * A found system builds out of tree, in PROJECT/.msctl/build/OS-ARCH, with reproducible flags, and
 * installs below a folder of its own; the image is made from what was installed. Systems are looked
 * for in this order: meson.build, CMakeLists.txt, configure or configure.ac, Makefile. Autotools
 * and plain make, which write among the sources, get a copy of them (sources.h). */
#pragma once

#include "base/strv.h"

#include <stdbool.h>
#include <stddef.h>

/* In the project; everything below it may be deleted at any time. */
#define BUILD_WORK_FOLDER ".msctl"

enum build_system {
	BUILD_WRITTEN, /* by msctl.yaml: steps, copy */
	BUILD_MESON,
	BUILD_CMAKE,
	BUILD_AUTOTOOLS,
	BUILD_MAKE,
};

struct build_plan {
	enum build_system kind;
	struct strv steps; /* shell lines for sh -e, run in the project's folder. They name folders by
						  variables only, so that they are the same on every machine */
	size_t prepare;    /* so many of the first steps configure: left out while the work folder
						  stands as they left it */
	struct strv env;   /* "K=V" for them: CC, CFLAGS, ... */
	bool is_copied;    /* the work folder holds a copy of the sources */
	/* All absolute; NULL when written. */
	char *folder;    /* of this platform: holds all below, and lives from build to build */
	char *work;      /* where it is compiled */
	char *installed; /* DESTDIR */
	bool is_locked;  /* no other build uses the folder until the plan is released */
	int lock;
};

void build_plan_release(struct build_plan *p);
/* The system whose files are in a folder; BUILD_WRITTEN: none. */
enum build_system build_find_system(const char *dir);
/* "meson", "cmake", "autotools", "make", "steps" */
const char *build_system_name(enum build_system kind);
/* What the system's own file calls the project, NULL if it does not say. Caller frees. */
char *build_system_project(enum build_system kind, const char *dir);
/* The same from that file's text. */
char *build_project_in(enum build_system kind, const char *text);
