/* management.h - the management port: /livez /readyz /startupz /metrics.
 *
 * It has its own network thread and asks nobody who could block. Keep it inside the cluster. */
#pragma once

#include "chassis/health.h"
#include "chassis/metrics.h"

struct management;

/* Port 0 takes a free one; *port is then the one taken. */
int management_start(struct health *health, struct metrics *metrics, const char *address, int *port,
	struct management **out, struct text *why);
void management_stop(struct management *management);
