/* tree.h - the file system of an image while it is put together.
 *
 * Paths are relative and clean. Whatever is added goes where a running program would find it:
 * links to folders that are already in the tree are followed (inside the tree). */
#pragma once

#include "base/error.h"
#include "base/map.h"
#include "base/strv.h"
#include "build/capability.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define TREE_MAX_NODES 1000000

enum tree_layer {
	TREE_BASE, /* what the base image has */
	TREE_SYSTEM,
	TREE_LIBRARIES, /* of the larger packages one each, in TREE_LIBRARIES and what follows */
	TREE_LIBRARIES_LAST = TREE_LIBRARIES + 3,
	TREE_FILES,
	TREE_APP,
	TREE_LAYERS,
};

enum tree_type {
	TREE_DIR,
	TREE_LINK,
	TREE_FILE,
};

struct tree_node {
	enum tree_type type;
	enum tree_layer layer;
	mode_t mode;
	unsigned base_layer; /* TREE_BASE: which of the base's layers it is from */
	uint32_t uid, gid;   /* not 0 in a base only */
	int64_t mtime_s;     /* of a base's folders; ours get theirs when they are written */
	char *target; /* TREE_LINK; TREE_FILE: NULL, or the path of the same layer's file that this
					 is a second name of */
	char *file;   /* TREE_FILE: on this machine; NULL: `data` is the content */
	char *data;
	uint64_t size;
	struct stat seen; /* of `file` when it was added */
	bool has_capability;
	uint8_t capability[CAPABILITY_BYTES]; /* TREE_FILE */
};

struct tree {
	struct map nodes; /* path -> struct tree_node *; NULL where one was taken away */
	uint32_t *sorted; /* the first sorted_count entries of nodes in the order of their paths */
	size_t sorted_count;
	size_t looked_at; /* others that removals had to look at since */
};

void tree_release(struct tree *t);

/* Where an absolute or relative path leads: links in its folders are followed, its last component
 * only if `last`. ERR_INPUT: links in a circle, a folder that is a file. *out is the caller's. */
int tree_resolve(const struct tree *t, const char *path, bool last, char **out, struct error *err);
/* The node of a path, links followed; NULL: there is none. Borrowed. */
const struct tree_node *tree_find(const struct tree *t, const char *path);

/* Take node (its members too) into the tree at path; folders above are made as needed (0755,
 * root). An own node of a higher layer replaces a lower one; two of the same layer are ERR_INPUT,
 * unless they are both folders, or links to the same target. */
int tree_add(struct tree *t, const char *path, struct tree_node *node, struct error *err);
int tree_add_link(struct tree *t, enum tree_layer layer, const char *path, const char *target,
				  struct error *err);
int tree_add_data(struct tree *t, enum tree_layer layer, const char *path, const char *data,
				  struct error *err);
/* seen is file's stat; mode becomes 0755 when the owner may execute it, else 0644. */
int tree_add_file(struct tree *t, enum tree_layer layer, const char *path, const char *file,
				  const struct stat *seen, struct error *err);
int tree_add_dir(struct tree *t, enum tree_layer layer, const char *path, mode_t mode,
				 struct error *err);
/* Put node at a place that tree_resolve gave, whatever was there: how a base's layers lie on one
 * another. A folder over a folder changes its attributes; anything else takes the old one away
 * with all below it. */
int tree_put(struct tree *t, const char *at, struct tree_node *node, struct error *err);
/* Take away what a base's layers before `before` have at and below a path (keep_itself: below
 * only). Costs what is there and a logarithm, on average. */
void tree_remove(struct tree *t, const char *path, bool keep_itself, unsigned before);

/* Paths of a layer's own nodes and of the folders above them, sorted bytewise. own: how many are
 * its own. */
void tree_layer_paths(const struct tree *t, enum tree_layer layer, struct strv *out, size_t *own);
