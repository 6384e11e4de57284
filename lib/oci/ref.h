/* ref.h - image references by the distribution grammar: [HOST[:PORT]/]NAME[:TAG][@DIGEST].
 *
 * The first component is a host iff it contains '.' or ':', is "localhost", or has an upper-case
 * letter (distribution/reference, normalize.go). Without a host the reference is local: it names an
 * image of the local store, and a push of it is an error. docker.io is normalised: index.docker.io
 * -> docker.io, one-component names get "library/". */
#pragma once

#include "base/error.h"

#include <stdbool.h>

#define OCI_REF_MAX_NAME 255
#define OCI_REF_MAX_TAG 128

struct oci_ref {
	char *host;   /* "registry.example.com:5000"; NULL: local */
	char *name;   /* "shop/orders" */
	char *tag;    /* NULL: none written */
	char *digest; /* "sha256:..."; NULL: none written */
};

void oci_ref_release(struct oci_ref *r);

/* ERR_INPUT with what is wrong: upper case, empty, too long, bad digest. */
int oci_ref_parse(const char *text, struct oci_ref *out, struct error *err);
/* The same, and the tag "latest" when neither tag nor digest is written. */
int oci_ref_parse_tagged(const char *text, struct oci_ref *out, struct error *err);
/* HOST/NAME:TAG@DIGEST as far as present. Caller frees. */
char *oci_ref_text(const struct oci_ref *r);
/* HOST/NAME. Caller frees. */
char *oci_ref_repository(const struct oci_ref *r);
/* The host that serves the API: registry-1.docker.io for docker.io. Borrowed. */
const char *oci_ref_api_host(const struct oci_ref *r);
bool oci_is_tag(const char *text);
