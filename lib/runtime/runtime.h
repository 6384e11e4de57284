/* runtime.h - an image run here, once, by an OCI runtime (runtime-spec 1.0): crun, or runc where
 * crun is absent or refuses.
 *
 * Prepare unpacks the image into a folder of its own, checks it and writes the runtime's
 * configuration; start runs the container to its end; free removes everything. The store is needed
 * for preparing only: free it before start.
 *
 * The container has its own pid, mount, ipc and uts namespaces and the host's network, so that
 * ports need no mapping; a user namespace when the caller is not root. No new privileges, few
 * capabilities for root and none for others, no terminal, stdin inherited, the environment of the
 * image and nothing of ours. /dev, /proc and /sys are proven to be real folders before the runtime
 * sees them: the runtimes of Debian 12 follow links there (CVE-2026-47766, CVE-2026-41579). */
#pragma once

#include "base/auto.h"
#include "base/cancel.h"
#include "base/log.h"
#include "oci/config.h"
#include "oci/store.h"

struct runtime_options {
	const char *const *args; /* replace the image's Cmd when arg_count > 0 */
	size_t arg_count;
	const char *entrypoint; /* replaces the image's Entrypoint and Cmd; NULL: the image's */
	const char *const *env; /* "K=V" over the image's */
	size_t env_count;
	const char *user;            /* "UID[:GID]" or names; NULL: the image's */
	const char *runtime;         /* program; NULL: chosen */
	const char *hostname;        /* NULL: the container's id */
	bool read_only;              /* root file system; /tmp stays writable */
	const struct cancel *cancel; /* while preparing */
	const struct log *log;
};

/* The OCI runtime to use: `wanted` if given, else crun where it can run, else runc. *out: its path,
 * the caller's. ERR_MISSING. */
int runtime_find(const char *wanted, char **out, struct error *err);

/* An image's layers, its documents having been read. All borrowed. */
struct runtime_layers {
	const char *name; /* starts messages */
	const struct oci_manifest *manifest;
	const struct oci_config *config;
	const struct cancel *cancel;
	const struct log *log;
};

/* Apply them to the empty folder root_fd, each verified against its digest and diff_id. Owners are
 * kept for root; else everything is the caller's. What was unpacked before a failure stays.
 * ERR_INPUT: damaged or hostile; ERR_INTERRUPTED; ERR_SYS. */
int runtime_unpack(struct oci_store *store, const struct runtime_layers *layers, int root_fd,
				   struct error *err);

struct runtime_bundle;

/* name starts messages. ERR_INPUT: the image is damaged or hostile; ERR_MISSING: no image for this
 * platform, no such program or user in it, no runtime installed; ERR_INTERRUPTED. */
int runtime_prepare(struct oci_store *store, const struct oci_descriptor *image, const char *name,
					const struct runtime_options *options, struct runtime_bundle **out,
					struct error *err);
void runtime_bundle_free(struct runtime_bundle *b);
DEFINE_AUTO_PTR(runtime_bundle)
/* Run to the end. SIGINT, SIGTERM, SIGHUP and SIGQUIT go to the container; a second SIGINT or
 * SIGTERM kills it, a terminal's end is a SIGTERM. Standard input is the container's unless it is a
 * terminal. *exit_status: the program's, or 128 + signal. ERR_SYS when the runtime could not start
 * it. */
int runtime_start(struct runtime_bundle *b, int *exit_status, struct error *err);
