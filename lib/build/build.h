/* build.h - a project made into an image in the local store, without a Dockerfile.
 *
 * Steps run on this machine; what build.copy names is taken; the shared libraries of its programs
 * are found as the loader would find them (elf/closure.h). Layers, from the bottom: the base
 * image's, then those of ours that are not empty: system (accounts, certificates), libraries,
 * files, app (the program that is started).
 *
 * The image depends on the project's files, its last commit and the libraries of this machine,
 * and on nothing else: owners are 0:0, modes 0755 or 0644, times fixed. The image's time is
 * SOURCE_DATE_EPOCH if set, else that of the last commit, else 0. Nothing is named, and no blob
 * of a failed build is kept for long, before everything went well. */
#pragma once

#include "base/cancel.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "conf/project.h"
#include "oci/store.h"

#include <stdbool.h>
#include <stdint.h>

#define BUILD_MAX_FILES 200000 /* in one image */
#define BUILD_MAX_LAYERS 4     /* of ours */

/* Who looks on. Members may be NULL. Text is borrowed for the call. */
struct build_watch {
	void (*line)(void *user, const char *line); /* the steps' output */
	void (*begin)(void *user, const char *step);
	void (*done)(void *user, const char *step, int64_t ms); /* it went well */
	void (*note)(void *user, const char *text);
	/* Fetch an image into the store; base images that are not there come by this. */
	int (*pull)(void *user, const char *ref, struct oci_store *store, struct error *err);
	void *user;
};

struct build_request {
	const struct project *project;
	const char *store;     /* path; NULL: the usual one */
	const char *cache;     /* folder that remembers layers made before; NULL: none */
	const char *reference; /* name of the image; NULL: the project's image and version */
	const char *platform;  /* "linux/amd64"; NULL: this machine's, and no other is built yet */
	bool no_steps;
	const struct clock *clock;
	const struct cancel *cancel;
	const struct log *log;
	struct build_watch watch;
};

struct build_layer {
	const char *name; /* "libraries" */
	uint64_t bytes;   /* compressed */
	size_t files;     /* entries without the folders above them */
	bool was_there;   /* the store had it */
	char digest[OCI_DIGEST_LEN + 1];
};

struct build_result {
	char *ref; /* full text */
	struct oci_descriptor image;
	struct build_layer layers[BUILD_MAX_LAYERS];
	size_t layer_count;
	uint64_t base_bytes; /* compressed layers of the base */
	int64_t image_ms;    /* from the end of the steps to the name */
	int64_t created;     /* seconds since 1970 */
};

void build_result_release(struct build_result *r);

/* ERR_SYS: a step failed; ERR_MISSING: a file to copy, a library, the base; ERR_INPUT: a damaged
 * or foreign program, a setting that this version does not build, a file that changed while it
 * was read; ERR_INTERRUPTED. */
int build_run(const struct build_request *request, struct build_result *result, struct error *err);

/* What build_run names the project's image when the request does not: image and version.
 * ERR_INPUT. */
int build_reference(const struct project *project, struct oci_ref *out, struct error *err);

/* A tag from what git describes: characters that a tag may not have become '-'. Caller frees. */
char *build_version_tag(const char *described);
