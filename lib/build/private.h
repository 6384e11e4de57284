/* private.h - what the rooms of lib/build share while one image is built. */
#pragma once

#include "base/auto.h"
#include "base/map.h"
#include "base/proc.h"
#include "build/build.h"
#include "build/plan.h"
#include "build/tree.h"
#include "crypto/sha256.h"
#include "elf/closure.h"
#include "oci/config.h"
#include "repo/repo.h"

/* One file, folder or link that build.copy takes. */
struct taken {
	char *path; /* absolute in the image, clean */
	char *file; /* on this machine */
	struct stat st;
};

/* What all platforms of one build share. */
struct build_stamp {
	struct repo_info repo; /* zeroed outside of a repository */
	int64_t created;
	char *tag;
	struct oci_ref ref;
	struct build_memory *memory; /* of earlier builds (memory.h) */
};

void build_stamp_release(struct build_stamp *s);

/* The image of one platform while it is built. */
struct build {
	const struct build_request *request;
	const struct project *project;
	const struct build_stamp *stamp;
	struct oci_store *store; /* borrowed; opened by build_open_store when first needed */
	struct oci_platform platform;
	bool is_cross; /* the platform is not this machine's */
	struct build_plan plan;
	struct build_toolchain *toolchain; /* NULL: the steps run on this machine */
	char *sysroot;                     /* where libraries are looked for: "", or a folder */
	struct taken *taken;
	size_t taken_count;
	struct map over;      /* path in the image -> char * file, borrowed from taken */
	struct strv programs; /* ELF files among them, as paths in the image */
	struct strv entrypoint;
	char *cross_root;           /* view.fallback */
	struct elf_view view;       /* where libraries were looked for */
	struct elf_closure closure; /* what the programs load, and why; empty without libraries */
	struct tree tree;
	json_t *reasons;                            /* of libraries; see reasons.h. NULL: none yet */
	char *library_groups[BUILD_LIBRARY_LAYERS]; /* packages with layers of their own */
	struct oci_manifest base;                   /* zeroed for scratch */
	struct oci_config base_config;
};

void build_release(struct build *b);
void build_note(const struct build *b, const char *fmt, ...) PRINTF(2, 3);
/* Tell whoever asked why `what` was made anew or not. */
void build_explain(const struct build *b, bool was_cached, const char *what, const char *fmt, ...)
	PRINTF(4, 5);
const char *build_compression(const struct build *b); /* "gzip" or "zstd" */

/* In the order in which they happen: */

/* stamp.c: commit, time, reference; once for all platforms */
int build_stamp(const struct build_request *request, struct build_stamp *out, struct error *err);
/* "https://host/path" from any form of a remote's URL, without who may read it: no user, password,
 * query. NULL if it is a path of this machine or no URL. Caller frees. */
char *build_source_url(const char *origin);
/* toolchain.c: the image in which the steps run, if there is one; sets b->sysroot to its root */
int build_toolchain_open(struct build *b, struct error *err);
/* Run a shell script in it, the project's folder and the plan's folders at their own paths, as the
 * caller's user as far as files are concerned. spec has everything but argv[0]. */
int build_toolchain_run(const struct build *b, const struct proc_spec *spec,
						struct proc_result *result, struct error *err);
/* The digest of its image, NULL without one. */
const char *build_toolchain_digest(const struct build *b);
/* Where it is unpacked on this machine, NULL without one. */
const char *build_toolchain_root(const struct build *b);
void build_toolchain_close(struct build *b);
/* plan.c: b->plan, from msctl.yaml or from the build system that is found. */
int build_make_plan(struct build *b, struct error *err);
/* Where the steps' compilers look for headers and libraries; NULL: where they always do. Borrowed.
 */
const char *build_step_sysroot(const struct build *b);
/* steps.c */
int build_steps(struct build *b, struct error *err);
/* gather.c: what build.copy takes, which of it are programs, what is started */
int build_gather(struct build *b, struct error *err);
/* base.c: manifest, configuration and file names of the base image */
int build_base(struct build *b, struct error *err);
/* libraries.c: b->sysroot, b->closure, and what of it the image lacks into the tree */
int build_libraries(struct build *b, struct error *err);
/* Where the loader finds an object of the closure in the image: a path of the tree, NULL when it is
 * a file of the project. Caller frees. */
char *build_library_path(const struct build *b, const struct elf_object *o);
/* groups.c: which layer each library goes to, by the package that owns it */
int build_group_libraries(struct build *b, struct error *err);
/* "libraries", "libraries glibc", "app". Returns out. */
const char *build_layer_name(const struct build *b, enum tree_layer layer,
							 char out[BUILD_LAYER_NAME]);
/* gates.c: versions of symbols that will not be there, hardening that is asked for */
int build_gates(struct build *b, struct error *err);
/* system.c: accounts, /tmp, certificates, time zones */
int build_system(struct build *b, struct error *err);
/* gather.c: the taken files into the tree */
int build_place(struct build *b, struct error *err);
/* capability.c: what build.capabilities gives to files of the tree */
int build_capabilities(struct build *b, struct error *err);
/* start.c: is what the image starts in it? */
int build_check_start(const struct build *b, struct error *err);
/* layers.c. A layer that would be empty gets no descriptor: its media_type stays NULL. */
int build_write_layer(struct build *b, enum tree_layer layer, struct build_layer *out,
					  struct oci_descriptor *descriptor, char diff_id[OCI_DIGEST_LEN + 1],
					  struct error *err);
int build_check_unchanged(int fd, const struct tree_node *n, struct error *err);
int64_t build_entry_time(const struct build *b, const struct tree_node *n);

/* image.c: layers, configuration, manifest */
int build_write_image(struct build *b, struct build_image *out, struct error *err);
/* annotations.c: what an image's manifest says of itself, and as labels of its configuration, with
 * those of the base and of the project */
json_t *build_annotations(const struct build *b);
json_t *build_labels(const struct build *b);
/* The base's full name, NULL for scratch. Caller frees. */
char *build_base_name(const struct build *b);
/* Is the project's `license` an SPDX expression? ERR_INPUT. */
int build_check_license(const struct project *p, struct error *err);

/* sbom.c: the documents that say what is in the image and how it was made; empty when the store has
 * them already */
#define BUILD_DOCUMENTS 4

struct build_documents {
	char key[SHA256_HEX_LEN + 1]; /* what they are made from */
	struct buf spdx;
	struct buf cyclonedx;
	struct buf provenance;
	struct buf reasons;
};

void build_documents_release(struct build_documents *d);
/* As the store takes them; borrowed. */
void build_documents_items(const struct build_documents *d,
						   struct oci_artifact items[BUILD_DOCUMENTS]);
int build_sbom(struct build *b, const struct oci_descriptor *image, struct build_documents *out,
			   struct error *err);
/* index.c: give the image, or an index of several, its name, and the documents their places beside
 * their images. documents: one for each image. */
int build_name(const struct build_stamp *stamp, struct oci_store *store, struct build_result *r,
			   const struct build_documents *documents, struct error *err);
