/* framing.h - refuses requests whose framing two servers could read differently (RFC 9112, sections
 * 3.2, 5.1 and 6.3), which libmicrohttpd before 1.0 lets through even in its strict mode. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;

struct framing {
	int hosts;
	int content_lengths;
	int transfer_encodings;
	const char *refusal; /* why the request must be refused, or NULL */
};

/* Take one header field into account. */
void framing_add(struct framing *framing, const char *name, size_t name_size, const char *value,
	size_t value_size);

/* Judge the fields seen so far. */
void framing_finish(struct framing *framing, bool http_1_1);

/* Why the request on this connection must be refused with 400, or NULL. */
const char *framing_check(struct MHD_Connection *connection, const char *version);
