/* probe.h - ask a running instance on this machine whether it is ready, for health checks of images
 * that have no shell and no curl. */
#pragma once

#include "chassis/text.h"

/* Returns 0 when /readyz on 127.0.0.1 answers 200 within a few seconds. */
int probe_ready(int management_port, struct text *why);
