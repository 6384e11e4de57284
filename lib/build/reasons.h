/* reasons.h - why each file is in an image: noted while it is built and kept beside it, so that
 * `image inspect --why` can tell later.
 *
 *	{"files": {"usr/bin/orders": {"reason": "build.copy takes it from build/orders"},
 *	           "usr/lib/libz.so.1": {"reason": "needed by ...", "by": "usr/bin/orders"}}}
 *
 * Paths are the image's, without a leading slash. `by` is the path of the file that needs it. */
#pragma once

#define BUILD_REASONS_TYPE "application/vnd.msctl.reasons+json"
#define BUILD_REASONS_MAX_BYTES (64u << 20)
