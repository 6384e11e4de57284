/* render.h - from files to objects: YAML and JSON files, folders, standard input, kustomization
 * folders; lists expanded, variables replaced, the environment's patches and exclusions applied,
 * labels added, images pinned.
 *
 * A folder gives its *.yaml, *.yml and *.json in bytewise order, without folders below it (as
 * kubectl -f does). A folder with a kustomization file is rendered by `kustomize` or `kubectl
 * kustomize`. Nothing here talks to a server. */
#pragma once

#include "base/cancel.h"
#include "conf/project.h"
#include "deploy/set.h"

#define RENDER_MAX_OBJECTS 20000
#define RENDER_STDIN "<stdin>"

struct deploy_render_options {
	const struct strv *paths; /* "-" is standard input */
	const char *dir;          /* what relative paths start from; NULL: the current folder */
	bool expand;              /* replace ${...} from the environment's vars */
	const struct project_environment *environment; /* NULL: none */
	const char *app, *env;                         /* labels; NULL: none */
	const struct cancel *cancel;
};

/* ERR_MISSING: no such file, folder without manifests, no kustomize. ERR_INPUT: not YAML, not an
 * object, a patch that does not fit. */
int deploy_render(const struct deploy_render_options *options, struct deploy_set *out,
				  struct error *err);

/* Does a container use an image of this repository ("HOST/NAME", any tag or digest; NULL: of any)?
 */
bool deploy_uses_image(const struct deploy_set *set, const char *repository);
/* Give every such container exactly this image ("HOST/NAME@sha256:..."). Returns how many. */
size_t deploy_pin_image(struct deploy_set *set, const char *repository, const char *pinned);
