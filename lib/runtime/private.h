/* private.h - the parts of lib/runtime among themselves. */
#pragma once

#include "base/list.h"
#include "base/strv.h"
#include "oci/config.h"
#include "runtime/runtime.h"

#include <sys/types.h>

#define BUNDLE_DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#define RUNTIME_MAX_ACCOUNTS (1u << 20) /* bytes of the image's passwd and group */

/* One line of an id map: size ids from inside on are the ids from outside on. */
struct id_range {
	uint32_t inside, outside, size;
};

struct id_map {
	bool used;   /* a user namespace is made */
	bool single; /* only one id is mapped */
	struct id_range uids[2], gids[2];
	size_t count; /* of both */
};

struct account {
	uint32_t uid, gid;
	uint32_t groups[32];
	size_t group_count;
};

/* A file or folder of this machine that is seen inside. */
struct bundle_bind {
	char *inside; /* where; a place that leads through no link */
	char *source;
};

struct runtime_bundle {
	char *name; /* of the image, for messages */
	char *id;   /* random hex: of the container */
	char *dir;  /* all of the following is below it */
	char *rootfs;
	char *state;    /* the runtime's --root */
	char *log_path; /* what the runtime has to say */
	char *pid_path;
	char *runtime; /* absolute path */
	bool is_crun;
	bool started;
	int root_fd;
	int lock; /* on dir, while we live: others remove what the dead left */
	struct strv args, env;
	struct account account;
	struct id_map map;
	uint64_t file_capabilities; /* of the program, by number */
	bool read_only;
	bool keep_owner; /* who changes a file's owner changes nothing */
	bool has_tmp;    /* /tmp is a folder that can be mounted over */
	char *cwd;
	char *hostname;
	LIST(struct bundle_bind) binds; /* in the order in which they are mounted */
};

/* --- prepare.c --- */
/* Choose the runtime and make the folder: all of it but the root file system. ERR_MISSING. */
int bundle_open(struct runtime_bundle *b, const char *wanted, struct error *err);
void bundle_release(struct runtime_bundle *b);
/* Set a variable; a later one of the same name wins. */
void bundle_set_env(struct strv *env, const char *entry);
int bundle_write_spec(const struct runtime_bundle *b, struct error *err);
/* --- container.c --- */
extern const char *const bundle_runtime_env[]; /* of the runtime itself */
/* What runs the container, to its end. */
void bundle_run_argv(const struct runtime_bundle *b, struct strv *argv);
/* Its first process as this machine numbers it, -1: none yet. */
pid_t bundle_container_pid(const struct runtime_bundle *b);
/* Whatever is left of it, if the runtime did not get to tidy up. */
void bundle_delete_container(const struct runtime_bundle *b);
/* The runtime ended with that status: did the program start? ERR_SYS. */
int bundle_check_started(const struct runtime_bundle *b, int status, struct error *err);
/* --- guard.c --- */
/* Who ends the container if we are killed. */
struct guard {
	int fd;
	pid_t pid; /* 0: nobody */
};

int bundle_guard(const struct runtime_bundle *b, struct guard *out, struct error *err);
void guard_release(struct guard *g);
/* --- unpack.c --- */
/* Apply the image's layers to b->rootfs, each verified against its digest and diff_id; config is
 * the caller's. */
int bundle_unpack(struct runtime_bundle *b, struct oci_store *store,
				  const struct oci_descriptor *image, const struct runtime_options *o,
				  struct oci_config *config, struct error *err);
/* --- platform.c --- */
/* Does the machine run programs of that platform, itself or emulated? ERR_MISSING. */
int bundle_check_platform(const struct oci_platform *p, const char *name, const struct log *log,
						  struct error *err);
/* Is an emulator for the architecture registered? binfmt_misc: the folder where it would be. */
bool platform_is_emulated(const char *binfmt_misc, const char *arch);
/* --- rootfs.c --- */
/* Make sure that what is mounted over is a real folder; give the container the host's name
 * resolution. */
int bundle_check_rootfs(struct runtime_bundle *b, const char *name, struct error *err);
/* Take the image's working folder ("": the root) when it is a folder there, or can be made.
 * ERR_INPUT. */
int bundle_choose_cwd(struct runtime_bundle *b, const char *workdir, const char *name,
					  struct error *err);
/* Where in the root path is, links followed; what is missing is made as folders. *inside: the
 * place itself, the caller's. ERR_INPUT. */
int bundle_mount_point(const struct runtime_bundle *b, const char *path, char **inside,
					   struct error *err);
/* Is there a program of that name, found along the PATH of b->env when it has no slash?
 * ERR_MISSING. */
int bundle_check_program(const struct runtime_bundle *b, const char *name, struct error *err);
/* A descriptor (O_PATH) of the program that bundle_check_program finds; -1: there is none. */
int bundle_open_program(const struct runtime_bundle *b);
/* Read a file of the image, links resolved inside of it. */
int bundle_read_file(const struct runtime_bundle *b, const char *path, struct buf *out,
					 struct error *err);
/* --- account.c --- */
/* "UID", "UID:GID", "NAME", "NAME:GROUP" or "" (root) by the image's passwd and group. */
int bundle_account(const struct runtime_bundle *b, const char *user, struct account *out,
				   struct error *err);
/* Which ids a caller that is not root may use. */
void id_map_choose(struct id_map *out);
/* Nobody but the caller, who is root inside. */
void id_map_self(struct id_map *out);
/* --- capability.c --- */
/* What its file gives to the program, as far as it was unpacked with it. ERR_DENIED: more than
 * containers get, so that it could not start. */
int bundle_file_capabilities(struct runtime_bundle *b, struct error *err);
/* The permitted set of a struct vfs_cap_data; 0 of anything else. */
uint64_t capability_of_file(const uint8_t *value, size_t len, bool *is_effective);
json_t *bundle_capabilities(const struct runtime_bundle *b);
/* --- seccomp.c --- */
/* Changing a file's owner succeeds and does nothing, for who is root inside and sees but one user:
 * programs that unpack or install as root do it. NULL: not on this architecture. */
json_t *seccomp_keep_owner(void);
/* --- spec.c --- */
/* The runtime's config.json. */
void bundle_spec(const struct runtime_bundle *b, struct buf *out);
