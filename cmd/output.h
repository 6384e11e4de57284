/* output.h - where a command writes an image to, as its -o names it:
 *
 *	oci:DIR[:REF]   oci-archive:FILE[:REF]   docker-archive:FILE[:NAME:TAG]
 *
 * The first ':' behind the kind ends the path; FILE "-" is standard output. The same option still
 * takes table, json and yaml. */
#pragma once

#include "base/list.h"
#include "cmd/command.h"
#include "doc/json.h"
#include "oci/export.h"

#define OUTPUT_ARGUMENT "FORMAT|DEST"

/* For the option's row: what completion offers. */
extern const char *const output_words[];

struct output {
	const char *text; /* as given; borrowed */
	enum {
		OUTPUT_LAYOUT,
		OUTPUT_ARCHIVE,
		OUTPUT_DOCKER,
	} kind;
	char *path;
	char *ref; /* NULL: none given */
};

struct outputs {
	LIST(struct output) items;
};

void outputs_release(struct outputs *o);

/* Read what -o was given; a format goes where the global option of that name would have put it.
 * What is in the way of a destination is found here, before there is an image: ERR_USAGE,
 * ERR_CONFLICT, ERR_MISSING. With an archive on standard output the answer goes to stderr. */
int outputs_parse(struct ctx *ctx, const struct opt_list *given, struct outputs *out,
				  struct error *err);
/* Write the image that is called ref to all of them, and say so. */
int outputs_write(struct ctx *ctx, const struct outputs *o, struct oci_store *store,
				  const struct oci_image *image, struct error *err);
/* For a document: an array of the texts. */
json_t *outputs_document(const struct outputs *o);
