/* sourcewatch.h - wait until a project's sources change.
 *
 * Sources are the files below its folder that git does not ignore; .git, .msctl and what editors
 * leave beside a file are none. The kernel (inotify) tells when to look; what counts is whether
 * stat says of some file what it did not say before. What a build writes beside its sources does
 * not count: a file that is new after the first build is its product, and so is one that a build
 * changes and the next one changes again. */
#pragma once

#include "base/auto.h"
#include "base/cancel.h"
#include "base/error.h"

#include <stddef.h>

#define SOURCEWATCH_MAX_FILES 200000
#define SOURCEWATCH_QUIET_MS 100 /* that nothing may happen before it is looked at */

struct source_watch; /* heap */

struct source_changes {
	size_t count;
	char *first; /* a path, NULL when there is none */
};

void source_changes_release(struct source_changes *c);

/* dir as it is now is what later states are compared with. ERR_MISSING; ERR_INPUT: too many files;
 * ERR_SYS, with a hint when the system watches no more folders for this user. */
int source_watch_open(const char *dir, struct source_watch **out, struct error *err);
void source_watch_free(struct source_watch *w);
DEFINE_AUTO_PTR(source_watch)
/* Readable when there may be something to look at. */
int source_watch_fd(const struct source_watch *w);
/* What changed since the last look, once nothing has happened for a moment. May be nothing. */
int source_watch_look(struct source_watch *w, const struct cancel *cancel,
					  struct source_changes *out, struct error *err);
/* The same after a build, without what the build itself has written. */
int source_watch_built(struct source_watch *w, struct source_changes *out, struct error *err);
