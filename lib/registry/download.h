/* download.h - one pull under way; for pull.c and download.c. */
#pragma once

#include "base/list.h"
#include "registry/session.h"

/* One blob on its way down. A config stays in memory until the image is complete, so that a pull
 * that fails early leaves nothing behind. */
struct download {
	struct job job; /* first */
	struct pull *pull;
	const struct oci_descriptor *d;
	const struct oci_manifest *manifest; /* of which it is the config; NULL: a layer */
	struct oci_blob_writer *writer;
	struct buf config;
	char *url;
	struct http_request request;
	uint64_t told; /* progress */
};

struct pull {
	struct registry *r;
	const struct registry_pull *what;
	struct registry_result *result;
	const struct oci_platform *expect;       /* what a lone manifest must be for; NULL: anything */
	LIST(struct oci_manifest) manifests;     /* children before their index, the named one last */
	LIST(struct oci_descriptor) descriptors; /* of manifests */
	struct download *downloads;
	size_t count;
	struct jobs jobs;
};

/* Fetch every blob of p->manifests that the store lacks, verified; layers into the store, configs
 * into memory. */
int downloads_run(struct pull *p, struct error *err);
void downloads_release(struct pull *p);

/* Is this the config of m? Its diff_ids are as many as m's layers (ERR_INPUT), its platform is the
 * one that was asked for (expect, NULL: any; ERR_MISSING). */
int pull_check_config(const struct oci_manifest *m, const struct oci_platform *expect,
					  struct span config, const char *name, struct error *err);
