/* project.h - msctl.yaml: read, checked, with the environment chosen and variables replaced.
 *
 * Unknown keys are errors with the nearest key; "x-*" keys are ignored. ${NAME}, ${NAME:-default}
 * and ${NAME:?message} are replaced in scalar values after parsing, from the environment's vars and
 * nothing else; in this file that is everything below an environment. Every message has
 * file:line:column.
 *
 * Keys that this version does not act on (dockerfile, context, args, target, swarm,
 * verify, ci, services) are accepted when they have the right type; the command that would need one
 * says that it cannot. */
#pragma once

#include "base/error.h"
#include "base/strv.h"
#include "doc/yaml.h"

#include <stdbool.h>

#define PROJECT_FILE "msctl.yaml"
#define PROJECT_MAX_BYTES (1u << 20)
#define PROJECT_MAX_EXPANDED (16u << 20) /* what variables put into one document */

struct project_copy {
	const char *from; /* in the project */
	const char *to;   /* absolute, in the image */
};

/* What becomes of a program that lacks PIE, RELRO or a stack that cannot be executed. */
enum project_hardening {
	HARDENING_WARN,
	HARDENING_REQUIRE,
	HARDENING_OFF,
};

struct project_build {
	struct strv steps;        /* shell lines, run by sh -e in the project folder */
	const char *build_system; /* "auto", "meson", "cmake", "autotools", "make"; auto: where there
							  are neither steps nor copies, what is found */
	struct strv options;      /* for the system's configure step, or make */
	const char *binary;       /* of what is installed the program that is started; NULL: the only */
	bool strip;               /* installed programs (default true) */
	const char *toolchain;    /* image in which the steps run, or NULL */
	const char *sysroot;      /* where libraries are looked for; NULL: chosen by platform */
	const char *base;         /* "scratch" or a reference */
	struct project_copy *copy;
	size_t copy_count;
	bool libraries;    /* take the shared-library closure along (default true) */
	bool certificates; /* CA bundle (default false) */
	bool timezones;
	struct strv entrypoint; /* empty: the first copied file */
	struct strv cmd;
	const char *user; /* default "65532:65532" */
	const char *workdir;
	struct strv ports;       /* "8080/tcp" */
	struct strv env;         /* "K=V" */
	json_t *labels;          /* object or NULL; borrowed */
	struct strv platforms;   /* default: the host's */
	const char *compression; /* "gzip", "zstd" */
	enum project_hardening hardening;
	json_t *capabilities;   /* object path in the image -> "cap_x=ep", or NULL; borrowed */
	const char *dockerfile; /* NULL: native build */
	const char *stop_signal;
};

struct project_patch {
	const char *kind, *name; /* NULL: any */
	json_t *merge;           /* RFC 7396, or NULL */
	json_t *json6902;        /* RFC 6902, or NULL */
};

struct project_environment {
	const char *name;
	const char *target;     /* "local", "kubernetes", "swarm" */
	const char *context;    /* NULL: the kubeconfig's current one */
	const char *namespace_; /* NULL: the context's */
	json_t *vars;           /* object of text, whole numbers and truths, or NULL */
	struct project_patch *patches;
	size_t patch_count;
	struct strv exclude; /* "Kind" or "Kind/name" left out here */
	const char *from;
	const char *host; /* swarm */
};

struct project {
	char *dir;             /* where msctl.yaml lies */
	char *file;            /* path of it, as messages name it */
	bool is_written;       /* there is such a file; false: everything has its default */
	char *folder_name;     /* owns the name where no file gives one */
	struct yaml_file yaml; /* owns what the const char * members point to */
	const char *name;      /* default: the folder's name */
	const char *image;     /* default: name */
	const char *version;   /* "git" or a literal */
	const char *test;      /* NULL */
	const char *license;   /* SPDX expression, or NULL */
	struct project_build build;
	struct strv kubernetes; /* deploy.kubernetes */
	int64_t timeout_ms;     /* deploy.timeout, default 5 min */
	struct project_environment *environments;
	size_t environment_count;
};

void project_release(struct project *p);

/* Read file (NULL: msctl.yaml in dir; dir NULL: the current folder). ERR_MISSING with a hint when
 * there is none. */
int project_load(const char *dir, const char *file, struct project *out, struct error *err);
/* The same for commands that work without one: where dir has no msctl.yaml and none was named,
 * everything has its default and the name is the folder's. */
int project_load_any(const char *dir, const char *file, struct project *out, struct error *err);
/* The environment of a name; NULL name: the only one, or "local" when none is written (ERR_USAGE
 * when there are several). ERR_MISSING with the nearest name. Borrowed. */
int project_environment(const struct project *p, const char *name,
						const struct project_environment **out, struct error *err);

/* A DNS label (RFC 1035): lower-case letters, digits and '-', beginning with a letter, at most 63
 * characters. */
bool project_name_is_valid(const char *name);

/* Replace ${...} in every scalar value of doc (text members and elements, not keys), in place.
 * vars: as in project_environment, or NULL. marks and name are for messages. A value that is one
 * expression alone takes the variable's type (replicas: ${REPLICAS} with the number 3); $${ stands
 * for a plain ${. A replaced value is not looked at again. ERR_INPUT: undefined variable, malformed
 * expression. */
int project_expand(json_t *doc, const json_t *vars, const struct doc_marks *marks, const char *name,
				   struct error *err);
