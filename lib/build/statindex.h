/* statindex.h - the digests of files, remembered from build to build by what stat says of them, so
 * that a file which did not change is not read.
 *
 *	FOLDER/stat.idx    header, entries sorted by path; one read, checked by its SHA-256
 *
 * A project has one for its own files, and all share one for the rest, so that nobody reads what
 * another project has.
 *
 * An entry is believed when path, device, inode, size, mode and both times are the same. The rule
 *of racy timestamps (git's Documentation/technical/racy-git.txt): a file may change twice within
 *one tick of the clock and look the same, so a file that was not older than one tick when it was
 *read is not remembered; it is read again by the next build. On file systems whose clock is not
 *this machine's, or is coarser, the tick is STATINDEX_COARSE_S long.
 *
 * Processes share the file: it is replaced as a whole, by rename, under a lock, and what others
 * added meanwhile is kept. Beyond STATINDEX_MAX_FILES those go that were not used for longest. A
 * damaged file is an empty one. Nothing is fsynced. An index that cannot be read or written makes
 * builds slower and nothing else. */
#pragma once

#include "base/auto.h"
#include "base/cancel.h"
#include "base/error.h"
#include "crypto/sha1.h"
#include "crypto/sha256.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#define STATINDEX_MAX_FILES (1u << 18)
#define STATINDEX_COARSE_S 3

struct statindex_sum {
	uint8_t sha256[SHA256_BYTES];
	char sha1[SHA1_HEX_LEN + 1];
};

struct statindex;

/* cache: the folder; NULL: nothing is remembered beyond this process. is_forgetful: nothing that
 * was remembered is believed. Never fails. */
void statindex_open(const char *cache, bool is_forgetful, struct statindex **out);
void statindex_free(struct statindex *x);
DEFINE_AUTO_PTR(statindex)
/* Files below this folder are known by their path in it, from wherever it is named so. */
void statindex_set_root(struct statindex *x, const char *root);
/* Write what is new; nothing is written when there is nothing. */
void statindex_save(struct statindex *x);

/* The digests of a regular file that looked like `seen`. cancel may be NULL. ERR_INPUT: it looks
 * different now; ERR_SYS, ERR_MISSING, ERR_INTERRUPTED. */
int statindex_get(struct statindex *x, const char *file, const struct stat *seen,
				  const struct cancel *cancel, struct statindex_sum *out, struct error *err);
/* Read those of the files that are not known, on several threads (0: one for each core), so that
 * statindex_get finds them. What fails here fails there. */
struct statindex_file {
	const char *file;
	const struct stat *seen;
};
void statindex_read_ahead(struct statindex *x, const struct statindex_file *files, size_t count,
						  unsigned threads, const struct cancel *cancel);
/* Does it begin like an ELF file? Looks into files that are not known, and remembers nothing. */
bool statindex_is_elf(const struct statindex *x, const char *file, const struct stat *seen);
/* How many files were read. */
size_t statindex_reads(const struct statindex *x);

/* The rule of racy timestamps. `now` is statindex_now() from before anything was read of it. */
struct timespec statindex_now(void);
bool statindex_is_racy(const struct stat *st, const struct timespec *now, bool is_coarse);
/* Is the clock of this file system another one than this machine's, or coarser? */
bool statindex_is_coarse(int fd);
