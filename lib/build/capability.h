/* capability.h - file capabilities from text, without setcap (capabilities(7), cap_from_text(3),
 * linux/capability.h). */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define CAPABILITY_BYTES 20
#define CAPABILITY_XATTR "security.capability"

/* "cap_net_bind_service=ep", "cap_net_raw,cap_net_admin+ep", clauses with spaces between -> the
 * value of the attribute: struct vfs_cap_data, VFS_CAP_REVISION_2, little endian. ERR_INPUT:
 * unknown name (the hint has the nearest), malformed clause, nothing at the end, a flag e that is
 * not for all: on a file it is one bit. */
int capability_parse(const char *text, uint8_t out[CAPABILITY_BYTES], struct error *err);
/* The other way round, of what a layer holds: "cap_net_bind_service=ep"; of bytes that are no such
 * value, or name capabilities that are not known here, the bytes in hexadecimal. Caller frees. */
char *capability_text(const uint8_t *value, size_t len);
