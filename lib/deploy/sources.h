/* sources.h - read manifest files, folders, standard input and kustomizations into documents.
 * Inside lib/deploy only. */
#pragma once

#include "deploy/render.h"

/* Call each for every parsed stream; the file's name as messages call it. The stream is given away.
 */
int sources_read(const struct deploy_render_options *o,
				 int (*each)(void *user, struct yaml_file *yaml, const char *name,
							 struct error *err),
				 void *user, struct error *err);
