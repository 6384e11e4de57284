/* fs.h - files and folders: whole reads with a cap, writes that are all or nothing.
 * Every descriptor is opened O_CLOEXEC. Paths are bytes; errors name them. */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "base/strv.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Read a whole file; ERR_INPUT when it is larger than max_bytes or a folder, ERR_MISSING when
 * absent. A FIFO is waited for: somebody who names a file may write -f <(program). */
int fs_read(const char *path, size_t max_bytes, struct buf *out, struct error *err);
/* The same for a file at a place of ours that nobody named: a FIFO is ERR_INPUT, not waited for. */
int fs_read_settled(const char *path, size_t max_bytes, struct buf *out, struct error *err);
/* The same from a descriptor; name is for the message. */
int fs_read_fd(int fd, const char *name, size_t max_bytes, struct buf *out, struct error *err);

/* Write all bytes, through short writes and EINTR. */
int fs_write_fd(int fd, const char *name, const void *data, size_t len, struct error *err);

/* Replace path by a file of this content: temporary in the same folder, fsync, rename, folder
 * fsynced. After a failure or a crash either the old or the new file is there, never a piece. */
int fs_write_atomic(const char *path, const void *data, size_t len, mode_t mode, struct error *err);
int fs_sync_dir(const char *path, struct error *err);

bool fs_exists(const char *path); /* follows links */
bool fs_is_dir(const char *path);

/* mkdir -p. */
int fs_mkdirs(const char *path, mode_t mode, struct error *err);
/* rm -rf; a missing path is no error. Never follows a link, never leaves the file system's tree
 * below path. */
int fs_remove_tree(const char *path, struct error *err);
/* Create an empty folder "<parent>/<prefix>XXXXXX" (mode 0700); *out is the caller's. */
int fs_temp_dir(const char *parent, const char *prefix, char **out, struct error *err);

/* Names in a folder without "." and "..", sorted bytewise. */
int fs_list(const char *path, struct strv *out, struct error *err);

/* One entry of a walk. path is relative to the root and has no leading slash. */
struct fs_entry {
	const char *path;
	const char *full_path;
	struct stat st; /* lstat */
};

/* Visit everything below root (not root itself) in bytewise order, a folder before its content.
 * visit returns 0 to go on, 1 not to enter this folder, -1 to fail. Depth is limited to
 * FS_WALK_MAX_DEPTH. */
#define FS_WALK_MAX_DEPTH 256
int fs_walk(const char *root, int (*visit)(void *user, const struct fs_entry *e, struct error *err),
			void *user, struct error *err);

/* "a/b" from "a" and "b"; an absolute b wins. Caller frees. */
char *fs_join(const char *a, const char *b);
/* Last component and the rest ("." when there is no slash). Caller frees. */
const char *fs_basename(const char *path);
char *fs_dirname(const char *path);

/* Is path relative, free of "..", "." and empty components, and without control bytes? */
bool fs_is_clean_relative(const char *path);

/* Open path below dirfd without following anything out of it (openat2 RESOLVE_BENEATH). */
int fs_open_beneath(int dirfd, const char *path, int flags, mode_t mode, struct error *err);

/* $XDG_DATA_HOME/msctl, $XDG_CACHE_HOME/msctl, $XDG_CONFIG_HOME/msctl or their defaults below
 * $HOME; ERR_MISSING when neither is set. Caller frees. */
enum fs_home {
	FS_HOME_DATA,
	FS_HOME_CACHE,
	FS_HOME_CONFIG,
};
int fs_home_dir(enum fs_home which, char **out, struct error *err);

/* An advisory lock on a file, created when absent. wait=false: ERR_CONFLICT when it is held.
 * wait=true: a signal that is handled ends the wait with ERR_INTERRUPTED. Closing the descriptor
 * releases it. Who holds it exclusively may remove the file. */
int fs_lock(const char *path, bool exclusive, bool wait, int *fd, struct error *err);
