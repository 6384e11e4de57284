/* ustar.h - the header blocks of one tar entry (POSIX.1-2017, pax: ustar, with an extended header
 * only for what ustar cannot hold). */
#pragma once

#include "base/buf.h"
#include "tar/layer.h"

#define USTAR_BLOCK 512

/* Append the blocks in front of an entry's content. The entry is valid. */
void ustar_header(const struct layer_entry *entry, struct buf *out);
