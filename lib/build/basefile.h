/* basefile.h - single files of base images, remembered so that no layer is read for them again. */
#pragma once

#include "build/private.h"

/* A descriptor of the file at this path of the base's tree; -1: it is not known. */
int build_base_file_open(const struct build *b, const char *path);
/* Remember it; what fd reads from its start. */
void build_base_file_keep(const struct build *b, const char *path, int fd);
