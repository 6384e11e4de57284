#include "chassis/metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum metric_kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };

static const double seconds_bounds[] = {
	0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10};

#define BOUNDS (sizeof(seconds_bounds) / sizeof(seconds_bounds[0]))

struct series {
	struct series *next;
	char *values[METRIC_MAX_LABELS];
	double value; /* the sum, for a histogram */
	uint64_t count;
	uint64_t buckets[BOUNDS];
};

struct metric {
	struct metric *next;
	struct metrics *owner;
	enum metric_kind kind;
	const char *name;
	const char *help;
	char *labels[METRIC_MAX_LABELS];
	int label_count;
	struct series *first;
	int series_count;
};

struct collector {
	struct collector *next;
	void (*collect)(void *context);
	void *context;
};

struct metrics {
	pthread_mutex_t lock;
	struct metric *first;
	struct metric **last;
	pthread_mutex_t collect_lock; /* held while collectors run; taken before `lock` */
	struct collector *collectors;
};

struct metrics *metrics_new(void)
{
	struct metrics *metrics = must_alloc(1, sizeof(*metrics));

	pthread_mutex_init(&metrics->lock, NULL);
	pthread_mutex_init(&metrics->collect_lock, NULL);
	metrics->last = &metrics->first;
	return metrics;
}

static void free_metric(struct metric *metric)
{
	while (metric->first) {
		struct series *series = metric->first;

		metric->first = series->next;
		for (int i = 0; i < metric->label_count; i++)
			free(series->values[i]);
		free(series);
	}
	for (int i = 0; i < metric->label_count; i++)
		free(metric->labels[i]);
	free(metric);
}

void metrics_free(struct metrics *metrics)
{
	if (!metrics)
		return;
	while (metrics->first) {
		struct metric *metric = metrics->first;

		metrics->first = metric->next;
		free_metric(metric);
	}
	while (metrics->collectors) {
		struct collector *collector = metrics->collectors;

		metrics->collectors = collector->next;
		free(collector);
	}
	pthread_mutex_destroy(&metrics->lock);
	pthread_mutex_destroy(&metrics->collect_lock);
	free(metrics);
}

static struct metric *add_metric(struct metrics *metrics, enum metric_kind kind, const char *name,
	const char *help, const char *labels)
{
	struct metric *metric = must_alloc(1, sizeof(*metric));

	metric->owner = metrics;
	metric->kind = kind;
	metric->name = name;
	metric->help = help;
	while (*labels && metric->label_count < METRIC_MAX_LABELS) {
		size_t size = strcspn(labels, " ");
		char *label = must_alloc(1, size + 1);

		memcpy(label, labels, size);
		metric->labels[metric->label_count++] = label;
		labels += size + (labels[size] == ' ');
	}
	pthread_mutex_lock(&metrics->lock);
	*metrics->last = metric;
	metrics->last = &metric->next;
	pthread_mutex_unlock(&metrics->lock);
	return metric;
}

struct metric *metrics_counter(
	struct metrics *metrics, const char *name, const char *help, const char *labels)
{
	return add_metric(metrics, KIND_COUNTER, name, help, labels);
}

struct metric *metrics_gauge(
	struct metrics *metrics, const char *name, const char *help, const char *labels)
{
	return add_metric(metrics, KIND_GAUGE, name, help, labels);
}

struct metric *metrics_seconds(
	struct metrics *metrics, const char *name, const char *help, const char *labels)
{
	return add_metric(metrics, KIND_HISTOGRAM, name, help, labels);
}

static bool same_values(
	const struct metric *metric, const struct series *series, const char *const *values)
{
	for (int i = 0; i < metric->label_count; i++)
		if (strcmp(series->values[i], values[i] ? values[i] : "") != 0)
			return false;
	return true;
}

/* Find or make a series; the caller holds the lock. */
static struct series *get_series(struct metric *metric, const char *const *values)
{
	static const char *const overflow[METRIC_MAX_LABELS] = {"_overflow", "_overflow", "_overflow"};
	struct series **place = &metric->first;

	for (; *place; place = &(*place)->next)
		if (same_values(metric, *place, values))
			return *place;
	if (metric->series_count == METRIC_MAX_SERIES)
		return get_series(metric, overflow);
	if (metric->series_count == METRIC_MAX_SERIES - 1)
		values = overflow;
	metric->series_count++;
	*place = must_alloc(1, sizeof(**place));
	for (int i = 0; i < metric->label_count; i++)
		(*place)->values[i] = must_copy(values[i] ? values[i] : "");
	return *place;
}

