/* members.h - bytes in, compressed members out: made on several threads, delivered in order; for
 * lib/tar/ only.
 *
 * Each member is one input buffer of at most LAYER_MEMBER_BYTES; its bytes depend on the input and
 * the codec alone, never on the number of threads or on what the cache has. Memory is bounded by
 * MEMBERS_BUFFERS(threads) buffers and a codec for each thread. The caller's thread compresses,
 * too, whenever it would wait; input of one member starts no thread. */
#pragma once

#include "base/auto.h"
#include "base/error.h"
#include "tar/layer.h"

#define MEMBERS_MAX_THREADS 12
/* waiting, being made, or made and waiting for those before them */
#define MEMBERS_SLOTS(threads) ((threads) + (threads) / 2 + 1)
#define MEMBERS_BUFFERS(threads) (MEMBERS_SLOTS(threads) + (threads))

struct members;

struct members_options {
	enum layer_codec codec;
	unsigned threads;                /* 0: as many as this process may use cores */
	const struct layer_cache *cache; /* borrowed; NULL: none */
};

/* deliver is called on the caller's thread only, member by member. */
struct members *members_new(const struct members_options *options,
							const struct layer_sink *deliver);
void members_free(struct members *m);
DEFINE_AUTO_PTR(members)

/* Where the next member's input goes: LAYER_MEMBER_BYTES of room. Valid until the next submit. */
char *members_buffer(struct members *m);
/* The buffer holds len bytes, which are one member. */
int members_submit(struct members *m, size_t len, struct error *err);
/* Deliver what is under way. */
int members_finish(struct members *m, struct error *err);
