/* listener.h - a listening TCP socket. */
#pragma once

#include "chassis/text.h"

/* Listen on a numeric address ("::" means every address of IPv4 and IPv6, or of IPv4 alone where
 * the machine has no IPv6). Port 0 takes a free one; *port is then the one taken. */
int listener_open(const char *address, int *port, int *fd, struct text *why);
