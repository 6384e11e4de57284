/* gather.h - what the image takes of a project; of lib/build only. */
#pragma once

#include "build/private.h"

/* Take one file, folder or link into b->taken. ERR_INPUT: none of these, a name that layers have
 * another use for, two files at one place, too many. */
int build_take(struct build *b, const char *path, const char *file, const struct stat *st,
			   struct error *err);
/* installed.c: what a found system installed, without what only developers and readers need. */
int build_take_installed(struct build *b, struct error *err);
/* The program that is started: build.binary, or the one that there is. b->programs is known.
 * ERR_INPUT: there is none, or one of several has to be named. Caller frees *out. */
int build_choose_binary(const struct build *b, char **out, struct error *err);
/* Is a path below DESTDIR left out of images? */
bool build_is_left_out(const char *path);
/* strip.c: let b->taken lead to stripped copies of its programs. The installed files stay. */
int build_strip(struct build *b, struct error *err);
