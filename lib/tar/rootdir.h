/* rootdir.h - folders found beneath a root, and things taken out of them; for lib/tar/ only. */
#pragma once

#include "base/map.h"
#include "tar/extract.h"

struct rootdir {
	int root;
	char *parent; /* path of the open folder; NULL: none */
	int parent_fd;
	size_t root_depth; /* of the root's own path */
	struct map added;  /* "INODE/NAME" of everything that this layer put there */
};

int rootdir_init(struct rootdir *t, int root_fd, struct error *err);
void rootdir_release(struct rootdir *t);

/* Open the folder that holds path, and say what path is called in it. Missing folders are made if
 * create; otherwise *fd is -1 when there is none. The descriptor stays the tree's and is valid
 * until the next call. ERR_INPUT: something else than a folder is in the way, or too deep. */
int rootdir_parent(struct rootdir *t, const char *path, bool create, int *fd, const char **name,
				   struct error *err);
/* A name was bound anew: what was resolved before may be wrong. */
void rootdir_forget(struct rootdir *t);
/* Note that this layer brought name in the folder; was it the first time? */
bool rootdir_mark(struct rootdir *t, int fd, const char *name);
bool rootdir_is_marked(struct rootdir *t, int fd, const char *name);
/* Remove name and all below it; absent is no error. */
int rootdir_remove(struct rootdir *t, int fd, const char *name, struct error *err);
/* Remove all below the folder `name` of fd that this layer did not bring. */
int rootdir_clear(struct rootdir *t, int fd, const char *name, struct error *err);
