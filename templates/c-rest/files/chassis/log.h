/* log.h - one line of JSON per event on standard output.
 *
 * Every line has ts, level, msg, service and version; the caller adds fields:
 *
 *     log_event(log, LOG_LEVEL_INFO, "item created", LOG_STRING("id", id), LOG_INTEGER("size", n));
 *
 * A LOG_STRING whose value is NULL is left out. A line is written by one call, so that lines of
 * several threads never mix. */
#pragma once

#include <pthread.h>
#include <stdint.h>

#define LOG_LEVELS "debug info warn error"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

struct log {
	int fd;
	enum log_level level; /* less important lines are dropped */
	const char *service;
	const char *version;
	pthread_mutex_t lock;
};

enum log_kind { LOG_KIND_END, LOG_KIND_STRING, LOG_KIND_INTEGER, LOG_KIND_NUMBER };

struct log_field {
	enum log_kind kind;
	const char *name; /* must need no escaping */
	const char *string;
	int64_t integer;
	double number;
};

#define LOG_STRING(key, value) \
	{ \
		.kind = LOG_KIND_STRING, .name = (key), .string = (value) \
	}
#define LOG_INTEGER(key, value) \
	{ \
		.kind = LOG_KIND_INTEGER, .name = (key), .integer = (value) \
	}
#define LOG_NUMBER(key, value) \
	{ \
		.kind = LOG_KIND_NUMBER, .name = (key), .number = (value) \
	}

#define log_event(log, level, msg, ...) \
	log_write(log, level, msg, (const struct log_field[]){{0}, ##__VA_ARGS__, {0}} + 1)

/* `fields` ends with a zeroed one. Safe from every thread. */
void log_write(
	struct log *log, enum log_level level, const char *msg, const struct log_field *fields);
