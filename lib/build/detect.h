/* detect.h - the steps of the build systems that are found; of lib/build only. */
#pragma once

#include "build/private.h"
#include "build/target.h"

/* Fill b->plan's steps. */
void build_plan_steps(struct build *b, const struct build_target *target, const char *sysroot);
/* What variable says in the plan's environment or in ours, up to the first blank, or fallback.
 * Caller frees. */
char *build_tool_of(const struct build_plan *p, const char *variable, const char *fallback);
/* Where the steps find a program: on this machine, or in the toolchain's image. NULL: nowhere.
 * Caller frees. */
char *build_find_tool(const struct build *b, const char *name);
/* May a path stand in a compiler's flags? */
bool build_fits_into_flags(const char *path);
/* Put compilers into the folder MSCTL_BIN that never let a path of this machine into a program:
 * many a Makefile sets CFLAGS itself. */
int build_write_wrappers(const struct build *b, struct error *err);
/* Before the first step: the tools that this machine lacks. ERR_MISSING names the tool, its
 * package and the command. */
int build_check_tools(const struct build *b, struct error *err);
/* Get the work folder ready: lock, copy of the sources, cross file. *is_configured: it stands as
 * the plan's preparing steps left it. */
int build_open_work(struct build *b, struct error *err);
int build_prepare_work(struct build *b, bool *is_configured, struct error *err);
/* The steps ended, well or not, but were not killed. */
void build_end_work(const struct build *b);
/* The preparing steps went well. */
int build_keep_configured(const struct build *b, struct error *err);
