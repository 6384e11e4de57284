/* basetree.h - the file tree of a base image, remembered by the digests of its layers, so that no
 * layer is read again. */
#pragma once

#include "build/private.h"

/* Put the tree of b->base into b->tree, which is empty. False: it is not known, or the store lacks
 * one of the layers. */
bool build_base_tree_load(struct build *b);
/* b->tree is that of b->base, and nothing else is in it yet. */
void build_base_tree_keep(const struct build *b);
/* Say whether the base is what it was in the project's last build. */
void build_explain_base(const struct build *b);
