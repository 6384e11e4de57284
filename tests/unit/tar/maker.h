/* maker.h - archives made by hand, for tests: every field as the test wants it, right or wrong. */
#pragma once

#include "base/buf.h"
#include "tar/reader.h"

struct made {
	const char *path;
	char type; /* 0: '0' */
	const char *target;
	const char *content;
	unsigned mode;             /* 0: 0644, folders 0755 */
	const char *major, *minor; /* octal text */
	const char *size;          /* octal text in place of the right one */
};

/* Append one entry: header, content, padding. */
void make_entry(struct buf *tar, const struct made *m);
/* A PAX header of one record ("path", value of len bytes) in front of the next entry. */
void make_pax(struct buf *tar, const char *key, const char *value, size_t len);
void make_end(struct buf *tar);
/* Recompute the checksum of the header at offset. */
void make_checksum(struct buf *tar, size_t offset);

/* A source that gives the buffer in pieces of `step` bytes. */
struct made_source {
	const struct buf *from;
	size_t at, step;
};
struct tar_source made_source(struct made_source *s);
