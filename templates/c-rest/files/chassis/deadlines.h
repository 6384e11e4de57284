/* deadlines.h - cuts clients that are too slow.
 *
 * libmicrohttpd's own timeout starts anew with every byte, so a client that sends one byte now and
 * then holds a connection for ever. Here each connection has a deadline for the whole header and
 * one for the whole body; one thread shuts down what is late. */
#pragma once

#include "chassis/text.h"

struct deadlines;
struct deadline; /* of one connection */

int deadlines_start(struct deadlines **out, struct text *why);

/* Stop the thread; every connection must have left. */
void deadlines_stop(struct deadlines *deadlines);

struct deadline *deadline_join(struct deadlines *deadlines, int fd);
void deadline_leave(struct deadlines *deadlines, struct deadline *deadline);

/* Cut the connection when this is not called again within `timeout_ms`; 0 means never. */
void deadline_set(struct deadlines *deadlines, struct deadline *deadline, int timeout_ms);
