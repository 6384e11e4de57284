/* members.h - compressed members of layers on disk, so that a changed file costs only its own
 *bytes.
 *
 *	CACHE/members/2HEX/HEX    magic, key, CRC-32 of the member, the member
 *
 * HEX is the layer_cache key. An entry appears whole, by rename, and is never changed, so readers
 * take no lock and any number of processes may share the folder. Nothing is fsynced: what a
 * crash or a bad disk leaves there is recognised by length, key and CRC, removed and made anew. The
 * folder is its owner's alone.
 * What was not used for longest goes first. The caps hold at any time: each of the 2HEX folders
 * keeps to its share of them when something is added to it. A cache that cannot be read or written
 * makes builds slower and nothing else. */
#pragma once

#include "base/auto.h"
#include "base/error.h"
#include "tar/layer.h"

#include <stdatomic.h>

#define MEMBERS_FOLDERS 256
#define MEMBERS_MAX_BYTES (1ull << 30)
#define MEMBERS_MAX_FILES 16384
#define MEMBERS_MIN_FREE (256ull << 20) /* with less room on the disk nothing is added */

struct build_members {
	char *dir;             /* CACHE/members; NULL: no cache */
	bool is_forgetful;     /* set by the caller: nothing that was kept is believed */
	atomic_bool is_closed; /* it takes no more: something went wrong, or the disk is full */
};

/* cache: the folder; NULL: none. Never fails. */
void build_members_open(const char *cache, struct build_members *out);
void build_members_release(struct build_members *m);
/* For layer_writer_set_cache; m lives longer. */
struct layer_cache build_members_cache(struct build_members *m);

/* Remove what was not used for longest until both caps hold (0 and 0: everything), and what killed
 * processes left. *freed: bytes of the files removed. No such folder is no error. ERR_SYS. */
int build_members_prune(const char *cache, uint64_t max_bytes, size_t max_files, uint64_t *freed,
						struct error *err);
