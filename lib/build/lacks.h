/* lacks.h - what compilers and build systems say they did not find, and which package has it. */
#pragma once

#include "base/error.h"
#include "base/strv.h"
#include "build/target.h"

#define LACKS_MAX_PACKAGES 8

struct lacks {
	struct strv packages; /* that the output itself names: words that end in -dev */
	char *file;           /* the first file that was not found: "zlib.pc", "zlib.h", "libz.so" */
	char *program;        /* the first program */
};

void lacks_release(struct lacks *l);
/* Look at one line of output. */
void lacks_line(struct lacks *l, const char *line);
/* Hint at what to install. target: of a build for another architecture than this machine's, or
 * NULL. False: nothing is known to be lacking, and there is no hint. */
bool lacks_hint(const struct lacks *l, const struct build_target *target, struct error *err);
