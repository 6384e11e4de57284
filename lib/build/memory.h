/* memory.h - what one build knows of those before it, for all its platforms.
 *
 *	CACHE/stat.idx         digests of files of this machine (statindex.h)
 *	CACHE/layers/KEY       which blob came out of the same content (cache.c)
 *	CACHE/bases/KEY        file trees of base images (basetree.c)
 *	CACHE/members/         compressed pieces of layers (members.h)
 *	CACHE/groups/, dpkg    which package owns which library (groups.c, supply/dpkg.h)
 *	CACHE/toolchains/      unpacked toolchain images (toolchain.c)
 *	CACHE/collected        when the caps were last looked after (collect.h)
 *	CACHE/projects/ID/     of one project: digests of its files, why its last build was as it was
 *
 * All of it may be removed at any time. What cannot be read or is damaged was never there. */
#pragma once

#include "build/inputs.h"
#include "build/listing.h"
#include "build/private.h"
#include "build/statindex.h"

struct build_memory {
	char *cache;            /* NULL: nothing is remembered */
	char *project;          /* CACHE/projects/ID */
	bool is_forgetful;      /* --no-cache: nothing that was remembered is believed */
	struct statindex *sums; /* of this machine's files ... */
	struct statindex *own;  /* ... and of the project's: see build_memory_sums */
	char *dir;              /* the project's, as files of it are named */
	char *root;             /* the repository's folder, or the project's; without links */
	char *within;           /* the project's folder below it, "" or "services/orders/" */
	bool has_git;           /* root has a .git ... */
	bool is_repo;           /* ... which is a folder */
	struct listing files;   /* of root, when the build began or its last steps had ended */
	bool is_listed;
	/* while steps run: */
	bool has_begun;
	int lock;               /* nobody else runs them; -1: none */
	struct inputs settings; /* all that they depend on but files */
	struct map outputs; /* paths that steps wrote -> not NULL; NULL: perhaps it was somebody else */
};

void build_memory_open(const struct build_request *request, struct build_memory **out);
/* Keeps what is new. */
void build_memory_free(struct build_memory *m);
/* Look at the files, unless that was done. */
const struct listing *build_memory_files(struct build_memory *m, const struct cancel *cancel);
/* The index for a file. */
struct statindex *build_memory_sums(const struct build_memory *m, const char *file);
/* They may be others now. */
void build_memory_forget_files(struct build_memory *m);
/* Steps that ran have ended. */
void build_memory_unlock(struct build_memory *m);

/* repository.c: what git says; out stays zeroed outside of a repository. m may be NULL. */
int build_repository(struct build_memory *m, const struct project *p, struct repo_info *out,
					 struct error *err);

/* The digests of a file of the tree. */
int build_file_sum(const struct build *b, const struct tree_node *n, struct statindex_sum *out,
				   struct error *err);
