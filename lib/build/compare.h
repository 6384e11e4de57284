/* compare.h - where two builds of one image differ: the first entry of the first layer, and in a
 * file the first byte, with a guess at what put it there. */
#pragma once

#include "oci/store.h"

/* An image or index in its store. */
struct compare_side {
	struct oci_store *store;
	const struct oci_descriptor *image;
	const char *sources; /* the folder it was built in: a path that programs may carry */
};

/* 0 when both have one digest; ERR_DIFFERENT names the first difference, with what to do about it
 * as the hint. scratch is an empty folder for files that are looked at. Damaged images as
 * oci_files_read tells. */
int build_compare(const struct compare_side *a, const struct compare_side *b, const char *scratch,
				  struct error *err);
