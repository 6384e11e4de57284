/* file_tree.h - where oci/files.c lays layers over one another.
 *
 * A tree of nodes, each found by its folder and its name, so that a path costs its length and no
 * more, however deep and however many there are. */
#pragma once

#include "base/map.h"
#include "base/span.h"
#include "oci/files.h"

struct file_node {
	struct oci_file file; /* path is made when all is read */
	struct file_node *parent;
	struct file_node *child;        /* the first */
	struct file_node *next, **link; /* among siblings, and who points here */
	char *name;
	uint64_t id;
	unsigned depth;
	size_t brought_by; /* the last layer that has an entry for it */
	size_t cleared_by; /* this layer: nothing of lower ones is below */
};

struct oci_file_tree {
	struct file_node root;
	struct map nodes; /* "ID/name", the folder's id -> struct file_node *; NULL where one went */
	uint64_t last_id;
	size_t count;
};

/* The node of a name in a folder, NULL: there is none. */
struct file_node *file_tree_child(const struct oci_file_tree *t, const struct file_node *dir,
								  const char *name, size_t len);
/* A new node there. ERR_INPUT: too many, too deep, too long. */
int file_tree_add(struct oci_file_tree *t, struct file_node *dir, const char *name, size_t len,
				  struct file_node **out, struct error *err);
/* Take away what is below n and was brought by a layer before `before`, and n itself unless keep.
 * A folder in which something stays stays. */
void file_tree_remove(struct oci_file_tree *t, struct file_node *n, size_t before, bool keep);

struct file_walk {
	bool last;         /* follow the last component, too, if it is a link */
	size_t make_layer; /* make folders that are not there; the layer's number + 1. 0: do not */
};

/* Where a path leads: links in it are followed, and ".." never leads out of the root. *out NULL:
 * there is nothing. ERR_INPUT: links in a circle, a way through a file. */
int file_tree_walk(struct oci_file_tree *t, const char *path, const struct file_walk *w,
				   struct file_node **out, struct error *err);
