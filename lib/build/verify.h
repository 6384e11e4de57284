/* verify.h - is a build reproducible? Make it a second time, as differently as it may be made, and
 * compare.
 *
 * The second time the sources lie in another folder, with another length and depth of path, made in
 * the reverse order, an hour older, readable by their owner alone; HOME, TMPDIR, LANG and the
 * second of the clock are others; there is one thread, no cache, and a store of its own. What the
 * steps are promised (SOURCE_DATE_EPOCH, TZ, LC_ALL, umask) is the same. Sources are what git does
 * not ignore or, without git, all but what a compiler made. A project without steps is built from
 * where it is. */
#pragma once

#include "build/build.h"

struct build_verify {
	const struct build_request *request;
	const struct build_result *result; /* what build_run made of it */
	const char *file;                  /* as project_load had it; NULL: msctl.yaml */
};

/* 0: built twice, same digest. ERR_DIFFERENT names the first byte that differs, and guesses why;
 * everything else is a failure of the second build. Nothing is left behind. */
int build_verify(const struct build_verify *v, struct error *err);