void metric_add(struct metric *metric, double amount, const char *const *values)
{
	pthread_mutex_lock(&metric->owner->lock);
	get_series(metric, values)->value += amount;
	pthread_mutex_unlock(&metric->owner->lock);
}

void metric_set(struct metric *metric, double value, const char *const *values)
{
	pthread_mutex_lock(&metric->owner->lock);
	get_series(metric, values)->value = value;
	pthread_mutex_unlock(&metric->owner->lock);
}

void metric_observe(struct metric *metric, double value, const char *const *values)
{
	struct series *series;
	size_t bucket = 0;

	while (bucket < BOUNDS && value > seconds_bounds[bucket])
		bucket++;
	pthread_mutex_lock(&metric->owner->lock);
	series = get_series(metric, values);
	series->value += value;
	series->count++;
	if (bucket < BOUNDS)
		series->buckets[bucket]++;
	pthread_mutex_unlock(&metric->owner->lock);
}

void metrics_collect(struct metrics *metrics, void (*collect)(void *context), void *context)
{
	struct collector *collector = must_alloc(1, sizeof(*collector));

	collector->collect = collect;
	collector->context = context;
	pthread_mutex_lock(&metrics->collect_lock);
	collector->next = metrics->collectors;
	metrics->collectors = collector;
	pthread_mutex_unlock(&metrics->collect_lock);
}

void metrics_forget(struct metrics *metrics, const void *context)
{
	struct collector **place = &metrics->collectors;

	pthread_mutex_lock(&metrics->collect_lock);
	while (*place) {
		struct collector *collector = *place;

		if (collector->context != context) {
			place = &collector->next;
			continue;
		}
		*place = collector->next;
		free(collector);
	}
	pthread_mutex_unlock(&metrics->collect_lock);
}

static void write_label_value(struct text *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			text_addf(out, "\\%c", *value);
		else if (*value == '\n')
			text_add(out, "\\n", 2);
		else
			text_add(out, value, 1);
	}
}

static void write_name(struct text *out, const struct metric *metric, const struct series *series,
	const char *suffix, const char *bound)
{
	text_addf(out, "%s%s", metric->name, suffix);
	if (metric->label_count == 0 && !bound)
		return;
	for (int i = 0; i < metric->label_count; i++) {
		text_addf(out, "%c%s=\"", i ? ',' : '{', metric->labels[i]);
		write_label_value(out, series->values[i]);
		text_add(out, "\"", 1);
	}
	if (bound)
		text_addf(out, "%cle=\"%s\"", metric->label_count ? ',' : '{', bound);
	text_add(out, "}", 1);
}

static void write_number(struct text *out, double value)
{
	if (fabs(value) < 9e15 && trunc(value) == value)
		text_addf(out, " %.0f\n", value);
	else
		text_addf(out, " %.9g\n", value);
}

static void write_histogram(
	struct text *out, const struct metric *metric, const struct series *series)
{
	uint64_t total = 0;
	struct text bound = {0};

	for (size_t i = 0; i < BOUNDS; i++) {
		total += series->buckets[i];
		bound.size = 0;
		text_addf(&bound, "%g", seconds_bounds[i]);
		write_name(out, metric, series, "_bucket", bound.data);
		text_addf(out, " %llu\n", (unsigned long long)total);
	}
	text_release(&bound);
	write_name(out, metric, series, "_bucket", "+Inf");
	text_addf(out, " %llu\n", (unsigned long long)series->count);
	write_name(out, metric, series, "_sum", NULL);
	write_number(out, series->value);
	write_name(out, metric, series, "_count", NULL);
	text_addf(out, " %llu\n", (unsigned long long)series->count);
}

static void write_metric(struct text *out, const struct metric *metric)
{
	static const char *const kinds[] = {"counter", "gauge", "histogram"};

	text_addf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
		kinds[metric->kind]);
	for (const struct series *series = metric->first; series; series = series->next) {
		if (metric->kind == KIND_HISTOGRAM) {
			write_histogram(out, metric, series);
			continue;
		}
		write_name(out, metric, series, "", NULL);
		write_number(out, series->value);
	}
}

void metrics_write(struct metrics *metrics, struct text *out)
{
	pthread_mutex_lock(&metrics->collect_lock);
	for (const struct collector *c = metrics->collectors; c; c = c->next)
		c->collect(c->context);
	pthread_mutex_unlock(&metrics->collect_lock);
	pthread_mutex_lock(&metrics->lock);
	for (const struct metric *metric = metrics->first; metric; metric = metric->next)
		write_metric(out, metric);
	pthread_mutex_unlock(&metrics->lock);
}
