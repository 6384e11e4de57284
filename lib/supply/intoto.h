/* intoto.h - the names of an in-toto statement (attestation spec v1) with SLSA's provenance, as
 * registries and other tools know them. */
#pragma once

#define INTOTO_TYPE "application/vnd.in-toto+json"
#define INTOTO_STATEMENT "https://in-toto.io/Statement/v1"
/* on the artifact's manifest and on its blob */
#define INTOTO_ANNOTATION "in-toto.io/predicate-type"
#define INTOTO_PROVENANCE "https://slsa.dev/provenance/v1"
