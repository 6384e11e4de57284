/* deb822.h - the paragraphs of Debian's control files (deb822(5)): dpkg's status, copyright files.
 *
 * Reads in place and never fails: what is no field is passed over. Field names are compared
 * without regard to case. */
#pragma once

#include "base/span.h"

/* Cut the next paragraph from the front of *rest; empty lines end one. False at the end. */
bool deb822_next(struct span *rest, struct span *paragraph);
/* A field's value with its continuation lines, without white space around it; data NULL when the
 * paragraph lacks it. */
struct span deb822_get(struct span paragraph, const char *name);
/* The first line of a value, without white space around it. */
struct span deb822_first_line(struct span value);
struct span deb822_trim(struct span text);
