/* gzip_members.h - bytes in, gzip members out: compressed on several threads, delivered in order.
 *
 * Each member (RFC 1952) is one input buffer of at most LAYER_MEMBER_BYTES; its bytes depend on the
 * input alone, never on the number of threads. Memory is bounded by twice the threads' number of
 * buffers. The caller's thread compresses, too, whenever it would wait; input of one member starts
 * no thread. */
#pragma once

#include "base/auto.h"
#include "base/error.h"

#include <stddef.h>

struct gzip_members;

/* deliver is called on the caller's thread only, member by member. threads 0: as many as there are
 * cores. */
struct gzip_members *gzip_members_new(unsigned threads,
									  int (*deliver)(void *user, const void *data, size_t len,
													 struct error *err),
									  void *user);
void gzip_members_free(struct gzip_members *g);
DEFINE_AUTO_PTR(gzip_members)

/* Where the next member's input goes: LAYER_MEMBER_BYTES of room. Valid until the next submit. */
char *gzip_members_buffer(struct gzip_members *g);
/* The buffer holds len bytes, which are one member. */
int gzip_members_submit(struct gzip_members *g, size_t len, struct error *err);
/* Deliver what is under way. */
int gzip_members_finish(struct gzip_members *g, struct error *err);
