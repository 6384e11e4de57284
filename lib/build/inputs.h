/* inputs.h - what a thing was made from, as names and values in order: its key, and what the next
 * build compares with to say why it makes the thing anew.
 *
 * The first character of a name is its kind. Values of variables are kept as digests, but for those
 * that compilers are known to read (inputs_env): a reason never has a secret in it. */
#pragma once

#include "base/buf.h"
#include "crypto/sha256.h"

#include <stdbool.h>

/* "compression" = "gzip": was ..., is ... */
#define INPUT_SETTING 's'
/* "this machine's packages" = opaque: changed */
#define INPUT_STATE 'm'
/* "1" = text of a step */
#define INPUT_STEP 'c'
#define INPUT_ENV 'e'
/* path = "TYPE MODE OWNER TIME CONTENT": the reason names what of it is another */
#define INPUT_FILE 'f'
/* path = opaque: changed */
#define INPUT_STAT 't'

struct inputs {
	struct buf bytes; /* length-prefixed, so that no two lists are the same bytes */
};

void inputs_release(struct inputs *i);
void inputs_add(struct inputs *i, char kind, const char *name, const void *value, size_t len);
void inputs_text(struct inputs *i, char kind, const char *name, const char *value);
/* "K=V" of an environment. */
void inputs_env(struct inputs *i, const char *setting);
void inputs_key(const struct inputs *i, uint8_t key[SHA256_BYTES]);

/* Why `now` is not `before`: "src/main.c changed (and 2 more)". Caller frees. */
char *inputs_reason(const struct buf *before, const struct buf *now);
