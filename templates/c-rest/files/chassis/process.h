/* process.h - the metrics of the process itself, by the names that Prometheus clients share. */
#pragma once

#include "chassis/metrics.h"

struct process;

/* Register; free after the registry. */
struct process *process_metrics(struct metrics *metrics);
void process_free(struct process *process);
