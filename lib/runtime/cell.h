/* cell.h - a root file system, unpacked already (runtime_unpack), in which programs run one after
 * the other by an OCI runtime: the inside of a toolchain image.
 *
 * The root is shared by everybody who runs something in it, and read-only for them; it gets but the
 * empty folders that others are mounted on, and files for the host's name resolution. What a
 * program may write: the folders of runtime_cell_mount, which are at the same path inside as
 * outside, and /tmp, which lasts as long as the cell and is its HOME.
 *
 * Programs are root inside. For a caller who is not root that is the caller outside: nobody else is
 * mapped, so whatever they make is the caller's. They have pid, mount, ipc and uts namespaces of
 * their own, so that nothing of them outlives a run, and the host's network, as they would have
 * outside. Their environment is the image's, HOME=/tmp, and what is given; nothing of ours. */
#pragma once

#include "base/auto.h"
#include "base/proc.h"
#include "base/strv.h"

struct runtime_cell;

struct runtime_cell_options {
	const char *image;      /* its name, for messages */
	const char *root;       /* the folder, absolute */
	const struct strv *env; /* "K=V" of the image's configuration */
	const char *runtime;    /* program; NULL: chosen, see runtime_find */
};

/* ERR_MISSING: no runtime is installed; ERR_INPUT: /dev, /proc, /sys or /tmp of the image is no
 * folder. */
int runtime_cell_open(const struct runtime_cell_options *options, struct runtime_cell **out,
					  struct error *err);
void runtime_cell_free(struct runtime_cell *c);
DEFINE_AUTO_PTR(runtime_cell)
/* Show a folder of this machine inside; path is absolute and has no links in it. ERR_INPUT: the
 * image has something else there. */
int runtime_cell_mount(struct runtime_cell *c, const char *path, struct error *err);
/* proc_run, inside. argv, cwd and env mean what is inside; unset takes variables of the image away.
 * Signals of cancel and timeout_ms reach every process inside. If msctl is killed, so are they.
 * ERR_MISSING: no such program; ERR_SYS: the runtime could not start it. */
int runtime_cell_run(struct runtime_cell *c, const struct proc_spec *spec,
					 struct proc_result *result, struct error *err);
