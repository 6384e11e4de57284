/* listing.h - what stat says of every file below a folder, to learn whether one of them changed.
 *
 * Folders are there with their mode alone, links with their target and what it leads to. History
 * (".git") is left out. A listing that is not whole says why, and nobody may believe it. */
#pragma once

#include "base/buf.h"
#include "base/cancel.h"
#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#define LISTING_MAX_FILES 300000
#define LISTING_MAX_DEPTH 200

struct listed {
	uint32_t path; /* relative to the root, in names */
	uint32_t mode;
	uint64_t dev, ino, size, mtime_ns, ctime_ns; /* 0 for folders */
	uint64_t target;                             /* of a link: hash of where it leads and of the
												  file there */
};

struct listing {
	struct buf names;
	LIST(struct listed) items; /* folders before what is in them, names in bytewise order */
	struct timespec taken;     /* before the first was looked at */
	bool is_coarse;            /* statindex_is_coarse */
	bool is_whole;
	char why[256]; /* it is not */
};

void listing_release(struct listing *l);
/* Look at everything below root. Never fails: see is_whole. */
void listing_take(const char *root, const struct cancel *cancel, struct listing *out);

static inline const char *listing_path(const struct listing *l, const struct listed *f)
{
	return l->names.data + f->path;
}

/* Was it too young when it was looked at to be told from a later one? */
bool listing_is_racy(const struct listing *l, const struct listed *f);
/* Wait for the next tick of the clock, so that what was written until now is not racy in the next
 * listing. At most 20 ms. */
void listing_settle(void);
