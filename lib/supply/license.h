/* license.h - which licence a Debian package has, by its copyright file in the machine-readable
 * format (copyright-format 1.0), as an SPDX licence expression (SPDX 2.3, annex D). */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

struct license {
	char *names;  /* Debian's own words, "GPL-2+; Expat"; NULL: the file does not say it readably */
	char *refers; /* the common licences that such a file refers to, "GPL-2; LGPL-2.1", which are of
					 some part of it; or NULL */
	char *spdx;   /* all of them, joined by AND; NULL: one of them has no SPDX name */
};

void license_release(struct license *l);

/* The licences of all of a copyright file's Files paragraphs, in their order, without those of the
 * packaging (debian/). Never fails. */
void license_read(struct span copyright, struct license *out);

/* A short name or an expression of them ("GPL-2+ or Expat") in SPDX's words; false when it has no
 * equivalent. */
bool license_to_spdx(struct span names, struct buf *out);

/* Is it an SPDX licence expression (annex D)? Names are judged by their form and not by a list, but
 * Debian's names that are none of SPDX's are refused with the right one as hint. ERR_INPUT. */
int license_check(const char *expression, struct error *err);
