/* metrics.h - counters, gauges and histograms, written in the Prometheus text format 0.0.4.
 *
 * Register each metric once; then update it from any thread:
 *
 *     struct metric *sent = metrics_counter(metrics, "mails_sent_total", "Mails sent.", "kind");
 *     metric_add(sent, 1, METRIC_LABELS("welcome"));
 *
 * A metric keeps at most METRIC_MAX_SERIES label combinations; what comes later is counted in one
 * series whose label values are all "_overflow", so a label that somebody outside controls cannot
 * eat the memory. */
#pragma once

#include "chassis/text.h"

#define METRIC_MAX_LABELS 3
#define METRIC_MAX_SERIES 512

#define METRIC_LABELS(...) ((const char *const[METRIC_MAX_LABELS]){__VA_ARGS__})

struct metrics;
struct metric;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);

/* `labels` names the labels, one space between them, or is "". All strings must outlive the
 * registry. */
struct metric *metrics_counter(
	struct metrics *metrics, const char *name, const char *help, const char *labels);
struct metric *metrics_gauge(
	struct metrics *metrics, const char *name, const char *help, const char *labels);

/* A histogram with the bucket bounds that OpenTelemetry advises for durations in seconds. */
struct metric *metrics_seconds(
	struct metrics *metrics, const char *name, const char *help, const char *labels);

/* `values` are in the order of the label names (NULL for a metric without labels). */
void metric_add(struct metric *metric, double amount, const char *const *values);
void metric_set(struct metric *metric, double value, const char *const *values);
void metric_observe(struct metric *metric, double value, const char *const *values);

/* Call `collect` before each scrape, to set gauges that are read rather than counted. */
void metrics_collect(struct metrics *metrics, void (*collect)(void *context), void *context);

/* Call no collector with this context any more; when it returns, none is running. */
void metrics_forget(struct metrics *metrics, const void *context);

void metrics_write(struct metrics *metrics, struct text *out);
