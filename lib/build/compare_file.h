/* compare_file.h - the first byte in which two files differ, and what it may come from. */
#pragma once

#include "base/error.h"

#include <stdint.h>

struct compare_files {
	const char *what;                  /* "layer app: /usr/bin/orders" */
	const char *a, *b;                 /* on this machine */
	const char *a_sources, *b_sources; /* folders of which the files may carry paths */
};

/* ERR_DIFFERENT, telling where; 0 when they are the same. */
int compare_files(const struct compare_files *f, struct error *err);
