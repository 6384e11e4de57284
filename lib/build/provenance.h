/* provenance.h - how an image was made: an in-toto statement (attestation spec v1) with SLSA's
 * provenance predicate (slsa.dev/provenance/v1).
 *
 * It is a function of the sources, of what went into the image and, in CI, of the run's address:
 * startedOn and finishedOn would make two builds of the same differ and are left out. Of the
 * environment nothing is recorded but that address. Addresses lose their credentials. It is not
 * signed, and says who built it only as far as "msctl, on some machine". */
#pragma once

#include "build/private.h"
#include "supply/sbom.h"

/* What the parameters mean, msctl-sbom(1) tells; another meaning gets another number. Schemes of
 * their own: nobody is promised a page behind a name that is not ours. */
#define PROVENANCE_BUILD_TYPE "msctl:build/v1"
#define PROVENANCE_BUILDER "msctl:builder/local"

#define PROVENANCE_MAX_STEP 65536 /* bytes of one that are told */

/* All but the packages; *out is the caller's. ERR_SYS, ERR_DENIED: msctl.yaml cannot be read. */
int provenance_statement(const struct build *b, const char *digest, json_t **out,
						 struct error *err);
/* Packages of distributions whose files are in the image. */
void provenance_add_packages(json_t *statement, const struct sbom *s);
/* The package of the compiler; one without an address is left out. */
void provenance_add_compiler(json_t *statement, const struct sbom_package *p);
/* The compiler of this machine that the steps find when they do not choose another; NULL when no
 * step ran here, or the caller's environment chooses. Caller frees. */
char *provenance_compiler(const struct build *b);

/* text without the "user:password@" of each URL in it. Caller frees. */
char *provenance_without_credentials(const char *text);
