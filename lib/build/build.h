/* build.h - a project made into an image in the local store, without a Dockerfile.
 *
 * The steps of msctl.yaml, or those of the build system that is found (plan.h), run on this machine
 * or inside a toolchain image; what build.copy names, or what was installed, is taken; the shared
 * libraries of its programs are found as the loader would find them (elf/closure.h). Layers, from
 * the bottom: the base image's, then those of ours that are not empty: system (accounts,
 * certificates), libraries (one for each of the larger packages, one for the rest), files, app (the
 * program that is started). Several platforms make several images and one index.
 *
 * The image depends on the project's files, its last commit and the libraries of this machine (or
 * of the toolchain), and on nothing else: owners are 0:0, modes 0755 or 0644, times fixed; names of
 * one file (hard links) stay names of one file. The image's time is SOURCE_DATE_EPOCH if set, else
 * that of the last commit, else 0. Nothing is named, and no blob of a failed build is kept for
 * long, before everything went well. */
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
#define BUILD_LIBRARY_LAYERS 4 /* at most */
#define BUILD_MAX_LAYERS 7     /* of ours */
#define BUILD_MAX_PLATFORMS 16
#define BUILD_LAYER_NAME 64

/* Who looks on. Members may be NULL. Text is borrowed for the call. */
struct build_watch {
	void (*line)(void *user, const char *line); /* the steps' output */
	void (*begin)(void *user, const char *step);
	void (*done)(void *user, const char *step, int64_t ms); /* it went well */
	void (*note)(void *user, const char *text);
	/* Why something was made anew, or was not: "layer app", false, "src/main.c changed". */
	void (*explain)(void *user, const char *what, bool was_cached, const char *why);
	/* A layer's blob stands in the store, or stood there before; the image will get that name. */
	void (*layer)(void *user, const struct oci_ref *image, const struct oci_descriptor *layer,
				  bool was_there);
	/* Fetch an image into the store; base images that are not there come by this. platform: "" or
	 * "linux/arm64". */
	int (*pull)(void *user, const char *ref, const char *platform, struct oci_store *store,
				struct error *err);
	void *user;
};

struct build_request {
	const struct project *project;
	const char *store;     /* path; NULL: the usual one */
	const char *cache;     /* folder that remembers what was made before; NULL: none */
	const char *reference; /* name of the image; NULL: the project's image and version */
	struct strv platforms; /* "linux/amd64"; empty: the project's. Borrowed */
	const char *toolchain; /* these four NULL: the project's */
	const char *sysroot;
	const char *compression;
	const struct strv *step_env; /* "K=V" for the steps, over all else */
	unsigned threads;            /* that compress; 0: one for each core */
	bool no_steps;
	bool no_cache; /* make everything anew, and remember it */
	const struct clock *clock;
	const struct cancel *cancel;
	const struct log *log;
	struct build_watch watch;
};

struct build_layer {
	char name[BUILD_LAYER_NAME]; /* "libraries" */
	uint64_t bytes;              /* compressed */
	size_t files;                /* entries without the folders above them */
	bool was_there;              /* the store had it */
	char digest[OCI_DIGEST_LEN + 1];
};

/* The image of one platform. */
struct build_image {
	struct oci_platform platform;
	struct oci_descriptor image;
	struct build_layer layers[BUILD_MAX_LAYERS];
	size_t layer_count;
	uint64_t base_bytes; /* compressed layers of the base */
	int64_t image_ms;    /* from the end of the steps to its manifest */
};

struct build_result {
	char *ref;                   /* full text */
	struct oci_descriptor image; /* what the name leads to: the image, or an index of several */
	struct build_image *images;  /* in the order asked for */
	size_t image_count;
	int64_t created; /* seconds since 1970 */
};

void build_result_release(struct build_result *r);

/* ERR_SYS: a step failed; ERR_MISSING: a file to copy, a library, the base, a compiler; ERR_INPUT:
 * a damaged or foreign program, a setting that this version does not build, a file that changed
 * while it was read; ERR_INTERRUPTED. */
int build_run(const struct build_request *request, struct build_result *result, struct error *err);

/* What build_run names the project's image when the request does not: image and version.
 * ERR_INPUT. */
int build_reference(const struct project *project, struct oci_ref *out, struct error *err);

/* A tag from what git describes: characters that a tag may not have become '-'. Caller frees. */
char *build_version_tag(const char *described);
