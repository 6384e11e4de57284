/* challenge.h - WWW-Authenticate (RFC 9110, section 11.6.1). */
#pragma once

#include "base/error.h"

#include <stddef.h>

#define CHALLENGE_MAX 16        /* challenges read from one answer */
#define CHALLENGE_MAX_PARAMS 16 /* parameters of one challenge */

struct challenge {
	char *scheme; /* lower case: "bearer", "basic" */
	struct {
		char *name; /* lower case */
		char *value;
	} params[CHALLENGE_MAX_PARAMS];
	size_t param_count;
};

struct challenges {
	struct challenge items[CHALLENGE_MAX];
	size_t count;
};

void challenges_release(struct challenges *c);

/* Add the challenges of one header value (several may stand in one, separated by commas). ERR_INPUT
 * when malformed. */
int challenges_parse(const char *value, struct challenges *out, struct error *err);
/* The first of a scheme (lower case), or NULL; the same for a name. Borrowed. */
const struct challenge *challenges_find(const struct challenges *c, const char *scheme);
const char *challenge_param(const struct challenge *c, const char *name);
