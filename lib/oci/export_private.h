/* export_private.h - what the writers of layouts and archives share; for lib/oci/export*.c. */
#pragma once

#include "base/strv.h"
#include "oci/export.h"
#include "oci/graph.h"

#define EXPORT_LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}"
#define EXPORT_BLOBS "blobs/sha256"

struct export_blob {
	const char *hex; /* its name */
	const struct oci_descriptor *d;
	const char *data; /* NULL: it is in the store */
	bool unpack;      /* d unpacks to what hex says */
};

struct export_plan {
	const struct oci_export *what;
	struct oci_descriptor image; /* of an index for docker: the one that was chosen */
	struct oci_graph graph;
	LIST(struct export_blob) blobs; /* all, by name */
	json_t *entries;                /* for index.json, the image's first */
	char *ref_name;                 /* NULL: none */
	char *docker_name;              /* "orders:1"; NULL: none */
	struct strv diff_ids;           /* of the image; for docker only */
	bool no_layout;                 /* docker's own documents only */
};

void export_plan_release(struct export_plan *p);
int export_plan_make(struct export_plan *p, const struct oci_export *what, enum oci_archive form,
					 struct error *err);
/* A blob's content, in pieces, verified at its end. */
int export_copy(const struct export_plan *p, const struct export_blob *b, int fd, const char *name,
				struct error *err);
/* Docker's manifest.json; p->blobs become those that go with it. */
int export_docker(struct export_plan *p, struct buf *manifest, struct error *err);
/* A new file in a folder, mode 0666 less umask; *temp is its name. */
int export_temp(const char *dir, char **temp, int *fd, struct error *err);
