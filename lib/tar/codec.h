/* codec.h - one piece of a layer in, one gzip member (RFC 1952) or zstd frame (RFC 8878) out; for
 * lib/tar/ only.
 *
 * What comes out depends on the input, the codec and LAYER_COMPAT alone: both libraries are linked
 * statically, so that no machine's own version has a say, and their levels are fixed. */
#pragma once

#include "base/auto.h"
#include "tar/layer.h"

struct codec; /* not for two threads at once */

struct codec *codec_new(enum layer_codec which);
void codec_free(struct codec *c);
DEFINE_AUTO_PTR(codec)

/* No input of at most LAYER_MEMBER_BYTES becomes larger than this. */
size_t codec_room(enum layer_codec which);
/* len is in 1..LAYER_MEMBER_BYTES, out has codec_room() bytes. The number of bytes written. */
size_t codec_compress(struct codec *c, const void *in, size_t len, void *out);
