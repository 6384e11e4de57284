#include "chassis/metrics.h"

#include <stdio.h>

#include "tests/check.h"

TEST(metrics_are_written_in_the_text_format)
{
	struct metrics *metrics = metrics_new();
	struct metric *sent = metrics_counter(metrics, "mails_sent_total", "Mails sent.", "kind to");
	struct metric *level = metrics_gauge(metrics, "level", "A level.", "");
	struct text out = {0};

	metric_add(sent, 1, METRIC_LABELS("a\"b\\c\nd", "x"));
	metric_add(sent, 2, METRIC_LABELS("a\"b\\c\nd", "x"));
	metric_add(sent, 1, METRIC_LABELS("other", "x"));
	metric_set(level, 0.5, NULL);
	metrics_write(metrics, &out);
	CHECK_STRING(out.data,
		"# HELP mails_sent_total Mails sent.\n"
		"# TYPE mails_sent_total counter\n"
		"mails_sent_total{kind=\"a\\\"b\\\\c\\nd\",to=\"x\"} 3\n"
		"mails_sent_total{kind=\"other\",to=\"x\"} 1\n"
		"# HELP level A level.\n"
		"# TYPE level gauge\n"
		"level 0.5\n");
	text_release(&out);
	metrics_free(metrics);
}

TEST(metrics_buckets_are_cumulative)
{
	struct metrics *metrics = metrics_new();
	struct metric *seconds = metrics_seconds(metrics, "t_seconds", "Time.", "");
	struct text out = {0};

	metric_observe(seconds, 0.005, NULL); /* a bound belongs to its bucket */
	metric_observe(seconds, 0.02, NULL);
	metric_observe(seconds, 100, NULL);
	metrics_write(metrics, &out);
	CHECK_CONTAINS(out.data, "t_seconds_bucket{le=\"0.005\"} 1\n");
	CHECK_CONTAINS(out.data, "t_seconds_bucket{le=\"0.01\"} 1\n");
	CHECK_CONTAINS(out.data, "t_seconds_bucket{le=\"0.025\"} 2\n");
	CHECK_CONTAINS(out.data, "t_seconds_bucket{le=\"10\"} 2\n");
	CHECK_CONTAINS(out.data, "t_seconds_bucket{le=\"+Inf\"} 3\n");
	CHECK_CONTAINS(out.data, "t_seconds_sum 100.025\n");
	CHECK_CONTAINS(out.data, "t_seconds_count 3\n");
	text_release(&out);
	metrics_free(metrics);
}

TEST(metrics_bound_the_number_of_series)
{
	struct metrics *metrics = metrics_new();
	struct metric *many = metrics_counter(metrics, "many_total", "Many.", "id");
	struct text out = {0};
	int lines = 0;

	for (int i = 0; i < 3 * METRIC_MAX_SERIES; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%d", i);
		metric_add(many, 1, METRIC_LABELS(id));
	}
	metrics_write(metrics, &out);
	for (const char *line = strstr(out.data, "many_total{"); line;
		 line = strstr(line + 1, "many_total{"))
		lines++;
	CHECK_INT(lines, METRIC_MAX_SERIES);
	CHECK_CONTAINS(out.data, "many_total{id=\"_overflow\"} 1025\n");
	text_release(&out);
	metrics_free(metrics);
}

static void set_level(void *context)
{
	metric_set(*(struct metric **)context, 7, NULL);
}

TEST(metrics_ask_collectors_until_they_are_forgotten)
{
	struct metrics *metrics = metrics_new();
	struct metric *level = metrics_gauge(metrics, "level", "A level.", "");
	struct text out = {0};

	metrics_collect(metrics, set_level, &level);
	metrics_write(metrics, &out);
	CHECK_CONTAINS(out.data, "level 7\n");
	metrics_forget(metrics, &level);
	metric_set(level, 8, NULL);
	out.size = 0;
	metrics_write(metrics, &out);
	CHECK_CONTAINS(out.data, "level 8\n");
	text_release(&out);
	metrics_free(metrics);
}
