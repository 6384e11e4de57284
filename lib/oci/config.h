/* config.h - the image configuration (image-spec v1.1, config.md), read for running and written by
 * build. */
#pragma once

#include "base/strv.h"
#include "doc/json.h"
#include "oci/manifest.h"

struct oci_config {
	struct oci_platform platform;
	struct strv entrypoint;
	struct strv cmd;
	struct strv env; /* "K=V" */
	char *user;      /* "", "65532:65532", "name" */
	char *workdir;
	char *stop_signal;
	struct strv exposed_ports; /* "8080/tcp" */
	struct strv diff_ids;
	json_t *labels; /* object of text, or NULL */
	char *created;  /* RFC 3339 */
	json_t *json;   /* the whole document as read; NULL when made here */
};

void oci_config_release(struct oci_config *c);
/* ERR_INPUT: os or architecture missing, rootfs malformed, diff_ids not digests. */
int oci_config_parse(struct span bytes, const char *name, struct oci_config *out,
					 struct error *err);
/* ERR_MISSING unless the image is for that platform. */
int oci_config_check_platform(const struct oci_config *c, const struct oci_platform *want,
							  struct error *err);
/* The document in msctl's canonical form (doc_json_write). With c->json (a base image's) it starts
 * from that and keeps what it does not know; OnBuild is taken out. diff_ids are all layers' from
 * the base upwards; history gets one entry for each of created_by, so that is one text for each
 * layer that the base does not have. */
void oci_config_write(const struct oci_config *c, const struct strv *created_by, struct buf *out);
